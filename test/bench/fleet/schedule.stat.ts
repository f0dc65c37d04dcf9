import assert from 'node:assert/strict'
import test from 'node:test'
import { createFleet, defaultFaults, type FaultRates, type Fleet } from '../../../bench/fleet/index.ts'

const homes = 3_000
const days = 3
const start = Date.UTC(2026, 0, 13)

function arrivedFleet(faults: Partial<FaultRates>, seed = 31): Fleet {
  const meterMix = { hdlcSegmented: 0, blocks: 0 }
  const fleet = createFleet({ seed, homes, days, start, faults, meterMix })
  for (const tick of fleet.arrivals()) void tick
  return fleet
}

/** Delay of the first intact arrival of each interval after its end, in seconds; infinite if it never came. */
function delays({ journal }: Fleet): Float64Array {
  const first = new Float64Array(homes * journal.slots).fill(Number.POSITIVE_INFINITY)
  for (let seq = 0; seq < journal.sightings(); seq++) {
    const { kind, home, firstSlot, slots, receivedAt } = journal.sighting(seq)
    if (kind !== 'original' && kind !== 'late') continue
    for (let slot = firstSlot; slot < firstSlot + slots; slot++) {
      const seconds = (receivedAt - journal.start - (slot + 1) * journal.intervalMs) / 1_000
      const at = home * journal.slots + slot
      first[at] = Math.min(first[at] as number, seconds)
    }
  }
  return first
}

const share = (values: Float64Array, low: number, high: number): number =>
  values.reduce((n, value) => n + (value > low && value <= high ? 1 : 0), 0) / values.length

// 432,000 intervals. Episodes make them clustered: about 27,600 single ones, 1,560 runs of 5 and 216 runs of 16, so the
// standard errors are 0.04, 0.05 and 0.05 points; bounds are six of them and more: a false alarm below 1e-8, and the
// seeds are fixed
test('lateness keeps its shares: on time, within 4 hours, a day, five days, never', () => {
  const quiet = { gatewaysDown: 0, corrupt: 0, wrongKeyMeters: 0, exchangesPerDay: 0, clockOff60: 0, clockOff300: 0 }
  const values = delays(arrivedFleet(quiet))
  const near = (got: number, wanted: number, within: number, what: string) =>
    assert.ok(Math.abs(got - wanted) < within, `${what}: ${got} instead of ${wanted}`)
  const { lateHours, lateDay, lateDays, never } = defaultFaults
  near(share(values, 0, 600), 1 - lateHours - lateDay - lateDays - never + lateHours * 0.02, 0.006, 'on time')
  near(share(values, 600, 4 * 3_600), lateHours * 0.98, 0.004, '4 hours')
  near(share(values, 4 * 3_600, 24 * 3_600), lateDay, 0.006, 'a day')
  near(share(values, 24 * 3_600, 120 * 3_600), lateDays, 0.004, 'five days')
  near(share(values, 120 * 3_600, Number.POSITIVE_INFINITY), never, 0.001, 'never')
})

test('with outages too, nine intervals of ten come within ten minutes and one or two of a thousand never', () => {
  const values = delays(arrivedFleet({}))
  const onTime = share(values, -2_000, 600)
  const never = share(values, 120 * 3_600, Number.POSITIVE_INFINITY)
  assert.ok(onTime > 0.88 && onTime < 0.92, `${onTime}`)
  assert.ok(never > 0.001 && never < 0.006, `${never}`)
})

test('faults of single messages keep their rates', () => {
  const { journal } = arrivedFleet({ gatewaysDown: 0, wrongKeyMeters: 0, exchangesPerDay: 0 })
  const count: Record<string, number> = {}
  for (let seq = 0; seq < journal.sightings(); seq++) {
    const { kind } = journal.sighting(seq)
    count[kind] = (count[kind] ?? 0) + 1
  }
  const messages = (count['original'] ?? 0) + (count['late'] ?? 0)
  // Poisson counts: six standard deviations around the mean, a false alarm below 1e-8 each
  for (const [kind, rate] of [
    ['duplicate', defaultFaults.duplicates * (1 + defaultFaults.duplicates)],
    ['corrupt', defaultFaults.corrupt],
    ['replayed', defaultFaults.replayed],
    ['restated', defaultFaults.restated],
    ['too-late', defaultFaults.tooLate],
    ['weakened', defaultFaults.weakened],
  ] as const) {
    const wanted = rate * messages
    const got = count[kind] ?? 0
    assert.ok(Math.abs(got - wanted) < 6 * Math.sqrt(wanted) + 1, `${kind}: ${got} instead of ${wanted}`)
  }
  assert.equal(count['unknown'], Math.round(defaultFaults.unknown * homes * journal.slots))
})

test('an outage delays neighbours together', () => {
  const fleet = arrivedFleet({
    gatewaysDown: 0.05,
    homesPerGateway: 100,
    lateHours: 0,
    lateDay: 0,
    lateDays: 0,
    never: 0,
  })
  const values = delays(fleet)
  const { slots } = fleet.journal
  const late = (home: number, slot: number) => ((values[home * slots + slot] as number) > 900 ? 1 : 0)
  let neighbours = 0
  let strangers = 0
  let all = 0
  for (let home = 0; home < homes - 1; home += 2) {
    for (let slot = 0; slot < slots; slot++) {
      all += late(home, slot)
      neighbours += late(home, slot) * late(home + 1, slot)
      strangers += late(home, slot) * late((home + 1_500) % homes, slot)
    }
  }
  assert.ok(all > 1_000)
  assert.ok(neighbours > 0.8 * all, `${neighbours} of ${all}`)
  assert.ok(strangers < 0.3 * all, `${strangers} of ${all}`)
})

test('clocks that are off are as rare as set', () => {
  const fleet = arrivedFleet({
    clockOff60: 0.2,
    clockOff300: 0.1,
    gatewaysDown: 0,
    lateHours: 0,
    lateDay: 0,
    lateDays: 0,
  })
  const values = delays(fleet)
  const { slots } = fleet.journal
  let off = 0
  for (let home = 0; home < homes; home++) {
    let sum = 0
    let n = 0
    for (let slot = 0; slot < slots; slot++) {
      const value = values[home * slots + slot] as number
      if (value > 700 + 1_200) continue
      sum += value
      n++
    }
    // 144 delays uniform over 300 s: the mean of a right clock lies within 45 s of 152 but for a chance below 1e-9
    if (Math.abs(sum / n - 152) > 55) off++
  }
  // 900 of 3,000 with a standard deviation of 25
  assert.ok(Math.abs(off - 900) < 160, `${off}`)
})
