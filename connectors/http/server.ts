import type { AddressInfo } from 'node:net'
import { fastify } from 'fastify'
import type { Health } from './health.ts'

export interface HttpOptions {
  /** 0 takes a free port. */
  readonly port: number
  readonly metrics: { readonly contentType: string; readonly text: () => Promise<string> }
  readonly health: Health
}

export interface HttpServer {
  readonly port: number
  /** Base address, for instance `http://127.0.0.1:9464`. */
  readonly url: string
  readonly close: () => Promise<void>
}

export type ListenErrorCode = 'port_in_use' | 'port_forbidden' | 'listen_failed'

/** The port cannot be had; the message says what to do. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
  readonly code: ListenErrorCode
  constructor(code: ListenErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** Only this machine may ask: what a scrape shows is not meant for the street. Put a proxy in front to reach further. */
const host = '127.0.0.1'

/**
 * Serves `/metrics` for Prometheus, and `/health/live` and `/health/ready` (200, or 503 with the state of each pipeline).
 * Throws `ListenError` where the port cannot be had.
 */
export async function serveHttp({ port, metrics, health }: HttpOptions): Promise<HttpServer> {
  const server = fastify({ logger: false, forceCloseConnections: true })
  server.addHook('onSend', async (_request, reply) => void reply.header('cache-control', 'no-store'))
  server.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()))
  server.get('/health/live', async (_request, reply) =>
    reply.code(health.live() ? 200 : 503).send({ status: health.live() ? 'live' : 'halted' }),
  )
  server.get('/health/ready', async (_request, reply) =>
    reply
      .code(health.ready() ? 200 : 503)
      .send({ status: health.ready() ? 'ready' : 'not_ready', pipelines: health.pipelines() }),
  )
  try {
    await server.listen({ port, host })
  } catch (error) {
    await server.close()
    throw listenError(error, port)
  }
  const taken = (server.server.address() as AddressInfo).port
  return { port: taken, url: `http://${host}:${taken}`, close: async () => void (await server.close()) }
}

function listenError(error: unknown, port: number): ListenError {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'EADDRINUSE') {
    return new ListenError(
      'port_in_use',
      `Port ${port} on ${host} is in use: choose another metrics port, or 0 for a free one.`,
    )
  }
  if (code === 'EACCES') {
    return new ListenError('port_forbidden', `Port ${port} is reserved for the system: choose one from 1024 up, or 0.`)
  }
  return new ListenError('listen_failed', `Cannot listen on port ${port} of ${host} (${code ?? 'unknown error'}).`)
}
