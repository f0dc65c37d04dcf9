import { createHash, randomUUID } from 'node:crypto'
import { link, open, readdir, readFile, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { LogError } from '../contract.ts'

interface Holder {
  readonly pid: number
  readonly host: string
  /** When the process began, as its system tells; empty where it does not. */
  readonly started: string
}

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** Folders that this very process holds: a process id alone cannot tell a second opening from a stale lock. */
const held = new Set<string>()

export interface FolderLock {
  /** Gives the folder back. A lock that is not this one any more is left alone. */
  readonly release: () => Promise<void>
}

/**
 * Takes the folder for this process by a lock file with its process id. A lock whose process is gone is recovered; one
 * of another host cannot be checked and is respected. Processes that share a host name have to see each other's ids:
 * between containers that do not, give each its own host name.
 *
 * Fails with `folder_in_use` where another process holds the folder, or where one that is recovering a stale lock does
 * not end within `claimMs` milliseconds. The message names the holder and what to do.
 */
export async function lockFolder(folder: string, claimMs = 5_000): Promise<FolderLock> {
  const path = join(folder, 'lock')
  if (held.has(path)) throw inUse(folder, 'this process')
  held.add(path)
  try {
    const own: Holder = { pid: process.pid, host: hostname(), started: await startOf(process.pid) }
    // The id makes each lock differ from every earlier one, so that a stale lock never comes back.
    const ownText = JSON.stringify({ ...own, id: randomUUID() })
    while (!(await create(path, ownText))) {
      const text = await readIfThere(path)
      if (text === undefined) continue
      const holder = parse(text)
      if (holder !== undefined && (await holds(holder))) {
        throw inUse(folder, describe(holder), holder.host === own.host ? undefined : path)
      }
      await takeAway({ folder, path, stale: text, own: ownText, claimMs })
    }
    await clearAway(folder)
    return {
      release: async () => {
        try {
          if ((await readIfThere(path)) === ownText) await rm(path, { force: true })
        } finally {
          held.delete(path)
        }
      },
    }
  } catch (error) {
    held.delete(path)
    throw error
  }
}

function describe({ pid, host }: Holder): string {
  return pid === process.pid && host === hostname() ? 'this process' : `process ${pid} on ${host}`
}

function inUse(folder: string, by: string, path?: string): LogError {
  const advice = path === undefined ? 'stop it first' : `if that host is gone, remove ${path}`
  return new LogError('folder_in_use', `the log in ${folder} is in use by ${by}: ${advice}`)
}

/** Creates the lock whole or not at all: it is written under another name and linked. */
async function create(path: string, text: string): Promise<boolean> {
  // A process id is no name of one's own: that of a container is 1 as a rule.
  const draft = `${path}.draft.${randomUUID()}`
  try {
    const file = await open(draft, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    return await linked(draft, path)
  } finally {
    await rm(draft, { force: true })
  }
}

async function linked(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path)
    return true
  } catch (error) {
    // ENOENT: who took the folder meanwhile has cleared the draft away.
    if (errorCode(error) === 'EEXIST' || errorCode(error) === 'ENOENT') return false
    throw error
  }
}

interface Stale {
  readonly folder: string
  readonly path: string
  readonly stale: string
  readonly own: string
  readonly claimMs: number
}

/**
 * Removes a stale lock. Only who holds the claim to this very lock may, so that nobody takes away the lock that another
 * process has put in its place: a look and a removal are two steps. A claim whose process is gone, or that nobody can
 * read, cannot be used any more; the next one follows it.
 */
async function takeAway({ folder, path, stale, own, claimMs }: Stale): Promise<void> {
  const name = createHash('sha256').update(stale).digest('hex').slice(0, 16)
  const claims: string[] = []
  for (;;) {
    const claim = `${path}.claim.${name}.${claims.length}`
    const taken = await create(claim, own)
    if (!taken && !(await abandoned(claim, folder, claimMs))) return
    claims.push(claim)
    if (taken) break
  }
  try {
    if ((await readIfThere(path)) === stale) await rm(path, { force: true })
  } finally {
    for (const claim of claims) await rm(claim, { force: true })
  }
}

/** Waits for the end of a claim: true once its holder is gone and the claim still there, false once it was given back. */
async function abandoned(claim: string, folder: string, claimMs: number): Promise<boolean> {
  const until = performance.now() + claimMs
  for (;;) {
    const text = await readIfThere(claim)
    if (text === undefined) return false
    const holder = parse(text)
    // A claim is linked whole, so one that cannot be read is damage and not a claim in the making.
    if (holder === undefined || !(await holds(holder))) return true
    if (performance.now() >= until) {
      const advice =
        holder.host === hostname() ? 'stop that process, then start again' : `if that host is gone, remove ${claim}`
      const by = `${describe(holder)}, which has held ${claim} for ${claimMs / 1_000} s`
      throw new LogError('folder_in_use', `the log in ${folder} is being recovered by ${by}: ${advice}`)
    }
    await pause(pollMs)
  }
}

const pollMs = 5

const leftover = /^lock\.(?:claim\..+|draft\..+|\d+)$/

/**
 * Removes the claims and drafts of processes that were killed. Only for who holds the folder: the locks that the claims
 * are for are gone for good then, and a process that misses its draft sees the lock on its next try.
 */
async function clearAway(folder: string): Promise<void> {
  try {
    for (const name of await readdir(folder)) if (leftover.test(name)) await rm(join(folder, name), { force: true })
  } catch {
    // The folder is held; what is left over costs a few bytes and the next opening tries again.
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

function parse(text: string): Holder | undefined {
  try {
    const { pid, host, started } = JSON.parse(text)
    return typeof pid === 'number' && typeof host === 'string' && typeof started === 'string'
      ? { pid, host, started }
      : undefined
  } catch {
    return undefined
  }
}

async function holds({ pid, host, started }: Holder): Promise<boolean> {
  if (host !== hostname()) return true
  const now = await startOf(pid)
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return false
  }
  // A process that has ended but was not waited for holds nothing.
  if (now === 'ended') return false
  // The id may have gone to another process since. Where the system does not tell, a living process is respected; of
  // this one `held` has told already.
  return started === '' || now === '' ? pid !== process.pid : now === started
}

/** Start time of a process from /proc, empty where that is missing, `ended` for one that only waits to be reaped. */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (fields?.[0] === 'Z' || fields?.[0] === 'X') return 'ended'
  return fields?.[19] ?? ''
}
