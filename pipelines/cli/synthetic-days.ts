/*
 * Household-days of nobody, for proposals. Constants are of published studies of European homes: yearly use differs by a
 * log-normal factor, peaks in the morning and the evening, appliances of 2 to 3 kW for a quarter or half of an hour, one
 * home in ten that charges a car in the evening. They stand for no customer; a deployment that knows better names a file.
 */
const count = 2_000
const carShare = 0.1

/** Synthetic days of so many windows, whole Wh, the same each time; scaled to a mean use per day, in Wh. */
export function syntheticDays(windows: number, meanWhPerDay: number): readonly (readonly number[])[] {
  const next = uniforms(20_260_101)
  const hours = 24 / windows
  const days = Array.from({ length: count }, () => {
    const size = Math.exp(0.5 * normal(next))
    const [early, late] = [7 + 1.5 * normal(next), 19 + 1.5 * normal(next)]
    const day = Array.from({ length: windows }, (_, at) => {
      const hour = (at + 0.5) * hours
      const shape = 0.5 + peak(hour, early, 1) + 1.8 * peak(hour, late, 2)
      return 250 * size * shape * hours * Math.exp(0.3 * normal(next))
    })
    // Kettle, oven, washing: more of them by day and in large homes.
    const uses = Math.floor(8 * size * next())
    for (let n = 0; n < uses; n++) {
      const hour = next() < 0.5 ? late + 2 * normal(next) : 7 + 15 * next()
      draw(day, hour, 0.25 + 0.5 * next(), 2_000 + 1_000 * next())
    }
    if (next() < carShare) draw(day, 18 + 4 * next(), 1 + 2 * next(), 7_000)
    return day
  })
  const mean = days.reduce((sum, day) => sum + day.reduce((wh, x) => wh + x, 0), 0) / count
  return days.map((day) => day.map((wh) => Math.round((wh * meanWhPerDay) / mean)))
}

const peak = (hour: number, at: number, width: number): number => Math.exp(-(((hour - at) / width) ** 2))

/** Adds a load of so many watts from an hour on; what runs past midnight is of the next day. */
function draw(day: number[], from: number, hours: number, watts: number): void {
  const length = 24 / day.length
  for (let at = Math.max(0, Math.floor(from / length)); at < day.length && at * length < from + hours; at++) {
    const overlap = Math.min(from + hours, (at + 1) * length) - Math.max(from, at * length)
    day[at]! += watts * Math.max(0, overlap)
  }
}

/** Irwin and Hall: twelve uniforms, close enough to normal here. */
function normal(next: () => number): number {
  let sum = -6
  for (let n = 0; n < 12; n++) sum += next()
  return sum
}

/** Seeded, since a proposal must come out the same each time; no noise of a release is drawn from it. */
function uniforms(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
