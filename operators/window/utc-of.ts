import { Temporal } from 'temporal-polyfill'
import type { EpochMs } from '../../schemas/codec.ts'

const hourMs = 3_600_000
const maxHours = 4_096
const zones = new Map<string, Map<number, number | undefined>>()

/**
 * The instant at which clocks of an IANA time zone show a local time, given as ms since 1970-01-01T00:00 local. Undefined
 * for an hour that clocks skip or show twice: which of the two is meant cannot be known. Cached by the hour.
 * Throws `RangeError` for an unknown zone.
 */
export function utcOf(timeZone: string, localMs: number): EpochMs | undefined {
  const hours = zones.get(timeZone) ?? new Map<number, number | undefined>()
  zones.set(timeZone, hours)
  const hour = Math.floor(localMs / hourMs)
  if (!hours.has(hour)) {
    if (hours.size >= maxHours) hours.clear()
    hours.set(hour, offsetIn(timeZone, hour * hourMs))
  }
  const offset = hours.get(hour)
  return offset === undefined ? undefined : localMs - offset
}

/** UTC offset in ms through a whole local hour; undefined where it changes, or the hour exists not once. */
function offsetIn(timeZone: string, localMs: number): number | undefined {
  const offsets = [localMs, localMs + hourMs - 1].map((local) => {
    const plain = new Temporal.PlainDateTime(1970, 1, 1).add({ milliseconds: local })
    const [early, late] = (['earlier', 'later'] as const).map(
      (disambiguation) => plain.toZonedDateTime(timeZone, { disambiguation }).epochMilliseconds,
    )
    return early === late ? local - (early as number) : undefined
  })
  return offsets[0] === offsets[1] ? offsets[0] : undefined
}
