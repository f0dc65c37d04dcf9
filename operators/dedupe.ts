import type { IntervalReading } from '../schemas/interval-reading.ts'
import type { MeterReadings } from './contract/meter-readings.ts'
import type { Keyed, Spec } from './contract/operator.ts'
import { type ChannelIndex, hasSeen, nothingSeen, type SeenDay, seenTable, withSeen } from './dedupe/seen-day.ts'
import { dayKeys } from './window/day-keys.ts'
import { localDay } from './window/local-day.ts'

export const dedupeSpec = { name: 'dedupe', drops: ['duplicate', 'too_late'], rejects: [] } as const satisfies Spec

/**
 * Passes each interval on once. An interval is the same if measuring point, channel and start (to the second) are, across
 * meters, frames and lengths; within the batch as well as against everything accepted before.
 *
 * *Delivery*: of a frame with new and old intervals the new ones pass, and the frame counts as accepted. A frame without a
 * new one is dropped: as `too_late` if any of its intervals lies on a local day that ended at or before the floor, where the
 * state may have been swept, else as `duplicate`. What is marked here is committed with the output of the batch, so a crash
 * neither loses nor repeats an interval. *Order*: kept.
 * *State*: bits per (measuring point, local day, channel), 12 bytes for half hours. *Privacy*: keeps the label.
 */
export function dedupe(): Keyed<MeterReadings, MeterReadings, SeenDay> {
  return {
    spec: dedupeSpec,
    state: seenTable,
    keys: dayKeys,
    process: (batch, cells, out, { floor }) => {
      for (const record of batch) {
        const { entry, readings } = record.value
        const fresh: IntervalReading[] = []
        let late = false
        for (const reading of readings) {
          const { day, start, end } = localDay(entry.timeZone, reading.start)
          if (end <= floor) {
            late = true
            continue
          }
          const key = { index: entry.index, day }
          const seen = cells.get(key) ?? nothingSeen
          const channel: ChannelIndex = reading.channel === 'import' ? 0 : 1
          const second = Math.floor((reading.start - start) / 1_000)
          if (hasSeen(seen, channel, second)) continue
          cells.set(key, withSeen(seen, channel, second, reading.durationSeconds))
          fresh.push(reading)
        }
        if (fresh.length === 0) out.drop(record, late ? 'too_late' : 'duplicate')
        else out.emit(record, fresh.length === readings.length ? record.value : { ...record.value, readings: fresh })
      }
    },
  }
}
