import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import { checkReadings, createFleet, type FleetOptions, noFaults, verdictText } from '../../../bench/fleet/index.ts'
import { runModel } from './model-pipeline.ts'
import { joinUnits, openGeneralGlo, readRows } from './reader.ts'

const winterDay = Date.UTC(2026, 0, 13)
const small: FleetOptions = { seed: 11, homes: 60, start: winterDay, homeMix: { solar: 0.3 } }

/** Rates high enough that every kind of fault happens in a small fleet. */
const manyFaults = {
  corrupt: 0.03,
  replayed: 0.02,
  restated: 0.02,
  tooLate: 0.01,
  weakened: 0.01,
  unknown: 0.005,
  wrongKeyMeters: 0.05,
  exchangesPerDay: 0.1,
  clockOff60: 0.1,
  clockOff300: 0.05,
  gatewaysDown: 0.1,
  homesPerGateway: 5,
}

function digestOf(options: FleetOptions): string {
  const hash = createHash('sha256')
  const fleet = createFleet(options)
  hash.update(JSON.stringify(fleet.entries))
  for (const { at, arrivals } of fleet.arrivals()) {
    for (const { receivedAt, partition, seq, frame } of arrivals) {
      hash.update(`${at} ${receivedAt} ${partition} ${seq} ${frame.connection} ${frame.transport}`).update(frame.bytes)
    }
  }
  return hash.digest('hex')
}

test('the same options give the same register and the same bytes at the same times', () => {
  assert.equal(digestOf(small), digestOf({ ...small }))
  assert.notEqual(digestOf(small), digestOf({ ...small, seed: 12 }))
})

test('a second reading of the arrivals starts over, journal included', () => {
  const fleet = createFleet({ ...small, faults: manyFaults })
  const count = () => [...fleet.arrivals()].reduce((sum, { arrivals }) => sum + arrivals.length, 0)
  const first = count()
  assert.equal(fleet.journal.sightings(), first)
  assert.equal(count(), first)
  assert.equal(fleet.journal.sightings(), first)
})

test('arrivals are in order of time, in whole minutes, numbered densely, in the partition of the register', () => {
  const fleet = createFleet({ ...small, faults: manyFaults, partitions: 3 })
  const partitions = new Map(fleet.entries.map(({ connection, partition }) => [connection, partition]))
  let last = 0
  let seq = 0
  for (const { at, arrivals } of fleet.arrivals()) {
    assert.equal(at % 60_000, 0)
    for (const arrival of arrivals) {
      assert.ok(arrival.receivedAt >= last && arrival.receivedAt < at && arrival.receivedAt >= at - 60_000)
      assert.equal(arrival.seq, seq++)
      assert.equal(arrival.partition, partitions.get(arrival.frame.connection) ?? arrival.partition)
      last = arrival.receivedAt
    }
  }
})

for (const [name, start, intervalSeconds, count] of [
  ['a winter day of half hours', winterDay, 1_800, 48],
  ['the short day of spring', Date.UTC(2026, 2, 29), 1_800, 46],
  ['the long day of autumn in quarter hours', Date.UTC(2026, 9, 24, 23), 900, 100],
] as const) {
  test(`without faults every meter sends each interval of ${name} once, and each opens with its own key`, () => {
    const fleet = createFleet({ ...small, start, intervalSeconds, faults: noFaults })
    assert.equal(fleet.slots.count, count)
    const entries = new Map(fleet.entries.map((entry, home) => [entry.connection, { entry, home }]))
    const counters = new Map<string, number>()
    const parts = new Map<string, Uint8Array[]>()
    const seen = new Set<string>()
    for (const { arrivals } of fleet.arrivals()) {
      for (const { frame, receivedAt, seq } of arrivals) {
        const units = parts.get(frame.connection) ?? []
        units.push(frame.bytes)
        parts.set(frame.connection, units)
        if (fleet.journal.sighting(seq).kind === 'part') continue
        parts.delete(frame.connection)
        const { entry, home } = entries.get(frame.connection) ?? assert.fail('unknown connection')
        const opened = openGeneralGlo(joinUnits(frame.transport, units), fleet.keyring, entry.keyRef)
        assert.equal(opened.title, entry.systemTitle)
        assert.ok(opened.counter > (counters.get(entry.systemTitle) ?? 0) || receivedAt > 0)
        counters.set(entry.systemTitle, opened.counter)
        for (const row of readRows(opened.plain)) {
          const slot = (row.endAt - start) / (intervalSeconds * 1_000) - 1
          assert.equal(row.importWh, fleet.journal.valueWh(home, 'import', slot))
          assert.equal(row.exportWh, fleet.journal.valueWh(home, 'export', slot))
          assert.ok(row.endAt <= receivedAt && receivedAt < row.endAt + 510_000)
          seen.add(`${home} ${slot}`)
        }
      }
    }
    assert.equal(seen.size, 60 * count)
  })
}

test('registers rise by the energy of each interval', () => {
  const fleet = createFleet({ ...small, faults: noFaults })
  const totals = new Map<string, Map<number, readonly [number, number]>>()
  const parts = new Map<string, Uint8Array[]>()
  const keyRefs = new Map(fleet.entries.map(({ connection, keyRef }) => [connection, keyRef]))
  for (const { arrivals } of fleet.arrivals()) {
    for (const { frame, seq } of arrivals) {
      const units = [...(parts.get(frame.connection) ?? []), frame.bytes]
      parts.set(frame.connection, units)
      if (fleet.journal.sighting(seq).kind === 'part') continue
      parts.delete(frame.connection)
      const { plain } = openGeneralGlo(
        joinUnits(frame.transport, units),
        fleet.keyring,
        keyRefs.get(frame.connection) ?? '',
      )
      for (const { endAt, importWh, totalWh } of readRows(plain)) {
        const own = totals.get(frame.connection) ?? new Map()
        totals.set(frame.connection, own.set(endAt, [importWh, totalWh]))
      }
    }
  }
  for (const own of totals.values()) {
    for (const [endAt, [importWh, totalWh]] of own) {
      const before = own.get(endAt - 1_800_000)
      if (before !== undefined) assert.equal(totalWh - before[1], importWh)
    }
  }
  assert.equal(totals.size, 60)
})

test('a short push takes 80 to 170 bytes', () => {
  const fleet = createFleet({ ...small, faults: noFaults, meterMix: { hdlcSegmented: 0, blocks: 0 } })
  const sizes = [...fleet.arrivals()].flatMap(({ arrivals }) => arrivals.map(({ frame }) => frame.bytes.length))
  const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length
  assert.ok(mean > 100 && mean < 170, `${mean}`)
})

for (let seed = 1; seed <= 6; seed++) {
  test(`a correct pipeline passes the checker on a fleet with every fault (seed ${seed})`, () => {
    const intervalSeconds = seed % 2 === 0 ? 900 : 1_800
    const days = seed % 3 === 0 ? 2 : 1
    const fleet = createFleet({ ...small, seed, days, intervalSeconds, faults: manyFaults })
    const verdict = checkReadings(fleet.journal, runModel(fleet))
    assert.ok(verdict.ok, verdictText(verdict))
    assert.ok(verdict.required > 0.8 * 60 * fleet.slots.count)
  })
}

test('a fleet with many faults shows every kind of sighting', () => {
  const fleet = createFleet({ ...small, homes: 200, faults: manyFaults })
  for (const tick of fleet.arrivals()) void tick
  const kinds = new Set<string>()
  for (let seq = 0; seq < fleet.journal.sightings(); seq++) kinds.add(fleet.journal.sighting(seq).kind)
  assert.deepEqual([...kinds].sort(), [
    'corrupt',
    'duplicate',
    'late',
    'original',
    'part',
    'replayed',
    'restated',
    'too-late',
    'unknown',
    'weakened',
    'wrong-key',
  ])
})

test('true load adds up over the levels', () => {
  const fleet = createFleet({ ...small, feeders: 6, substations: 3, regions: 2 })
  const span = { start: winterDay + 18 * 3_600_000, end: winterDay + 19 * 3_600_000 }
  const sums = (['utility', 'region', 'substation', 'feeder'] as const).map((level) =>
    fleet.topology.groups(level).reduce((sum, group) => sum + fleet.trueLoad(level, group, span), 0),
  )
  assert.ok((sums[0] as number) > 10_000)
  assert.deepEqual(sums, Array(4).fill(sums[0]))
  assert.throws(() => fleet.trueLoad('region', 'region-9', span), /no such group/)
})

for (const [name, options, message] of [
  ['a rate above one', { faults: { corrupt: 2 } }, /fault rate corrupt/],
  ['lateness above one together', { faults: { lateHours: 0.6, lateDay: 0.6 } }, /more than 1/],
  ['more feeders than homes', { feeders: 100 }, /regions <= substations <= feeders <= homes/],
  ['an interval that does not divide the hour', { intervalSeconds: 1_000 }, /divide the hour/],
  ['a seed that is no whole number', { seed: 0.5 }, /whole number/],
] as const) {
  test(`refuses ${name}`, () => {
    assert.throws(() => createFleet({ ...small, ...options }), message)
  })
}
