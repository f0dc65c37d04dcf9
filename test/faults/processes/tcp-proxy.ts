import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { freePort } from '../../../deploy/local/ports.ts'

/** Requests go to the server, answers come back. */
export type Way = 'requests' | 'answers'

/** One connection through the proxy, as the one who looks into its requests sees it. */
export interface Link {
  /** Sends bytes to the server as if the client had. */
  readonly toServer: (bytes: Uint8Array) => void
  /** Ends it for the client, who gets a reset; the server keeps its half. */
  readonly leave: () => void
  /** Ends it for both. */
  readonly cut: () => void
}

export interface ProxyOptions {
  /**
   * Looks at each message, which begins with its length in four bytes. Answers whether it goes on its way. Without it bytes
   * are passed on as they come.
   */
  readonly look?: (way: Way, message: Buffer, link: Link) => boolean
}

/** Stands between clients and a server and does to their connections what networks do. */
export interface TcpProxy {
  readonly port: number
  /** Resets every connection. */
  readonly cut: () => void
  /** Holds back what goes these ways, on connections old and new, which stay open (half-open, if it is one way). */
  readonly hold: (...ways: readonly Way[]) => void
  /** Sends on what was held back, and everything from now on. */
  readonly release: () => void
  /** So late, and so many bytes a second on each connection and way. No argument: as fast as it goes. */
  readonly slow: (by?: { readonly latencyMs: number; readonly bytesPerSecond?: number }) => void
  /** Resets a connection whenever so many bytes have passed on it. No argument: never. */
  readonly cutEvery: (bytes?: number) => void
  /** Connections reset so far, and bytes that were held back or late. */
  readonly counts: { readonly cut: number; readonly held: number; readonly late: number }
  readonly close: () => Promise<void>
}

export async function tcpProxy(to: { readonly port: number }, { look }: ProxyOptions = {}): Promise<TcpProxy> {
  const links = new Set<Link & { readonly flow: (way: Way) => void }>()
  const held = new Set<Way>()
  const counts = { cut: 0, held: 0, late: 0 }
  let speed: Parameters<TcpProxy['slow']>[0]
  let most = Number.POSITIVE_INFINITY

  const serve = (client: Socket): void => {
    const server = connect({ port: to.port, host: '127.0.0.1' })
    const waiting = { requests: [] as Buffer[], answers: [] as Buffer[] }
    const free = { requests: 0, answers: 0 }
    let passed = 0
    let left = false
    const link = {
      toServer: (bytes: Uint8Array) => void server.write(bytes),
      leave: () => {
        counts.cut += 1
        left = true
        client.resetAndDestroy()
      },
      cut: () => {
        counts.cut += 1
        client.resetAndDestroy()
        server.resetAndDestroy()
      },
      flow: (way: Way) => {
        const [source, target] = way === 'requests' ? [client, server] : [server, client]
        for (const bytes of waiting[way].splice(0)) {
          passed += bytes.length
          if (passed > most) return link.cut()
          const { latencyMs, bytesPerSecond = Number.POSITIVE_INFINITY } = speed ?? { latencyMs: 0 }
          const now = performance.now()
          // What came before may still be under way: bytes do not overtake each other.
          const at = Math.max(now + latencyMs, free[way]) + (bytes.length / bytesPerSecond) * 1_000
          if (at <= now) target.write(bytes)
          else {
            counts.late += bytes.length
            free[way] = at
            setTimeout(() => target.write(bytes), at - now)
          }
        }
        source.resume()
      },
    }
    const receive = (way: Way, source: Socket) => {
      const messages = look && messageCutter()
      source.on('data', (bytes: Buffer) => {
        const passing = messages ? messages(bytes).filter((message) => look(way, message, link)) : [bytes]
        waiting[way].push(...passing)
        if (!held.has(way)) return link.flow(way)
        counts.held += bytes.length
        // As a full buffer would: what is held back stays bounded.
        source.pause()
      })
    }
    receive('requests', client)
    receive('answers', server)
    links.add(link)
    for (const one of [client, server]) {
      one.setNoDelay(true)
      one.on('error', () => {})
    }
    server.on('close', () => {
      links.delete(link)
      client.destroy()
    })
    client.on('close', () => {
      if (!left) server.destroy()
    })
  }
  const listener = createServer(serve)
  const port = await freePort()
  listener.listen(port, '127.0.0.1')
  await once(listener, 'listening')
  return {
    port,
    counts,
    cut: () => {
      for (const link of links) link.cut()
    },
    hold: (...ways) => {
      for (const way of ways) held.add(way)
    },
    release: () => {
      held.clear()
      for (const link of links) for (const way of ['requests', 'answers'] as const) link.flow(way)
    },
    slow: (by) => {
      speed = by
    },
    cutEvery: (bytes) => {
      most = bytes ?? Number.POSITIVE_INFINITY
    },
    close: async () => {
      const closed = once(listener, 'close')
      listener.close()
      for (const link of links) link.cut()
      await closed
    },
  }
}

/** Cuts a stream into messages that begin with their length in four bytes. */
export function messageCutter(): (bytes: Buffer) => Buffer[] {
  let rest: Buffer = Buffer.alloc(0)
  return (bytes) => {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
    const messages: Buffer[] = []
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE(0)) {
      const end = 4 + rest.readUInt32BE(0)
      messages.push(rest.subarray(0, end))
      rest = rest.subarray(end)
    }
    return messages
  }
}
