// One writer at a time: a lock file beside the ledger that names its owner. It appears whole or not at all, for it is linked into place.
import { linkSync, readFileSync, readlinkSync, renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { LedgerError } from '../errors.ts'
import { wideBits } from '../random/bit-source.ts'
import { secureBits } from '../random/secure.ts'

interface Owner {
  readonly token: string
  readonly pid: number
  /** When the process began, in ticks since the machine did; empty where the system does not tell. */
  readonly began: string
  readonly boot: string
  readonly host: string
  readonly pidNamespace: string
}

/** A lock that is held. */
export interface Lock {
  /** Throws LedgerError when the lock is no longer this process's. */
  readonly check: () => void
  readonly release: () => void
}

const orEmpty = (read: () => string): string => {
  try {
    return read().trim()
  } catch {
    return ''
  }
}

const text = (path: string): string => orEmpty(() => readFileSync(path, 'utf8'))

/** The 22nd field of /proc/pid/stat; the second may hold spaces and ends with the last parenthesis. */
const beganOf = (pid: number): string => {
  const stat = text(`/proc/${pid}/stat`)
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

const self = (): Owner => ({
  token: wideBits(secureBits(), 128).toString(16).padStart(32, '0'),
  pid: process.pid,
  began: beganOf(process.pid),
  boot: text('/proc/sys/kernel/random/boot_id'),
  host: text('/proc/sys/kernel/hostname'),
  pidNamespace: orEmpty(() => readlinkSync('/proc/self/ns/pid')),
})

const ownerAt = (path: string): Owner | undefined => {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Owner
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new LedgerError(`the lock ${path} cannot be read: delete it once you know that no process writes the ledger`)
  }
}

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/** Whether the owner has certainly ended. What cannot be known, as on another machine, is taken for running. */
const hasEnded = (owner: Owner, me: Owner): boolean => {
  if (owner.host !== me.host) return false
  if (owner.boot !== me.boot) return true
  if (owner.pidNamespace !== me.pidNamespace) return false
  return !isRunning(owner.pid) || beganOf(owner.pid) !== owner.began
}

const tryLink = (from: string, to: string): boolean => {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Takes the lock of an owner that has ended out of the way; another process may be doing the same. */
const clear = (path: string, stale: Owner, me: Owner): void => {
  const aside = `${path}.${me.token}.stale`
  try {
    renameSync(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  // Somebody else was faster and what was moved is a lock in use: it goes back.
  if (ownerAt(aside)?.token !== stale.token) tryLink(aside, path)
  unlinkSync(aside)
}

/**
 * Takes the lock at `path`, also from an owner that has certainly ended: same machine, and its process gone. Throws LedgerError when
 * another owner runs or cannot be known to have ended.
 */
export const takeLock = (path: string): Lock => {
  const me = self()
  const mine = `${path}.${me.token}`
  writeFileSync(mine, JSON.stringify(me), { flag: 'wx' })
  try {
    for (let attempt = 0; !tryLink(mine, path); attempt++) {
      const owner = ownerAt(path)
      if (!owner) continue
      if (attempt >= 8 || !hasEnded(owner, me))
        throw new LedgerError(
          `process ${owner.pid}${owner.host === '' ? '' : ` on ${owner.host}`} holds this ledger (${path}): a ledger has one writer. If that process is gone for certain, delete the file`,
        )
      clear(path, owner, me)
    }
  } finally {
    unlinkSync(mine)
  }
  const isMine = () => ownerAt(path)?.token === me.token
  return {
    check: () => {
      if (!isMine())
        throw new LedgerError(`the lock ${path} is no longer this process's: another writer may be at work`)
    },
    release: () => {
      if (isMine()) unlinkSync(path)
    },
  }
}
