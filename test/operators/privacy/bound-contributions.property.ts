import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { BoundedReading, BoundedReadings } from '../../../operators/contract/bounded-readings.ts'
import type { MeterReadings } from '../../../operators/contract/meter-readings.ts'
import type { CellKey, Envelope, Keyed } from '../../../operators/contract/operator.ts'
import { boundContributions, type ClipUse } from '../../../operators/privacy/bound-contributions.ts'
import type { BoundedWh } from '../../../schemas/bounded.ts'
import { levels } from '../../../schemas/register-entry.ts'
import { at, type CellStore, emitted, entryOf, readingOf, readingsOf, runBatch } from '../harness.ts'

const numRuns = Math.ceil(Number(process.env['MV_CASES'] ?? 10000) / 10)
const windowSeconds = 1_800
const clip = { utility: 20_000, region: 15_000, substation: 12_000, feeder: 10_000 }

type Step = Keyed<MeterReadings, BoundedReadings, ClipUse>
const step = (half = false): Step =>
  boundContributions({ clip, windowSeconds, cap: () => ({ whPerHour: Number.POSITIVE_INFINITY, half }) })

const grid = fc.constantFrom(300, 600, 900, 1_800, 1_800)

/** Distinct intervals of one home-day, in any order of arrival, of small and hostile size, on both channels. */
const homeDay = fc
  .tuple(
    fc.constantFrom('2026-01-15T00:00Z', '2026-03-29T00:00Z', '2026-10-24T23:00Z'),
    fc.array(
      fc.record({
        durationSeconds: grid,
        slot: fc.nat(287),
        channel: fc.constantFrom('import' as const, 'export' as const),
        energyWh: fc.oneof(fc.integer({ min: -100, max: 9_000 }), fc.integer({ min: -(2 ** 40), max: 2 ** 40 })),
      }),
      { minLength: 1, maxLength: 60 },
    ),
    fc.constantFrom(13_800, 100_000, 2 ** 40),
    fc.constantFrom(1, 1, 2, 3),
  )
  .map(([from, readings, fuseWhPerHour, pointsAtConnection]) => {
    const meter = entryOf(1, { fuseWhPerHour, pointsAtConnection })
    const receivedAt = at(from) + 26 * 3_600_000
    const seen = new Set<string>()
    return readings.flatMap(({ durationSeconds, slot, channel, energyWh }) => {
      const start = at(from) + ((slot * durationSeconds) % 82_800) * 1_000
      if (seen.has(`${start}${channel}`)) return []
      seen.add(`${start}${channel}`)
      return [readingsOf(meter, [readingOf(start, { durationSeconds, channel, energyWh })], { receivedAt })]
    })
  })

/** The vector of window sums of a home-day has a norm of at most S at each level, and nothing is added to what came in. */
function checkBound(bound: Step, frames: readonly Envelope<MeterReadings>[]): void {
  const store: CellStore = new Map()
  const readings = frames.flatMap((frame) =>
    emitted<BoundedReadings>(runBatch(bound, [frame], { store })).flatMap((value) => value.readings),
  )
  const points = BigInt(frames[0]?.value.entry.pointsAtConnection ?? 1)
  for (const level of levels) {
    const windows = new Map<string, bigint>()
    for (const reading of readings) {
      const { channel, window, exactWh, bounded } = reading
      assert.ok(Number.isInteger(bounded[level]) && bounded[level] >= 0 && bounded[level] <= Math.max(0, exactWh))
      const key = `${window}${channel}`
      windows.set(key, (windows.get(key) ?? 0n) + BigInt(bounded[level]))
    }
    const norm2 = [...windows.values()].reduce((sum, wh) => sum + wh * wh, 0n)
    assert.ok(norm2 * points * points <= BigInt(clip[level]) ** 2n, `${level}: the norm exceeds S`)
  }
}

/** The operator with each bounded reading changed afterwards. */
const altered = (inner: Step, change: (reading: BoundedReading) => BoundedReading): Step => ({
  ...inner,
  process: (batch, cells, out, context) =>
    inner.process(
      batch,
      cells,
      { ...out, emit: (from, value) => out.emit(from, { ...value, readings: value.readings.map(change) }) },
      context,
    ),
})

describe('boundContributions', () => {
  test('keeps every home-day within S at every level, in any order of arrival', () => {
    fc.assert(
      fc.property(homeDay, (frames) => checkBound(step(), frames)),
      { numRuns },
    )
  })

  test('does so where an interval takes at most half of what is left', () => {
    fc.assert(
      fc.property(homeDay, (frames) => checkBound(step(true), frames)),
      { numRuns },
    )
  })

  test('does so where the rule changes within a day', () => {
    const [whole, half] = [step(), step(true)]
    fc.assert(
      fc.property(homeDay, fc.infiniteStream(fc.boolean()), (frames, rules) => {
        const process: Step['process'] = (...batch) => (rules.next().value ? half : whole).process(...batch)
        checkBound({ ...whole, process }, frames)
      }),
      { numRuns },
    )
  })

  const inner = step()
  const planted: readonly { readonly name: string; readonly bound: Step }[] = [
    {
      name: 'clips nothing',
      bound: altered(inner, (reading) => {
        const all = Math.max(0, reading.exactWh) as BoundedWh
        return { ...reading, bounded: { utility: all, region: all, substation: all, feeder: all } }
      }),
    },
    {
      name: 'forgets q between frames',
      bound: {
        ...inner,
        process: (batch, cells, out, context) =>
          inner.process(batch, { get: () => undefined, set: cells.set }, out, context),
      },
    },
    {
      name: 'counts of half of what is left only what the narrowest level took',
      bound: {
        ...inner,
        process: (batch, cells, out, context) => {
          let before = 0
          const taken = (readings: readonly BoundedReading[]): number =>
            readings.reduce(
              (sum, { durationSeconds, bounded }) => sum + (windowSeconds / durationSeconds) * bounded.feeder ** 2,
              0,
            )
          const used: { key?: CellKey; cell?: ClipUse } = {}
          const held = {
            get: (key: CellKey) => {
              before = cells.get(key)?.q ?? 0
              return cells.get(key)
            },
            set: (key: CellKey, cell: ClipUse) => void Object.assign(used, { key, cell }),
          }
          const emit: typeof out.emit = (from, value) => {
            if (used.key && used.cell) cells.set(used.key, { ...used.cell, q: before + taken(value.readings) })
            out.emit(from, value)
          }
          step(true).process(batch, held, { ...out, emit }, context)
        },
      },
    },
    {
      name: 'starts q anew for export',
      bound: {
        ...inner,
        process: (batch, cells, out, context) =>
          inner.process(
            batch,
            {
              get: (key) => (batch[0]?.value.readings[0]?.channel === 'export' ? undefined : cells.get(key)),
              set: cells.set,
            },
            out,
            context,
          ),
      },
    },
    {
      name: 'adds quarter hours up as if they were windows',
      bound: altered(boundContributions({ clip, windowSeconds: 900 }), (reading) => ({
        ...reading,
        window: Math.floor(reading.window / 1_800_000) * 1_800_000,
      })),
    },
    {
      name: 'gives each point at a connection all of S',
      bound: {
        ...inner,
        process: (batch, cells, out, context) => {
          const alone = batch.map((record) => ({
            ...record,
            value: { ...record.value, entry: { ...record.value.entry, pointsAtConnection: 1 } },
          }))
          inner.process(alone, cells, out, context)
        },
      },
    },
    {
      name: 'lets a negative value make room',
      bound: altered(inner, (reading) => ({
        ...reading,
        bounded: { ...reading.bounded, utility: Math.min(reading.exactWh, 0) as BoundedWh },
      })),
    },
  ]
  for (const { name, bound } of planted) {
    test(`is caught if it ${name}`, () => {
      assert.throws(() =>
        fc.assert(
          fc.property(homeDay, (frames) => checkBound(bound, frames)),
          // One seed, since whether a bug is found must not depend on luck; it stops at the first case that finds it.
          { numRuns: 20_000, seed: 1 },
        ),
      )
    })
  }
})
