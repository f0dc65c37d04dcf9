import { constants, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { LogError } from '../contract.ts'
import { errorCode, type FolderLock, lockFolder } from './log-lock.ts'

/** A file that is appended to at known positions. */
export interface LogFile {
  /** Writes all of `bytes` at `position`, or throws. */
  readonly write: (bytes: Uint8Array, position: number) => Promise<void>
  readonly sync: () => Promise<void>
  readonly truncate: (length: number) => Promise<void>
  readonly close: () => Promise<void>
}

/** The file system, as far as the log needs it; tests put faults in. */
export interface LogFiles {
  readonly open: (path: string) => Promise<LogFile>
  readonly read: (path: string) => Promise<Buffer>
  readonly list: (path: string) => Promise<readonly string[]>
  readonly makeFolder: (path: string) => Promise<void>
  /** Makes the names in a folder as durable as the files. */
  readonly syncFolder: (path: string) => Promise<void>
  /** Takes a folder for this process alone. */
  readonly lock: (folder: string) => Promise<FolderLock>
  readonly rename: (from: string, to: string) => Promise<void>
  readonly remove: (path: string) => Promise<void>
}

export const nodeFiles: LogFiles = {
  open: async (path) => {
    const handle = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600)
    return {
      write: async (bytes, position) => {
        for (let done = 0; done < bytes.length; ) {
          const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done)
          done += bytesWritten
        }
      },
      sync: () => handle.datasync(),
      truncate: (length) => handle.truncate(length),
      close: () => handle.close(),
    }
  },
  read: (path) => readFile(path),
  list: async (path) => {
    try {
      return await readdir(path)
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return []
      throw error
    }
  },
  makeFolder: async (path) => {
    await mkdir(path, { recursive: true, mode: 0o700 })
  },
  syncFolder: async (path) => {
    const handle = await open(path, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  },
  lock: lockFolder,
  rename,
  remove: (path) => rm(path, { force: true, recursive: true }),
}

/** A failure of the disk in the words of the port. Messages name the folder, never what was written. */
export function diskError(error: unknown, folder: string): LogError {
  if (error instanceof LogError) return error
  const code = errorCode(error)
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new LogError('disk_full', `no space is left for the log in ${folder}: free some, then go on`)
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new LogError('unauthorized', `the log may not write in ${folder}: check its owner and mode`)
  }
  return new LogError(
    'closed',
    `the disk failed under the log in ${folder} (${code ?? 'unknown error'}): check it, then start again`,
  )
}
