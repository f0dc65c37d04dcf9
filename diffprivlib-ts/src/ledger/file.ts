// The ledger as an append-only file of lines. The only part of the package besides its entropy that knows Node.
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs'
import { LedgerError } from '../errors.ts'
import { wideBits } from '../random/bit-source.ts'
import { secureBits } from '../random/secure.ts'
import { type Ledger, ledgerOver, openRules } from './ledger.ts'
import { firstLine, type LedgerHead, type LedgerText, readLines } from './line.ts'
import { takeLock } from './lock.ts'

export { LedgerError } from '../errors.ts'
export type { LedgerEntry, LossRecord } from './entry.ts'
export type { Ledger } from './ledger.ts'
export type { LedgerHead } from './line.ts'

/** What a file ledger asks of the file system; `node:fs` has it. Tests put one in its place that loses what was not synced. */
export interface LedgerFiles {
  readonly openSync: (path: string, flags: string) => number
  readonly readFileSync: (path: string) => Uint8Array
  readonly writeSync: (file: number, bytes: Uint8Array, offset: number, length: number, position: number) => number
  readonly fsyncSync: (file: number) => void
  readonly ftruncateSync: (file: number, length: number) => void
  readonly fstatSync: (file: number) => { readonly size: number }
  readonly renameSync: (from: string, to: string) => void
  readonly existsSync: (path: string) => boolean
  readonly closeSync: (file: number) => void
}

const nodeFiles: LedgerFiles = {
  openSync,
  readFileSync,
  writeSync,
  fsyncSync,
  ftruncateSync,
  fstatSync,
  renameSync,
  existsSync,
  closeSync,
}

/** A ledger in a file, and what opening it found. */
export interface LedgerFile extends Ledger {
  /** Bytes of a write that a crash had cut short, and that were cut off: their charge never counted. 0 when there were none. */
  readonly tornBytes: number
}

/** Options of `openLedgerFile` and `verifyLedgerFile`. */
export interface LedgerFileOptions {
  /** A head seen earlier and kept elsewhere: a ledger that does not hold that line, as after a restored backup, is refused. */
  readonly atLeast?: LedgerHead
}

const folderOf = (path: string): string => /^(.*)[\\/]/.exec(path)?.[1] || (/^[\\/]/.test(path) ? '/' : '.')

/** Makes the names in a folder durable, where the system has that. */
const syncFolder = (path: string, files: LedgerFiles): void => {
  if (process.platform === 'win32') return
  const folder = files.openSync(folderOf(path), 'r')
  try {
    files.fsyncSync(folder)
  } finally {
    files.closeSync(folder)
  }
}

const writeAll = (files: LedgerFiles, file: number, bytes: Uint8Array, position: number): void => {
  for (let done = 0; done < bytes.length; )
    done += files.writeSync(file, bytes, done, bytes.length - done, position + done)
  files.fsyncSync(file)
}

const read = (path: string, files: LedgerFiles, { atLeast }: LedgerFileOptions): LedgerText => {
  if (!files.existsSync(path))
    throw new LedgerError(`there is no ledger at ${path}: a lost ledger is not to be replaced by an empty one`)
  const found = readLines(files.readFileSync(path))
  if (found.heads.length === 0) throw new LedgerError(`${path} holds no whole line: it is no ledger`)
  if (atLeast && found.heads[atLeast.sequence]?.hash !== atLeast.hash)
    throw new LedgerError(
      `the ledger does not hold line ${atLeast.sequence + 1} as it was seen before: it was cut or restored. Treat all budgets of its time as spent`,
    )
  return found
}

/**
 * Makes an empty ledger at `path`; it appears whole or not at all. Throws LedgerError when there is a file already.
 */
export const createLedgerFile = (path: string): LedgerFile => createOver(path, nodeFiles)

/**
 * Opens a ledger for appending. Every entry is on the disk (fsync) before `append` returns; every line is checked; a torn tail is cut off and
 * reported; a second writer is refused. Throws LedgerError when there is no ledger, a line was altered, moved or lost, or another process
 * holds it.
 */
export const openLedgerFile = (path: string, options: LedgerFileOptions = {}): LedgerFile =>
  openOver(path, options, nodeFiles)

/** `createLedgerFile` over any file system; only tests name another. */
export const createOver = (path: string, files: LedgerFiles): LedgerFile => {
  const lock = takeLock(`${path}.lock`)
  try {
    if (files.existsSync(path))
      throw new LedgerError(`there is a file at ${path} already: open it, or choose another name`)
    const { line } = firstLine(wideBits(secureBits(), 128).toString(16).padStart(32, '0'))
    const fresh = `${path}.new`
    const file = files.openSync(fresh, 'w')
    try {
      writeAll(files, file, new TextEncoder().encode(line), 0)
    } finally {
      files.closeSync(file)
    }
    files.renameSync(fresh, path)
    syncFolder(path, files)
  } finally {
    lock.release()
  }
  return openOver(path, {}, files)
}

/** `openLedgerFile` over any file system; only tests name another. */
export const openOver = (path: string, options: LedgerFileOptions, files: LedgerFiles): LedgerFile => {
  const lock = takeLock(`${path}.lock`)
  try {
    const { entries, head, tornBytes, wholeBytes } = read(path, files, options)
    const file = files.openSync(path, 'r+')
    try {
      if (tornBytes > 0) files.ftruncateSync(file, wholeBytes)
      // Also lines that a crash left whole but unsynced count from now on, so they are made durable first.
      files.fsyncSync(file)
      let size = wholeBytes
      const write = (line: string): void => {
        lock.check()
        if (files.fstatSync(file).size !== size)
          throw new LedgerError('the ledger grew or shrank under its writer: another writer is at work')
        const bytes = new TextEncoder().encode(line)
        writeAll(files, file, bytes, size)
        size += bytes.length
      }
      const close = (): void => {
        files.closeSync(file)
        lock.release()
      }
      return Object.freeze({ ...ledgerOver({ write, close }, entries, head), tornBytes })
    } catch (error) {
      files.closeSync(file)
      throw error
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

/** What `verifyLedgerFile` found. */
export interface LedgerReport {
  readonly head: LedgerHead
  readonly accounts: number
  readonly charges: number
  readonly results: number
  /** Bytes of a write that was cut short, left as they are. */
  readonly tornBytes: number
}

/**
 * Checks a ledger without writing to it or locking it: every hash and link, and that no charge or result stands twice or out of order. Throws
 * LedgerError, or the error that the wrong entry would have met, with the reason.
 */
export const verifyLedgerFile = (path: string, options: LedgerFileOptions = {}): LedgerReport => {
  const { entries, head, tornBytes } = read(path, nodeFiles, options)
  const rules = openRules()
  for (const entry of entries) rules(entry)()
  const count = (kind: string) => entries.filter((entry) => entry.kind === kind).length
  return { head, accounts: count('account'), charges: count('charge'), results: count('result'), tornBytes }
}
