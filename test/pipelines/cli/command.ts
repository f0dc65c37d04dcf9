import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'

export const root = resolve(import.meta.dirname, '../../..')
export const bin = join(root, 'pipelines/cli/bin.js')
/** The same command over small pipelines that tests can halt, block and fill. */
export const toyMain = join(root, 'test/pipelines/cli/toy-main.ts')

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

type Env = Readonly<Record<string, string>>

/** Settings of the machine that runs the tests must not reach the command. */
const cleanEnv = (env: Env) => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('METERVEIL_'))),
  ...env,
})

/** Runs the real command as a child process, without a terminal. */
export function meterveil(args: readonly string[], env: Env = {}, main = bin): Finished {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    cwd: root,
    encoding: 'utf8',
    env: cleanEnv(env),
    timeout: longestMs,
    maxBuffer: 64 * 1024 * 1024,
  })
  return { code: status, stdout, stderr }
}

/** A command that goes on running. */
export interface Started {
  readonly process: ChildProcessWithoutNullStreams
  /** Resolves once standard output or error has shown the text. */
  readonly shows: (text: string) => Promise<void>
  readonly ended: Promise<Finished>
  /** Standard output so far. */
  readonly output: () => string
}

/** A command that hangs fails its test instead of the whole run. */
const longestMs = 120_000

/** Starts a command and leaves it running. */
export function start(args: readonly string[], env: Env = {}, main = toyMain): Started {
  const child = spawn(process.execPath, [main, ...args], { cwd: root, env: cleanEnv(env), timeout: longestMs })
  let stdout = ''
  let stderr = ''
  const waiting: { readonly text: string; readonly done: () => void }[] = []
  const look = () => {
    for (const { text, done } of waiting) if (stdout.includes(text) || stderr.includes(text)) done()
  }
  child.stdout.on('data', (chunk) => {
    stdout += chunk
    look()
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
    look()
  })
  const ended = new Promise<Finished>((done) => child.on('close', (code) => done({ code, stdout, stderr })))
  return {
    process: child,
    ended,
    output: () => stdout,
    shows: async (text) => {
      const seen = new Promise<'seen'>((done) => {
        waiting.push({ text, done: () => done('seen') })
        look()
      })
      const first = await Promise.race([seen, ended])
      if (first !== 'seen') throw new Error(`ended (${first.code}) without “${text}”:\n${stdout}\n${stderr}`)
    },
  }
}
