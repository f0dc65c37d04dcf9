// docs/data-engineer.md shows what stands between the two marks; test/docs/generated.test.ts compares.
// example: begin
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Keyed, keepPlaced, type LocatedFrame, locate, type Operator, type Register } from 'meterveil'
import { pipeline } from 'meterveil/pipelines'
import { type HouseholdReading, type MeterFrame, type RegisterEntry, type Topic, topics } from 'meterveil/schemas'
import { testDriver } from 'meterveil/testing'

/** Keeps the intervals of energy drawn from the grid. Pure: no clock, no I/O, no counters. */
const importOnly: Operator<HouseholdReading, HouseholdReading> = {
  spec: { name: 'importOnly', drops: [], rejects: [] },
  process: (batch, out) => {
    for (const record of batch) {
      const intervals = record.value.intervals.filter(({ channel }) => channel === 'import')
      out.emit(record, { ...record.value, intervals })
    }
  },
}

const importReadings: Topic<HouseholdReading, 'pseudonymous'> = { ...topics.householdReadings, name: 'import.readings' }

const imports = pipeline('imports', topics.householdReadings, (readings) => {
  readings.through(importOnly).to(importReadings)
})

test('keeps import and drops export', async () => {
  const driver = await testDriver([imports])
  await driver.pipe(topics.householdReadings, [reading('import'), reading('export')])
  const kept = await driver.read(importReadings)
  assert.deepEqual(
    kept.map(({ intervals }) => intervals.length),
    [1, 0],
  )
  await driver.stop()
})

/** Passes the first frame of each meter and UTC day. Its state is one cell per meter and day. */
const firstOfDay: Keyed<LocatedFrame, MeterFrame, boolean> = {
  spec: { name: 'firstOfDay', drops: ['duplicate'], rejects: [] },
  state: { name: 'firstOfDay', aged: 'horizon', codec: { encode: () => Uint8Array.of(1), decode: () => true } },
  keys: (batch) => batch.map(({ value, origin }) => cellOf(value, origin.receivedAt)),
  process: (batch, cells, out) => {
    for (const record of batch) {
      const cell = cellOf(record.value, record.origin.receivedAt)
      if (cells.get(cell)) out.drop(record, 'duplicate')
      else out.emit(record, record.value.frame)
      cells.set(cell, true)
    }
  },
}

const cellOf = ({ entry }: LocatedFrame, at: number) => ({ index: entry.index, day: Math.floor(at / 86_400_000) })

const firstFrames: Topic<MeterFrame, 'identified'> = { ...topics.meterFrames, name: 'first.frames' }

const firsts = (register: Register) =>
  pipeline(
    'firsts',
    topics.meterFrames,
    (frames) => {
      frames.through(locate({ register })).through(keepPlaced()).keyed(firstOfDay).to(firstFrames)
    },
    { rejects: topics.meterRejected, changelog: topics.meterAccepted, covers: firstFrames },
  )

test('passes one frame of a meter and day, also over a restart', async () => {
  const driver = await testDriver([firsts(registerOf('a', 'b'))])
  await driver.pipe(topics.meterFrames, [frame('a'), frame('a'), frame('b')])
  await driver.stop()
  await driver.start()
  await driver.pipe(topics.meterFrames, [frame('b')])
  await driver.advance(86_400_000)
  await driver.pipe(topics.meterFrames, [frame('a'), frame('unknown')])
  const passed = await driver.read(firstFrames)
  assert.deepEqual(
    passed.map(({ connection }) => connection),
    ['a', 'b', 'a'],
  )
  const [dead] = await driver.read(topics.meterRejected)
  assert.equal(dead?.reason, 'meter_unknown')
  await driver.stop()
})
// example: end

function reading(channel: 'import' | 'export'): HouseholdReading {
  return {
    pseudonym: new Uint8Array(16),
    date: '2026-01-12',
    zone: 'north',
    area: '*',
    tariff: '*',
    heating: '*',
    dwelling: '*',
    intervals: [{ channel, start: Date.UTC(2026, 0, 12), durationSeconds: 1_800, energyWh: 250, quality: 0 }],
  }
}

function frame(connection: string): MeterFrame {
  return { connection, listener: 'test', zone: 'north', transport: 'apdu', forwarded: 0, bytes: Uint8Array.of(1) }
}

/** A register of which the operators at hand read the place only. */
function registerOf(...connections: readonly string[]): Register {
  const placeOf = (connection: string) => {
    const index = connections.indexOf(connection)
    return index < 0 ? undefined : ({ partition: 0, index } as RegisterEntry)
  }
  return { byConnection: placeOf, byTitle: () => undefined, groups: () => [] }
}
