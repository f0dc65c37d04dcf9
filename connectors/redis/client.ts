import { createHash } from 'node:crypto'
import type { ConnectionOptions } from 'node:tls'
import { Cluster, Redis } from 'ioredis'
import { LogError } from '../contract.ts'
import { logErrorOf, unauthorized } from './errors.ts'

export interface RedisNode {
  readonly host: string
  readonly port: number
}

export interface RedisConnectionOptions {
  /** The server, or some nodes of a Cluster, which name the others. Required. */
  readonly nodes: readonly RedisNode[]
  /** Whether the nodes form a Cluster. Default false. */
  readonly cluster?: boolean
  /** User of the access control list. Default: the server's default user. */
  readonly username?: string
  readonly password?: string
  /** Encrypts the connection, with what `node:tls` takes (`ca`, `cert`, `key`, `servername`). Default: plain. */
  readonly tls?: ConnectionOptions
  /** Every call ends within this, answered or not. Longer rides out longer restarts. Default 5,000 ms. */
  readonly timeoutMs?: number
}

export type RedisArgument = string | Buffer | number

/** Calls with a deadline and closed errors (`LogError`). Nothing is ever sent twice: the caller must know. */
export interface RedisClient {
  readonly timeoutMs: number
  readonly call: (command: string, args: readonly RedisArgument[]) => Promise<unknown>
  readonly script: (source: string, keys: readonly string[], args: readonly RedisArgument[]) => Promise<unknown>
  /** The text of INFO of every server that may be asked to write. */
  readonly infos: () => Promise<string[]>
  /** Settles when the server can be asked; rejects at the deadline. */
  readonly ready: () => Promise<void>
  readonly close: () => Promise<void>
}

const firstPauseMs = 20
const longestPauseMs = 500
const pause = (times: number): number => Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(times, 10))

export function redisClient(options: RedisConnectionOptions): RedisClient {
  const timeoutMs = options.timeoutMs ?? 5_000
  const connection = connect(options, timeoutMs)
  const pending = new Set<(error: LogError) => void>()
  let closed = false
  let refused = false
  connection.on('error', (error: unknown) => {
    refused ||= logErrorOf(error).code === 'unauthorized'
  })
  connection.on('ready', () => {
    refused = false
  })
  // Requests under way when a connection ends are lost; so the client would let them wait for ever.
  connection.on('close', () => {
    for (const reject of pending) {
      reject(new LogError('unknown_outcome', 'Redis did not answer: the connection was lost while it was asked'))
    }
  })

  const withDeadline = <T>(act: () => Promise<T>, late: () => LogError): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      if (closed) return reject(new LogError('closed', 'the Redis view is closed'))
      const fail = (error: unknown) => {
        end()
        reject(logErrorOf(error))
      }
      const timer = setTimeout(() => fail(late()), timeoutMs)
      const end = () => {
        clearTimeout(timer)
        pending.delete(fail)
      }
      pending.add(fail)
      act().then((value) => {
        end()
        resolve(value)
      }, fail)
    })

  const ready = async (): Promise<void> => {
    const until = performance.now() + timeoutMs
    while (connection.status !== 'ready') {
      if (closed) throw new LogError('closed', 'the Redis view is closed')
      if (refused) throw new LogError('unauthorized', unauthorized)
      if (performance.now() >= until) {
        throw new LogError('retriable', `Redis did not accept a connection within ${timeoutMs} ms`)
      }
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  const ask = async <T>(act: () => Promise<T>): Promise<T> => {
    await ready()
    return withDeadline(act, () => new LogError('unknown_outcome', `Redis did not answer within ${timeoutMs} ms`))
  }
  const call = (command: string, args: readonly RedisArgument[]): Promise<unknown> =>
    ask(() => connection.callBuffer(command, [...args]))

  return {
    timeoutMs,
    ready,
    call,
    script: async (source, keys, args) => {
      const rest = [keys.length, ...keys, ...args]
      return ask(() =>
        connection.callBuffer('evalsha', [digestOf(source), ...rest]).catch((error: unknown) => {
          if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
          return connection.callBuffer('eval', [source, ...rest])
        }),
      )
    },
    infos: () => ask(() => Promise.all(writable(connection).map((node) => node.info()))),
    close: async () => {
      if (closed) return
      closed = true
      connection.disconnect()
      for (const reject of pending) reject(new LogError('closed', 'the Redis view is closed'))
    },
  }
}

const digests = new Map<string, string>()

function digestOf(source: string): string {
  let digest = digests.get(source)
  if (digest === undefined) {
    digest = createHash('sha1').update(source).digest('hex')
    digests.set(source, digest)
  }
  return digest
}

function connect(options: RedisConnectionOptions, timeoutMs: number): Redis | Cluster {
  const { nodes, cluster = false, username, password, tls } = options
  const [first] = nodes
  if (first === undefined) throw new RangeError('nodes must name one server at least')
  const common = {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls }),
    connectTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    // A request whose answer is lost may have been carried out: only the runtime knows what to do then.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: null,
    // The view asks for INFO itself, and a server that is loading says so to every call.
    enableReadyCheck: false,
  }
  if (cluster) {
    return new Cluster(
      nodes.map(({ host, port }) => ({ host, port })),
      {
        redisOptions: common,
        enableOfflineQueue: false,
        clusterRetryStrategy: pause,
        slotsRefreshTimeout: timeoutMs,
        // A certificate names the host, so a Cluster's nodes are to be called as they announce themselves.
        ...(tls === undefined ? {} : { dnsLookup: (host: string, done: LookedUp) => done(null, host) }),
      },
    )
  }
  return new Redis({ ...common, host: first.host, port: first.port, enableOfflineQueue: false, retryStrategy: pause })
}

type LookedUp = (error: null, address: string) => void

function writable(connection: Redis | Cluster): readonly Redis[] {
  return connection instanceof Cluster ? connection.nodes('master') : [connection]
}
