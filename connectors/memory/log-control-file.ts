import { join } from 'node:path'
import { LogError } from '../contract.ts'
import { type ControlFrame, decodeControl, encodeControl, type Fact, formatVersion } from './log-control.ts'
import type { LogFile, LogFiles } from './log-files.ts'
import { frame, framesBehind, readFrames } from './log-frames.ts'

/** Appends facts to the control file. */
export interface ControlWriter {
  readonly length: () => number
  /** All facts or none. With `lasting`, resolves when they are on the disk. */
  readonly append: (facts: readonly Fact[], lasting: boolean) => Promise<void>
  /** Goes on in a new file that begins with everything that holds now. */
  readonly renew: () => Promise<void>
  readonly close: () => Promise<void>
}

const nameOf = (generation: number): string => `control-${generation}`

/** Starts a new control file after the one of `generation`, and removes that one. */
export async function openControl({
  folder,
  files,
  durable,
  generation,
  everything,
  orBreak,
}: {
  readonly folder: string
  readonly files: LogFiles
  readonly durable: boolean
  readonly generation: number
  readonly everything: () => readonly Fact[]
  /** Runs what leaves the disk in an unknown state if it fails. */
  readonly orBreak: (act: () => Promise<void>) => Promise<void>
}): Promise<ControlWriter> {
  let current = generation
  let file: LogFile | undefined
  let length = 0
  let synced = 0

  const renew = async () => {
    const path = join(folder, nameOf(current + 1))
    const draft = `${path}.draft`
    const facts: readonly Fact[] = [{ is: 'format', version: formatVersion }, ...everything()]
    const bytes = frame(encodeControl({ sure: 0, facts }))
    const next = await files.open(draft)
    try {
      await next.truncate(0)
      await next.write(bytes, 0)
      if (durable) await next.sync()
      await orBreak(async () => {
        await files.rename(draft, path)
        if (durable) await files.syncFolder(folder)
      })
    } catch (error) {
      await next.close()
      await files.remove(draft)
      throw error
    }
    const old = { file, name: nameOf(current) }
    file = next
    current += 1
    length = bytes.length
    synced = length
    await old.file?.close()
    // The newest one counts, so an older one that stays does no harm.
    await files.remove(join(folder, old.name)).catch(() => {})
  }
  const present = (): LogFile => {
    if (file === undefined) throw new LogError('closed', 'the control file is closed')
    return file
  }

  await renew()
  return {
    length: () => length,
    append: async (facts, lasting) => {
      const bytes = frame(encodeControl({ sure: durable ? synced : length, facts }))
      try {
        await present().write(bytes, length)
      } catch (error) {
        await orBreak(async () => {
          await present().truncate(length)
          if (durable) await present().sync()
        })
        throw error
      }
      length += bytes.length
      if (!lasting || !durable) return
      await orBreak(() => present().sync())
      synced = length
    },
    renew,
    close: async () => {
      await file?.close()
      file = undefined
    },
  }
}

/** The newest control file of a folder, read up to where a write was torn; undefined for a new folder. */
export async function readControl(
  folder: string,
  files: LogFiles,
): Promise<{ readonly generation: number; readonly frames: readonly ControlFrame[] } | undefined> {
  const names = await files.list(folder)
  for (const name of names.filter((each) => each.endsWith('.draft'))) await files.remove(join(folder, name))
  const generations = names.flatMap((name) => {
    const number = /^control-(\d+)$/.exec(name)?.[1]
    return number === undefined ? [] : [Number(number)]
  })
  if (generations.length === 0) {
    if (names.includes('topics')) throw corrupt(folder, 'the control file', 0)
    return undefined
  }
  const generation = Math.max(...generations)
  const path = join(folder, nameOf(generation))
  const bytes = await files.read(path)
  const { payloads, end } = readFrames(bytes, 0)
  if (payloads.length === 0) throw corrupt(folder, nameOf(generation), 0)
  for (const payload of framesBehind(bytes, end + 1)) {
    if ((decodeControl(payload)?.sure ?? 0) > end) throw corrupt(folder, nameOf(generation), end)
  }
  const frames = payloads.map((payload) => {
    const read = decodeControl(payload)
    if (read === undefined) throw corrupt(folder, nameOf(generation), 0)
    return read
  })
  const format = frames[0]?.facts.find((fact) => fact.is === 'format')?.version
  if (format !== formatVersion) {
    throw new LogError('corrupt', `the log in ${folder} has format ${format}; this version reads ${formatVersion} only`)
  }
  return { generation, frames }
}

/** Data that was acknowledged is not there any more. */
export function corrupt(folder: string, file: string, at: number): LogError {
  return new LogError(
    'corrupt',
    `the log in ${folder} is damaged: ${file} is not sound at byte ${at}, before its end. Restore the folder from a copy`,
  )
}
