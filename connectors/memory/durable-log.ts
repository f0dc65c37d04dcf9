import { resolve } from 'node:path'
import { systemClock } from '../../operators/contract/clock.ts'
import { logOver, type MemoryLog, type MemoryLogOptions } from './log.ts'
import { createBroker } from './log-broker.ts'
import { diskError, type LogFiles, nodeFiles } from './log-files.ts'
import { type FsyncPolicy, openJournal } from './log-journal.ts'
import { recover } from './log-recovery.ts'

export interface DurableLogOptions extends MemoryLogOptions {
  /** Where the log lives; made if missing, and held by one process at a time. */
  readonly folder: string
  /** What an acknowledged commit survives. Required. */
  readonly fsync: FsyncPolicy
  /** Size at which a partition goes on in another file. Optional: 64 MiB. */
  readonly segmentBytes?: number
  /** Size at which the control file is written anew. Optional: 16 MiB. */
  readonly controlBytes?: number
  /** The file system. Optional: that of Node. */
  readonly files?: LogFiles
}

/**
 * The in-process log over a folder: same behaviour, and what was committed is there again after a crash. Transactions
 * that were open when the process ended are aborted. Everything is also held in memory, so the folder must fit there.
 * Fails with `folder_in_use`, with `corrupt` if acknowledged data is damaged, with `disk_full`.
 */
export async function openDurableLog(options: DurableLogOptions): Promise<MemoryLog> {
  const folder = resolve(options.folder)
  const files = options.files ?? nodeFiles
  try {
    await files.makeFolder(folder)
    const lock = await files.lock(folder)
    try {
      const recovered = await recover(folder, files)
      const journal = await openJournal({
        ...recovered,
        folder,
        files,
        fsync: options.fsync,
        segmentBytes: options.segmentBytes ?? 64 * 2 ** 20,
        controlBytes: options.controlBytes ?? 16 * 2 ** 20,
      })
      const log = logOver(
        createBroker(options.clock ?? systemClock, recovered.state, {
          ...journal,
          close: async () => {
            await journal.close()
            await lock.release()
          },
        }),
        options,
      )
      return await compactAll(log)
    } catch (error) {
      await lock.release()
      throw error
    }
  } catch (error) {
    throw diskError(error, folder)
  }
}

async function compactAll(log: MemoryLog): Promise<MemoryLog> {
  try {
    for (const { name, cleanup } of log.topics()) if (cleanup === 'compact') await log.compact(name)
    return log
  } catch (error) {
    await log.close()
    throw error
  }
}
