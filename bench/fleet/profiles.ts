import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { EpochMs } from '../../schemas/codec.ts'
import type { Slots } from './calendar.ts'
import { fuseWhPerHour } from './homes.ts'
import type { LoadSource } from './load-model.ts'
import { simulationRandom } from './random.ts'

/** Interval load of real homes. */
export interface Profiles {
  readonly start: EpochMs
  readonly intervalSeconds: number
  /** One array per home: Wh per interval, -1 where there is no reading. */
  readonly homes: readonly Int32Array[]
}

/** A profile file that cannot be used. The message is one sentence with the line and what to do. */
export class ProfileError extends Error {
  override readonly name = 'ProfileError'
}

const weekMs = 7 * 86_400_000

/**
 * Reads real households from a CSV file, plain or gzip: a header `interval_start,<home>,…`, then one line per interval
 * with its UTC start (`YYYY-MM-DDTHH:MMZ`, evenly spaced) and whole Wh per home, empty where there is no reading.
 * Throws `ProfileError`, naming the line, on a file that is damaged or cut off.
 */
export function readProfiles(path: string): Profiles {
  return parseProfiles(readText(path), path)
}

function readText(path: string): string {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch {
    throw new ProfileError(`cannot read the profiles ${path}: give the path of a CSV or CSV.gz file`)
  }
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes.toString('utf8')
  try {
    return gunzipSync(bytes).toString('utf8')
  } catch {
    throw new ProfileError(`${path}: the gzip file is damaged or cut off; fetch it again`)
  }
}

/** Like `readProfiles`, for text already in memory; `name` stands in the messages. */
export function parseProfiles(text: string, name: string): Profiles {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  const fail = (line: number, detail: string): never => {
    throw new ProfileError(`${name}, line ${line}: ${detail}`)
  }
  const header = (lines[0] ?? '').trimEnd().split(',')
  if (header[0] !== 'interval_start' || header.length < 2) {
    fail(1, 'the header must be interval_start and one column per home')
  }
  const count = lines.length - 1
  if (count < 2) fail(lines.length, 'at least two intervals are needed')
  const homes = header.slice(1).map(() => new Int32Array(count))
  const time = (line: number): number => {
    const field = (lines[line] as string).split(',', 1)[0] as string
    const at = /^\d{4}-\d\d-\d\dT\d\d:\d\dZ$/.test(field) ? Date.parse(field) : Number.NaN
    return Number.isNaN(at) ? fail(line + 1, 'the interval start must look like 2013-01-01T00:30Z') : at
  }
  const start = time(1)
  const step = time(2) - start
  if (step <= 0 || 3_600_000 % step !== 0) fail(3, 'intervals must follow each other and divide the hour')
  for (let i = 0; i < count; i++) {
    const line = i + 2
    const fields = (lines[i + 1] as string).trimEnd().split(',')
    if (fields.length !== header.length) {
      const cut = i === count - 1 ? ': the file is cut off; fetch it again, or remove this line' : ''
      fail(line, `${fields.length} fields where the header has ${header.length}${cut}`)
    }
    if (time(i + 1) !== start + i * step) fail(line, 'the interval does not follow the one before it')
    for (let column = 1; column < fields.length; column++) {
      const field = fields[column] as string
      const value = field === '' ? -1 : Number(field)
      if (!Number.isInteger(value) || value < -1 || value > 1_000_000 || field.startsWith('-')) {
        fail(line, `field ${column + 1} is not a whole number of Wh between 0 and 1,000,000, nor empty`)
      }
      ;(homes[column - 1] as Int32Array)[i] = value
    }
  }
  if (count * step < weekMs) fail(lines.length, 'at least one whole week of intervals is needed')
  return { start, intervalSeconds: step / 1_000, homes }
}

/**
 * Homes that stand for more than the file holds: each is one real home, drawn with replacement, shifted by up to four
 * whole weeks and scaled by about 10 %. Dates outside the file repeat it in whole weeks; where a reading is missing, the
 * same time of another week stands in. Never more than the home's fuse lets through; no export.
 */
export function profileLoad(seed: number, slots: Slots, profiles: Profiles): LoadSource {
  if (profiles.intervalSeconds * 1_000 !== slots.intervalMs) {
    const wanted = slots.intervalMs / 1_000
    throw new ProfileError(
      `the profiles have intervals of ${profiles.intervalSeconds} s, the fleet of ${wanted} s: set the fleet's interval to theirs`,
    )
  }
  const perWeek = weekMs / slots.intervalMs
  const weeks = Math.floor((profiles.homes[0] as Int32Array).length / perWeek)
  const span = weeks * perWeek
  const offset = Math.round((slots.start - profiles.start) / slots.intervalMs)
  return {
    fillDay: (home, day, importWh, exportWh, at) => {
      const random = simulationRandom(seed, 'profile', home.home)
      const readings = profiles.homes[random.below(profiles.homes.length)] as Int32Array
      const shift = (random.below(9) - 4) * perWeek
      const scale = Math.exp(0.1 * random.normal())
      const most = Math.floor((fuseWhPerHour(home) * slots.intervalMs) / 3_600_000)
      for (let i = 0; i < day.slots; i++) {
        const wanted = offset + shift + day.firstSlot + i
        let value = -1
        for (let week = 0; week < weeks && value < 0; week++) {
          value = readings[(((wanted + week * perWeek) % span) + span) % span] as number
        }
        importWh[at + i] = value < 0 ? 0 : Math.min(most, Math.round(value * scale))
        exportWh[at + i] = 0
      }
    },
  }
}
