import type { EpochMs } from '../schemas/codec.ts'
import { type IntervalReading, qualityBits } from '../schemas/interval-reading.ts'
import type { RegisterEntry } from '../schemas/register-entry.ts'
import type { MeterReadings } from './contract/meter-readings.ts'
import type { Keyed, Spec } from './contract/operator.ts'
import {
  type ChannelHistory,
  type History,
  historyTable,
  lastModulus,
  maxRun,
  storedEnd,
  storedPeak,
  storedRegister,
} from './validate/history.ts'
import { type LocalDay, localDay } from './window/local-day.ts'

export const validateSpec = {
  name: 'validate',
  drops: [],
  rejects: ['time_invalid', 'time_in_future', 'value_out_of_range'],
} as const satisfies Spec

export interface ValidateOptions {
  /** Clock error in seconds from which a reading is flagged as a warning. Default 60. */
  readonly driftWarningSeconds?: number
  /** Clock error in seconds from which a reading is flagged, and an end in the future rejected. Default 300. */
  readonly driftSeconds?: number
  /** A mean power above this many times the recent peak is a spike. Lower finds more, and more that is true. Default 4. */
  readonly spikeFactor?: number
  /** Power below this share of the fuse is never a spike, however quiet the site was. Default 0.25. */
  readonly spikeShareOfFuse?: number
  /** How many consecutive intervals of one and the same energy above zero make a frozen register. Default 24. */
  readonly frozenIntervals?: number
  /** Most Wh by which the register may differ from the sum of the intervals: its resolution. Default 10. */
  readonly sumToleranceWh?: number
}

/** Energy of one interval beyond ±1.1 TWh is not energy. */
const maxEnergyWh = 2 ** 40
const maxDurationSeconds = 31 * 86_400
/** The recent peak loses this share per interval: half of it in a week of half hours. */
const peakDecay = 1 / 512

/**
 * Validation with one meter's own data: sets quality bits of readings, never changes, adds or repairs a value.
 *
 * - `aboveFuse`: more energy than the fuse lets through. `negativeWithoutExport`: energy below zero, or on the export
 *   channel, at a site registered for import only. `unauthenticated`: no verified tag.
 * - `spike`: mean power above `spikeFactor` times the recent peak. `frozen`: a non-zero value repeated in
 *   `frozenIntervals` consecutive intervals. `sumMismatch`: the register moved by another amount than the intervals.
 *   These three look at what came before; only a newer interval than the newest seen moves that memory, so retries and
 *   late catch-ups neither trip nor reset them.
 * - `clockDriftWarning`, `clockDrift`: how far the meter's clock is off, where a frame can show it at all: an interval that
 *   ends after its frame was received (a clock ahead), or that begins off the grid of its own length within the local day.
 *   An interval that ended long ago shows nothing: it may be a late catch-up, so a clock behind stays unnoticed unless it
 *   leaves the grid.
 * - Bits that the decoder set from the meter's own status stay as they are.
 *
 * *Delivery*: a frame with an interval that ends more than `driftSeconds` after its receipt is rejected whole
 * (`time_in_future`), as is one whose numbers no record can hold. *Order*: kept.
 * *State*: at most 31 bytes per measuring point. *Privacy*: keeps the label.
 */
export function validate(options: ValidateOptions = {}): Keyed<MeterReadings, MeterReadings, History> {
  const { driftWarningSeconds = 60, driftSeconds = 300, spikeFactor = 4 } = options
  const { spikeShareOfFuse = 0.25, frozenIntervals = 24, sumToleranceWh = 10 } = options
  if (frozenIntervals > maxRun) throw new RangeError(`frozenIntervals must be at most ${maxRun}`)

  /** Flags that need no memory. */
  const flagsOf = (entry: RegisterEntry, reading: IntervalReading, receivedAt: EpochMs): number => {
    const { channel, start, durationSeconds, energyWh } = reading
    let flags = 0
    if (Math.abs(energyWh) * 3_600 > entry.fuseWhPerHour * durationSeconds) flags |= qualityBits.aboveFuse
    if (entry.direction === 'import' && (energyWh < 0 || (channel === 'export' && energyWh > 0))) {
      flags |= qualityBits.negativeWithoutExport
    }
    const ahead = endOf(reading) - receivedAt
    const drift = Math.max(ahead, offGrid(localDay(entry.timeZone, start), start, durationSeconds * 1_000))
    if (drift > driftSeconds * 1_000) flags |= qualityBits.clockDrift
    else if (drift > driftWarningSeconds * 1_000) flags |= qualityBits.clockDriftWarning
    return flags
  }

  const isSpike = (entry: RegisterEntry, powerW: number, before: ChannelHistory | undefined): boolean =>
    before !== undefined &&
    before.peakW > 0 &&
    powerW > before.peakW * spikeFactor &&
    powerW > entry.fuseWhPerHour * spikeShareOfFuse

  const advance = (
    reading: IntervalReading,
    powerW: number,
    spike: boolean,
    before: ChannelHistory | undefined,
  ): { readonly flags: number; readonly next: ChannelHistory } => {
    const { energyWh, registerWh } = reading
    const adjoins = before !== undefined && before.end === storedEnd(reading.start)
    const lastWh = ((energyWh % lastModulus) + lastModulus) % lastModulus
    const repeats = adjoins && before.run > 0 && before.lastWh === lastWh
    const run = energyWh === 0 ? 0 : repeats ? Math.min(maxRun, before.run + 1) : 1
    const expected = adjoins && before.registerWh >= 0 ? before.registerWh + energyWh : undefined
    const differs =
      registerWh !== undefined && expected !== undefined && Math.abs(registerWh - expected) > sumToleranceWh
    const peakBefore = before?.peakW ?? 0
    // a spike lifts the peak only so far, and is no spike any more once it has become the habit
    const peak = Math.max(peakBefore * (1 - peakDecay), spike ? peakBefore * spikeFactor : powerW)
    return {
      flags: (run >= frozenIntervals ? qualityBits.frozen : 0) | (differs ? qualityBits.sumMismatch : 0),
      next: {
        end: storedEnd(endOf(reading)),
        lastWh,
        run,
        peakW: storedPeak(peak),
        registerWh: storedRegister(registerWh ?? expected),
      },
    }
  }

  return {
    spec: validateSpec,
    state: historyTable,
    keys: (batch) => batch.map(({ value }) => ({ index: value.entry.index, day: 0 })),
    process: (batch, cells, out) => {
      for (const record of batch) {
        const { entry, readings, trust } = record.value
        const { receivedAt } = record.origin
        const fault = faultOf(readings, receivedAt + driftSeconds * 1_000)
        if (fault !== undefined) {
          out.reject(record, fault)
          continue
        }
        const key = { index: entry.index, day: 0 }
        let history = cells.get(key)
        let moved = false
        let checked: IntervalReading[] | undefined
        for (const at of inTimeOrder(readings)) {
          const reading = readings[at] as IntervalReading
          const before = history?.[reading.channel === 'import' ? 0 : 1]
          const powerW = (reading.energyWh * 3_600) / reading.durationSeconds
          const spike = isSpike(entry, powerW, before)
          let quality = reading.quality | flagsOf(entry, reading, receivedAt)
          if (!trust.tagVerified) quality |= qualityBits.unauthenticated
          if (spike) quality |= qualityBits.spike
          if (before === undefined || storedEnd(endOf(reading)) > before.end) {
            const { flags, next } = advance(reading, powerW, spike, before)
            quality |= flags
            history = reading.channel === 'import' ? [next, history?.[1]] : [history?.[0], next]
            moved = true
          }
          if (quality === reading.quality) continue
          checked ??= [...readings]
          checked[at] = { ...reading, quality }
        }
        if (moved && history !== undefined) cells.set(key, history)
        out.emit(record, checked === undefined ? record.value : { ...record.value, readings: checked })
      }
    },
  }
}

function endOf({ start, durationSeconds }: IntervalReading): EpochMs {
  return start + durationSeconds * 1_000
}

/** Why no record could hold the readings, or why they cannot have been measured yet. */
function faultOf(
  readings: readonly IntervalReading[],
  latestEnd: EpochMs,
): (typeof validateSpec.rejects)[number] | undefined {
  for (const reading of readings) {
    const { start, durationSeconds, energyWh } = reading
    if (!Number.isSafeInteger(start) || start < 0) return 'time_invalid'
    if (!Number.isInteger(durationSeconds) || durationSeconds < 1 || durationSeconds > maxDurationSeconds) {
      return 'time_invalid'
    }
    if (!Number.isInteger(energyWh) || Math.abs(energyWh) > maxEnergyWh) return 'value_out_of_range'
    if (endOf(reading) > latestEnd) return 'time_in_future'
  }
  return undefined
}

/** Distance in ms from the nearest start of the grid that its length makes of the local day, from either end of the day. */
function offGrid({ start: dayStart, end: dayEnd }: LocalDay, start: EpochMs, durationMs: number): number {
  const after = (start - dayStart) % durationMs
  if (after === 0) return 0
  const before = (dayEnd - start) % durationMs
  return Math.min(after, durationMs - after, before, durationMs - before)
}

const identity: number[] = []

/** Positions of the readings, oldest first; some meters send the newest first. */
function inTimeOrder(readings: readonly IntervalReading[]): readonly number[] {
  while (identity.length < readings.length) identity.push(identity.length)
  const positions = identity.slice(0, readings.length)
  for (let i = 1; i < readings.length; i += 1) {
    if ((readings[i] as IntervalReading).start < (readings[i - 1] as IntervalReading).start) {
      return positions.sort((a, b) => (readings[a] as IntervalReading).start - (readings[b] as IntervalReading).start)
    }
  }
  return positions
}
