import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readFileSync, renameSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { ServicesError } from './errors.ts'

/** A process by its id and the time it began, so that a later process under the same id is not taken for it. */
export interface Owned {
  readonly pid: number
  /** When it began, in the system's own terms; only compared for equality. */
  readonly began: string
}

/** The process under an id as it runs now; undefined if there is none, or only its exit status is left (state Z). */
export function identify(pid: number): Owned | undefined {
  const facts = existsSync('/proc/self/stat') ? fromProc(pid) : fromPs(pid)
  return facts === undefined || /^[ZX]/.test(facts.state) ? undefined : { pid, began: facts.began }
}

/** Whether this very process still runs. */
export function alive({ pid, began }: Owned): boolean {
  return identify(pid)?.began === began
}

interface Facts {
  readonly state: string
  readonly began: string
}

function fromProc(pid: number): Facts | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field is the program's name in parentheses and may hold blanks: fields are counted behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0] ?? 'X', began: fields[19] ?? '' }
  } catch {
    return undefined
  }
}

function fromPs(pid: number): Facts | undefined {
  try {
    const text = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim()
    const [state = 'X', ...began] = text.split(/\s+/)
    return { state, began: began.join(' ') }
  } catch {
    return undefined
  }
}

/** How a process of a service is started; kept on disk, so that it can be started again just so. */
export interface Command {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  /** File of its output. The output of the run before is kept beside it as `.1`. */
  readonly log: string
}

/** Options that a JVM would take from the environment: they are for other programs, and slow down or break services. */
const foreignOptions = ['JAVA_TOOL_OPTIONS', '_JAVA_OPTIONS', 'JDK_JAVA_OPTIONS', 'CLASSPATH']

/**
 * Starts a process in a session of its own, so that neither Ctrl-C nor the end of this one ends it.
 *
 * @throws ServicesError `start_failed` if the program cannot be run.
 */
export async function startProcess({ command, args, cwd, log }: Command): Promise<Owned> {
  if (existsSync(log)) renameSync(log, `${log}.1`)
  const output = openSync(log, 'w', 0o600)
  try {
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreignOptions.includes(name)))
    const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', output, output] })
    await once(child, 'spawn')
    child.unref()
    const owned = child.pid === undefined ? undefined : identify(child.pid)
    if (owned) return owned
    throw new ServicesError('start_failed', `${command} ended at once.`, `Its output is in ${log}.`)
  } catch (error) {
    if (error instanceof ServicesError) throw error
    const detail = error instanceof Error ? error.message : String(error)
    throw new ServicesError(
      'start_failed',
      `${command} could not be started: ${detail}.`,
      'Check that it is executable.',
    )
  } finally {
    closeSync(output)
  }
}

/** Sends a signal, if this very process still runs. */
export function signal(owned: Owned, name: NodeJS.Signals): void {
  if (!alive(owned)) return
  try {
    process.kill(owned.pid, name)
  } catch {
    // It ended between the look and the signal.
  }
}

/** Waits until the process is gone; false if it still runs after `forMs`. */
export async function gone(owned: Owned, forMs: number): Promise<boolean> {
  const until = performance.now() + forMs
  while (alive(owned)) {
    if (performance.now() > until) return false
    await sleep(20)
  }
  return true
}

/** Asks a process to end, waits up to `graceMs`, then kills it. Resolves when it is gone. */
export async function stopProcess(owned: Owned, graceMs: number): Promise<'ended' | 'killed'> {
  // A stopped process (SIGSTOP) would not see the request.
  signal(owned, 'SIGTERM')
  signal(owned, 'SIGCONT')
  if (await gone(owned, graceMs)) return 'ended'
  signal(owned, 'SIGKILL')
  await gone(owned, 10_000)
  return 'killed'
}
