import type { MeterReadings } from '../contract/meter-readings.ts'
import type { Batch, CellKey } from '../contract/operator.ts'
import { localDay } from './local-day.ts'

/** The cells of a table that is kept per measuring point and local day: one for each day that a frame's readings touch. */
export function dayKeys(batch: Batch<MeterReadings>): CellKey[] {
  const keys: CellKey[] = []
  for (const { value } of batch) {
    let last = Number.NaN
    for (const { start } of value.readings) {
      const { day } = localDay(value.entry.timeZone, start)
      if (day !== last) keys.push({ index: value.entry.index, day })
      last = day
    }
  }
  return keys
}
