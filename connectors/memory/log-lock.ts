import { createHash } from 'node:crypto'
import { link, open, readFile, rm, unlink } from 'node:fs/promises'
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
  readonly release: () => Promise<void>
}

/**
 * Takes the folder for this process by a lock file with its process id. A lock whose process is gone is recovered; one
 * of another host cannot be checked and is respected.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const path = join(folder, 'lock')
  if (held.has(path)) throw inUse(folder, 'this process')
  held.add(path)
  try {
    const own: Holder = { pid: process.pid, host: hostname(), started: await startOf(process.pid) }
    const ownText = JSON.stringify(own)
    while (!(await create(path, ownText))) {
      const text = await readIfThere(path)
      if (text === undefined) continue
      const holder = parse(text)
      if (holder !== undefined && (await holds(holder))) {
        throw inUse(folder, `process ${holder.pid} on ${holder.host}`, holder.host === own.host ? undefined : path)
      }
      await takeAway(path, text, ownText)
    }
  } catch (error) {
    held.delete(path)
    throw error
  }
  return {
    release: async () => {
      held.delete(path)
      await rm(path, { force: true })
    },
  }
}

function inUse(folder: string, by: string, path?: string): LogError {
  const advice = path === undefined ? 'stop it first' : `if that host is gone, remove ${path}`
  return new LogError('folder_in_use', `the log in ${folder} is in use by ${by}: ${advice}`)
}

/** Creates the lock whole or not at all: it is written under another name and linked. */
async function create(path: string, text: string): Promise<boolean> {
  const draft = `${path}.${process.pid}`
  const file = await open(draft, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw error
  } finally {
    await unlink(draft)
  }
}

/**
 * Removes a stale lock. Only who holds the claim to this very lock may, so that nobody takes away the lock that another
 * process has put in its place: a look and a removal are two steps. A claim whose process is gone cannot be used any more;
 * the next one follows it.
 */
async function takeAway(path: string, stale: string, own: string): Promise<void> {
  const name = createHash('sha256').update(stale).digest('hex').slice(0, 16)
  const claims: string[] = []
  for (;;) {
    const claim = `${path}.claim.${name}.${claims.length}`
    if (await create(claim, own)) {
      claims.push(claim)
      break
    }
    const holder = parse((await readIfThere(claim)) ?? '')
    if (holder === undefined || (await holds(holder))) return pause(claimedMs)
    claims.push(claim)
  }
  if ((await readIfThere(path)) === stale) await unlink(path)
  for (const claim of claims) await rm(claim, { force: true })
}

const claimedMs = 5

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
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return false
  }
  // The id may have gone to another process since; a process that has ended but was not waited for holds nothing.
  const now = await startOf(pid)
  return started === '' || now === started
}

/** Start time of a process from /proc, empty where that is missing, `ended` for one that only waits to be reaped. */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (fields?.[0] === 'Z' || fields?.[0] === 'X') return 'ended'
  return fields?.[19] ?? ''
}
