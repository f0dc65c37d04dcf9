import { randomUUID } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ServicesError } from './errors.ts'
import { alive, identify, type Owned } from './process.ts'

/**
 * Does something while no other process of this machine does it under the same lock file. The lock of a dead process is
 * taken over.
 *
 * @throws ServicesError `busy` if the lock is not free after `waitMs`.
 */
export async function withLock<T>(path: string, waitMs: number, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(path), { recursive: true })
  const until = performance.now() + waitMs
  while (!take(path)) {
    if (performance.now() > until) {
      throw new ServicesError('busy', `Another process holds ${path}.`, 'Wait until it is done, or end it.')
    }
    await sleep(100)
  }
  try {
    return await work()
  } finally {
    rmSync(path, { force: true })
  }
}

function take(path: string): boolean {
  // Written aside and linked: whoever sees the lock sees its holder too.
  const draft = `${path}.${randomUUID()}`
  writeFileSync(draft, JSON.stringify(identify(process.pid)))
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft, { force: true })
  }
  const holder = read(path)
  if (holder === undefined || alive(holder)) return false
  const aside = `${path}.${randomUUID()}`
  try {
    renameSync(path, aside)
  } catch {
    return false
  }
  // Two may have found the same dead holder, and the slower one may have moved the faster one's new lock aside.
  const moved = read(aside)
  if (moved && alive(moved)) {
    renameSync(aside, path)
    return false
  }
  rmSync(aside, { force: true })
  return false
}

function read(path: string): Owned | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Owned
  } catch {
    return undefined
  }
}
