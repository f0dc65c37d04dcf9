import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { MeterReadings } from '../../operators/contract/meter-readings.ts'
import type { Envelope, Keyed } from '../../operators/contract/operator.ts'
import { hasSeen, nothingSeen, type SeenDay, seenTable, withSeen } from '../../operators/dedupe/seen-day.ts'
import { dedupe } from '../../operators/dedupe.ts'
import { at, type CellStore, emitted, entryOf, readingOf, readingsOf, runBatch } from './harness.ts'

const numRuns = Math.ceil(Number(process.env['MV_CASES'] ?? 10000) / 10)

const zones = ['Europe/London', 'Australia/Lord_Howe', 'America/New_York']
const meters = zones.map((timeZone, index) => entryOf(index, { timeZone }))

/** Starts around two clock changes, mostly on a grid, some off it by seconds. */
const start = fc
  .tuple(
    fc.constantFrom('2026-03-28T20:00Z', '2026-10-24T20:00Z', '2026-04-04T10:00Z'),
    fc.nat(40),
    fc.constantFrom(900, 1_800, 3_600),
    fc.constantFrom(0, 0, 0, 0, 7, 61),
  )
  .map(([from, n, durationSeconds, drift]) => ({
    start: at(from) + (n * durationSeconds + drift) * 1_000,
    durationSeconds,
  }))

const reading = fc
  .tuple(start, fc.constantFrom('import' as const, 'export' as const))
  .map(([{ start: from, durationSeconds }, channel]) => readingOf(from, { channel, durationSeconds }))

const frame = fc
  .tuple(fc.constantFrom(...meters), fc.array(reading, { minLength: 1, maxLength: 4 }))
  .map(([meter, readings]) => readingsOf(meter, readings))

/** Frames with retries among them, cut into batches; a batch may crash before its commit and run again. */
const history = fc.array(frame, { minLength: 1, maxLength: 20 }).chain((frames) =>
  fc.tuple(
    fc.array(fc.constantFrom(...frames), { maxLength: 20 }).map((retries) => [...frames, ...retries]),
    fc.array(fc.record({ size: fc.integer({ min: 1, max: 7 }), crashes: fc.boolean() }), { minLength: 1 }),
  ),
)

const identity = (meter: number, channel: string, from: number): string => `${meter}/${channel}/${from}`

type Step = Keyed<MeterReadings, MeterReadings, SeenDay>

/** Every interval that was sent is emitted once, whatever the order, the cuts and the crashes. */
function checkOnce(
  step: Step,
  frames: readonly Envelope<MeterReadings>[],
  cuts: readonly { size: number; crashes: boolean }[],
) {
  const store: CellStore = new Map()
  const seen: string[] = []
  for (let from = 0, n = 0; from < frames.length; n += 1) {
    const { size, crashes } = cuts[n % cuts.length] as { size: number; crashes: boolean }
    const batch = frames.slice(from, from + size)
    if (crashes) runBatch(step, batch, { store, commit: false })
    for (const { entry, readings } of emitted<MeterReadings>(runBatch(step, batch, { store }))) {
      for (const one of readings) seen.push(identity(entry.index, one.channel, one.start))
    }
    from += size
  }
  const sent = frames.flatMap(({ value: { entry, readings } }) =>
    readings.map((one) => identity(entry.index, one.channel, one.start)),
  )
  assert.deepEqual(seen.toSorted(), [...new Set(sent)].toSorted())
}

describe('dedupe', () => {
  test('emits every interval that was sent, once, in any order, cut and crash', () => {
    fc.assert(
      fc.property(history, ([frames, cuts]) => checkOnce(dedupe(), frames, cuts)),
      { numRuns },
    )
  })

  const planted: readonly { readonly name: string; readonly step: Step }[] = [
    {
      name: 'remembers nothing',
      step: {
        ...dedupe(),
        process: (batch, cells, out, context) =>
          dedupe().process(batch, { get: () => undefined, set: cells.set }, out, context),
      },
    },
    {
      name: 'forgets within the batch',
      step: {
        ...dedupe(),
        process: (batch, cells, out, context) => {
          const before = new Map(
            dedupe()
              .keys(batch)
              .map((key) => [`${key.index}/${key.day}`, cells.get(key)]),
          )
          const get = (key: { index: number; day: number }) => before.get(`${key.index}/${key.day}`)
          dedupe().process(batch, { get, set: cells.set }, out, context)
        },
      },
    },
    {
      name: 'mixes the channels up',
      step: {
        ...dedupe(),
        process: (batch, cells, out, context) => {
          const turned = batch.map((record) => ({
            ...record,
            value: {
              ...record.value,
              readings: record.value.readings.map((one) => ({ ...one, channel: 'import' as const })),
            },
          }))
          dedupe().process(turned, cells, out, context)
        },
      },
    },
  ]
  for (const { name, step } of planted) {
    test(`is caught if it ${name}`, () => {
      assert.throws(() =>
        fc.assert(
          fc.property(history, ([frames, cuts]) => checkOnce(step, frames, cuts)),
          { numRuns: 10_000, seed: 1 },
        ),
      )
    })
  }
})

describe('the set of starts of a day', () => {
  test('holds exactly what was put in, and survives its codec', () => {
    const entry = fc.tuple(
      fc.constantFrom(0 as const, 1 as const),
      fc.nat(90_000),
      fc.integer({ min: 1, max: 7_200 }),
      fc.boolean(),
    )
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 60 }), (entries) => {
        let seen = nothingSeen
        const model = new Set<number>()
        for (const [channel, second, duration, onGrid] of entries) {
          const start = onGrid ? second - (second % duration) : second
          assert.equal(hasSeen(seen, channel, start), model.has(start * 2 + channel))
          if (!model.has(start * 2 + channel)) seen = withSeen(seen, channel, start, duration)
          model.add(start * 2 + channel)
          assert.ok(hasSeen(seen, channel, start))
          const reread = seenTable.codec.decode(seenTable.codec.encode(seen))
          assert.deepEqual(seenTable.codec.encode(reread), seenTable.codec.encode(seen))
          for (const code of model) assert.ok(hasSeen(reread, (code & 1) as 0 | 1, code >> 1))
        }
      }),
      { numRuns: Math.ceil(numRuns / 5) },
    )
  })
})
