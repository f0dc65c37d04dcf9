import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { MeterReadings } from '../../operators/contract/meter-readings.ts'
import type { Envelope } from '../../operators/contract/operator.ts'
import { hasSeen, nothingSeen, seenTable, withSeen } from '../../operators/dedupe/seen-day.ts'
import { dedupe } from '../../operators/dedupe.ts'
import type { IntervalReading } from '../../schemas/interval-reading.ts'
import {
  at,
  type CellStore,
  contextOf,
  emitted,
  entryOf,
  halfHour,
  hour,
  readingOf,
  readingsOf,
  runBatch,
  summary,
} from './harness.ts'

const meter = entryOf(1)
const noon = at('2026-01-15T12:00Z')
const slot = (n: number, change: Partial<IntervalReading> = {}): IntervalReading =>
  readingOf(noon + n * halfHour * 1_000, change)
const frame = (...readings: readonly IntervalReading[]): Envelope<MeterReadings> => readingsOf(meter, readings)

/** Sends batches, and answers the outcome of every frame, with how many readings passed. */
function pass(batches: readonly (readonly Envelope<MeterReadings>[])[], floor = 0): readonly (number | string)[] {
  const store: CellStore = new Map()
  return batches.flatMap((batch) =>
    runBatch(dedupe(), batch, { store, context: contextOf({ floor }) }).map((outcome) =>
      outcome.kind === 'emit' ? (outcome.value as MeterReadings).readings.length : outcome.reason,
    ),
  )
}

describe('dedupe', () => {
  const autumn = at('2026-10-24T23:00Z')
  const cases: readonly {
    readonly name: string
    readonly batches: readonly (readonly Envelope<MeterReadings>[])[]
    readonly expected: readonly (number | string)[]
  }[] = [
    { name: 'passes new intervals', batches: [[frame(slot(0)), frame(slot(1))]], expected: [1, 1] },
    {
      name: 'drops an interval seen in an earlier batch',
      batches: [[frame(slot(0))], [frame(slot(0))]],
      expected: [1, 'duplicate'],
    },
    {
      name: 'drops an interval seen in the same batch',
      batches: [[frame(slot(0)), frame(slot(0))]],
      expected: [1, 'duplicate'],
    },
    {
      name: 'passes the new intervals of a frame that repeats others',
      batches: [[frame(slot(0))], [frame(slot(0), slot(1), slot(2))]],
      expected: [1, 2],
    },
    { name: 'passes an interval that one frame names twice once', batches: [[frame(slot(0), slot(0))]], expected: [1] },
    {
      name: 'keeps the channels apart',
      batches: [[frame(slot(0)), frame(slot(0, { channel: 'export' }))]],
      expected: [1, 1],
    },
    {
      name: 'keeps measuring points apart',
      batches: [[frame(slot(0)), readingsOf(entryOf(2), [slot(0)])]],
      expected: [1, 1],
    },
    {
      name: 'knows an interval again from another meter of the point',
      batches: [[frame(slot(0))], [readingsOf(entryOf(1, { systemTitle: 'ff' }), [slot(0)])]],
      expected: [1, 'duplicate'],
    },
    {
      name: 'knows an interval again whatever its value: no second counting',
      batches: [[frame(slot(0))], [frame(slot(0, { energyWh: 7 }))]],
      expected: [1, 'duplicate'],
    },
    {
      name: 'keeps both hours that a clock shows twice in autumn',
      batches: [[frame(readingOf(autumn + 1 * hour)), frame(readingOf(autumn + 2 * hour))]],
      expected: [1, 1],
    },
    {
      name: 'keeps days apart',
      batches: [
        [frame(slot(0)), frame(slot(48))],
        [frame(slot(0)), frame(slot(48))],
      ],
      expected: [1, 1, 'duplicate', 'duplicate'],
    },
    {
      name: 'knows a start again at another length',
      batches: [
        [frame(slot(0))],
        [frame(slot(0, { durationSeconds: 900 }))],
        [frame(slot(0, { durationSeconds: 3_600 }))],
      ],
      expected: [1, 'duplicate', 'duplicate'],
    },
    {
      name: 'keeps the second quarter hour of a half hour apart',
      batches: [
        [frame(slot(0))],
        [frame(readingOf(noon + 900_000, { durationSeconds: 900 }))],
        [frame(readingOf(noon + 900_000, { durationSeconds: 900 }))],
      ],
      expected: [1, 1, 'duplicate'],
    },
    {
      name: 'knows starts off the grid to the second',
      batches: [[frame(readingOf(noon + 7_000)), frame(readingOf(noon + 8_000)), frame(readingOf(noon + 7_000))]],
      expected: [1, 1, 'duplicate'],
    },
  ]
  for (const { name, batches, expected } of cases) test(name, () => assert.deepEqual(pass(batches), expected))

  const late = [
    { name: 'takes a local day that is still running at the floor', floor: '2026-01-15T23:59:59Z', expected: [1] },
    { name: 'drops a local day that ended at the floor', floor: '2026-01-16T00:00Z', expected: ['too_late'] },
    { name: 'drops a local day that ended long before it', floor: '2026-02-01T00:00Z', expected: ['too_late'] },
  ]
  for (const { name, floor, expected } of late) {
    test(name, () => assert.deepEqual(pass([[frame(slot(0))]], at(floor)), expected))
  }

  test('decides lateness by the local day of the site, not by UTC', () => {
    const newYork = readingsOf(entryOf(1, { timeZone: 'America/New_York' }), [slot(0)])
    assert.deepEqual(pass([[newYork]], at('2026-01-16T04:59Z')), [1])
    assert.deepEqual(pass([[newYork]], at('2026-01-16T05:00Z')), ['too_late'])
  })

  test('passes the timely intervals of a frame that also holds late ones', () => {
    assert.deepEqual(pass([[frame(slot(-48), slot(0))]], at('2026-01-15T06:00Z')), [1])
  })

  test('forgets what a batch that never committed had marked', () => {
    const store: CellStore = new Map()
    runBatch(dedupe(), [frame(slot(0))], { store, commit: false })
    assert.deepEqual(summary(runBatch(dedupe(), [frame(slot(0))], { store })), ['emit'])
  })

  test('passes the record of an all-new frame as it is', () => {
    const record = frame(slot(0), slot(1))
    assert.equal(emitted(runBatch(dedupe(), [record]))[0], record.value)
  })
})

describe('the cell of a day', () => {
  const day = (starts: readonly (readonly [second: number, duration: number])[]) =>
    starts.reduce((seen, [second, duration]) => withSeen(seen, 0, second, duration), nothingSeen)

  const sizes = [
    {
      name: 'the half hours of a day',
      starts: Array.from({ length: 48 }, (_, n) => [n * 1_800, 1_800] as const),
      bytes: 12,
    },
    {
      name: 'the quarter hours of a long day',
      starts: Array.from({ length: 100 }, (_, n) => [n * 900, 900] as const),
      bytes: 19,
    },
    { name: 'the hours of a day', starts: Array.from({ length: 24 }, (_, n) => [n * 3_600, 3_600] as const), bytes: 9 },
    {
      name: 'half hours and one stamp seven seconds off',
      starts: [
        [0, 1_800],
        [1_807, 1_800],
      ] as const,
      bytes: 9,
    },
  ]
  for (const { name, starts, bytes } of sizes) {
    test(`holds ${name} in ${bytes} bytes`, () => {
      assert.equal(seenTable.codec.encode(day(starts)).length, bytes)
    })
  }

  test('stays exact and bounded however many starts are off the grid', () => {
    const starts = Array.from({ length: 2_000 }, (_, n) => [(n * 37 + 1) % 86_400, 1_800] as const)
    const seen = seenTable.codec.decode(seenTable.codec.encode(day(starts)))
    const known = new Set(starts.map(([second]) => second))
    for (let second = 0; second < 86_400; second += 1) assert.equal(hasSeen(seen, 0, second), known.has(second))
    assert.ok(seenTable.codec.encode(seen).length < 11_000)
  })

  test('refuses bytes of another version, cut, or followed by others', () => {
    const bytes = seenTable.codec.encode(
      day([
        [0, 1_800],
        [1_807, 1_800],
      ]),
    )
    assert.throws(() => seenTable.codec.decode(Buffer.from([2, ...bytes.subarray(1)])), { name: 'CodecError' })
    assert.throws(() => seenTable.codec.decode(Buffer.concat([bytes, Buffer.alloc(1)])), { name: 'CodecError' })
    for (let length = 0; length < bytes.length; length += 1) {
      assert.throws(() => seenTable.codec.decode(bytes.subarray(0, length)), { name: 'CodecError' })
    }
  })
})
