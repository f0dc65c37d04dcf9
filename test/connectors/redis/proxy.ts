import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import type { RedisNode } from '../../../connectors/redis/index.ts'
import { freePort } from '../../../deploy/local/ports.ts'

/** Stands between a client and a server: leads to another server, loses answers, cuts connections. */
export interface RedisProxy {
  readonly node: RedisNode
  /** Where new connections go. */
  readonly lead: (to: RedisNode) => void
  /** From now on requests arrive and answers do not. */
  readonly loseAnswers: (lose: boolean) => void
  readonly cut: () => void
  readonly close: () => Promise<void>
}

export async function redisProxy(to: RedisNode, tls?: TlsOptions): Promise<RedisProxy> {
  let target = to
  let lost = false
  const sockets = new Set<Socket>()
  const serve = (client: Socket): void => {
    const server = connect(target)
    for (const one of [client, server]) {
      sockets.add(one)
      one.on('error', () => {})
      one.on('close', () => {
        sockets.delete(one)
        client.destroy()
        server.destroy()
      })
    }
    client.pipe(server)
    server.on('data', (bytes) => {
      if (!lost) client.write(bytes)
    })
  }
  const listener: Server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve)
  const port = await freePort()
  listener.listen(port, '127.0.0.1')
  await once(listener, 'listening')
  const cut = (): void => {
    for (const one of sockets) one.destroy()
  }
  return {
    node: { host: '127.0.0.1', port },
    lead: (next) => {
      target = next
    },
    loseAnswers: (lose) => {
      lost = lose
    },
    cut,
    close: async () => {
      const closed = once(listener, 'close')
      listener.close()
      cut()
      await closed
    },
  }
}
