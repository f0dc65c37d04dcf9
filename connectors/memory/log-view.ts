import { resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../../operators/contract/clock.ts'
import { LogError } from '../contract.ts'
import { logOver, type MemoryLog } from './log.ts'
import { createBroker } from './log-broker.ts'
import { diskError, type LogFiles, nodeFiles } from './log-files.ts'
import { errorCode } from './log-lock.ts'
import { recover } from './log-recovery.ts'

export interface LogViewOptions {
  /** Where the durable log lies. */
  readonly folder: string
  /** The file system. Optional: that of Node. */
  readonly files?: LogFiles
}

const tries = 5
const pauseMs = 50

/**
 * What a folder of the durable log holds at this moment, in memory: takes no lock and writes nothing, so that a process that
 * runs over the folder is not disturbed. What that process commits afterwards is not seen; what is appended to the view is
 * in memory only. Fails with `corrupt` as `openDurableLog` does, with `topic_unknown` where there is no log.
 */
export async function openLogView({ folder, files = nodeFiles }: LogViewOptions): Promise<MemoryLog> {
  const path = resolve(folder)
  for (let n = 1; ; n++) {
    try {
      const { state, generation } = await recover(path, readingOnly(files))
      if (generation === 0) throw new LogError('topic_unknown', `${folder} holds no log`)
      return logOver(createBroker(systemClock, state), {})
    } catch (error) {
      // Files that a compaction or a new control file replaced in between are gone, or shorter than was said of them.
      const passing = errorCode(error) === 'ENOENT' || (error instanceof LogError && error.code === 'corrupt')
      if (!passing || n === tries) throw diskError(error, folder)
      await pause(pauseMs * n)
    }
  }
}

/** Recovery cuts torn writes and removes leftovers; here it only leaves them out. */
function readingOnly(files: LogFiles): LogFiles {
  const refuse = async (): Promise<never> => {
    throw new LogError('closed', 'a view of a log writes nothing')
  }
  const nothing = async () => {}
  return {
    read: files.read,
    list: files.list,
    open: async () => ({ write: refuse, truncate: nothing, sync: nothing, close: nothing }),
    remove: nothing,
    makeFolder: refuse,
    syncFolder: nothing,
    lock: refuse,
    rename: refuse,
  }
}
