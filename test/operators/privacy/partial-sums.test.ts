import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { BoundedReading, BoundedReadings } from '../../../operators/contract/bounded-readings.ts'
import type { BatchContext, Envelope } from '../../../operators/contract/operator.ts'
import { type PartialSumsOptions, partialSums } from '../../../operators/privacy/partial-sums.ts'
import { addCell, emptySum } from '../../../operators/privacy/release/sums.ts'
import type { BoundedWh } from '../../../schemas/bounded.ts'
import {
  capRuleOn,
  clipOn,
  type LoadPartial,
  loadPartialCodec,
  type PartialCell,
} from '../../../schemas/load-partial.ts'
import { type Level, levels } from '../../../schemas/register-entry.ts'
import { at, contextOf, runBatch, whole } from '../harness.ts'

const noon = at('2026-01-15T12:00Z')
const end = noon + 1_800_000
const grace = 1_200_000

const bounded = (exactWh: number, change: Partial<BoundedReading> = {}): BoundedReading => {
  const wh = Math.min(exactWh, 500) as BoundedWh
  return {
    channel: 'import',
    start: noon,
    durationSeconds: 1_800,
    window: noon,
    windowSeconds: 1_800,
    date: '2026-01-15',
    day: 20_468,
    exactWh,
    bounded: { utility: wh, region: wh, substation: wh, feeder: Math.min(exactWh, 100) as BoundedWh },
    ...change,
  }
}

const record = (
  feeder: string,
  readings: readonly BoundedReading[],
  receivedAt = end + 5_000,
  pointsAtConnection = 1,
): Envelope<BoundedReadings> => ({
  value: { groups: { utility: 'U', region: 'R', substation: 'S', feeder }, pointsAtConnection, readings },
  origin: { ...whole.origin, receivedAt },
})

const today = Date.parse('2026-01-15') / 86_400_000
const context = contextOf({ partition: 3, seq: 17, progress: end + 9_000, keptFrom: today - 1 })

function partialOf(
  batch: readonly Envelope<BoundedReadings>[],
  options: PartialSumsOptions = {},
  of: Partial<BatchContext> = {},
): LoadPartial {
  const outcomes = runBatch(partialSums(options), batch, { context: { ...context, ...of } })
  assert.equal(outcomes.length, 1)
  const [only] = outcomes
  assert.ok(only?.kind === 'emit' && only.from === context.whole)
  return only.value as LoadPartial
}

const cellsOf = (partial: LoadPartial, level: Level): readonly PartialCell[] =>
  partial.cells.filter((cell) => cell.level === level)

describe('partialSums', () => {
  test('adds up by level and group', () => {
    const partial = partialOf([record('F1', [bounded(300)]), record('F2', [bounded(700)]), record('F1', [bounded(50)])])
    const place = { channel: 'import', phase: 'preliminary', window: noon, windowSeconds: 1_800, date: '2026-01-15' }
    assert.deepEqual(cellsOf(partial, 'utility'), [
      {
        level: 'utility',
        group: 'U',
        ...place,
        boundedWh: 850,
        exactWh: 1_050,
        count: 3,
        shared: 0,
        largestWh: 700,
        secondWh: 300,
        thirdWh: 50,
      },
    ])
    assert.deepEqual(cellsOf(partial, 'feeder'), [
      {
        level: 'feeder',
        group: 'F1',
        ...place,
        boundedWh: 150,
        exactWh: 350,
        count: 2,
        shared: 0,
        largestWh: 300,
        secondWh: 50,
        thirdWh: 0,
      },
      {
        level: 'feeder',
        group: 'F2',
        ...place,
        boundedWh: 100,
        exactWh: 700,
        count: 1,
        shared: 0,
        largestWh: 700,
        secondWh: 0,
        thirdWh: 0,
      },
    ])
  })

  test('counts several points of a home as no more than one, and the home by what its largest point may stand for', () => {
    const single = record('F1', [bounded(300)])
    const pair = [200, 100].map((wh) => record('F1', [bounded(wh)], undefined, 2))
    const three = record('F1', [bounded(50)], undefined, 3)
    const [cell] = cellsOf(partialOf([single, ...pair, three]), 'feeder')
    const { count, shared, largestWh, secondWh, thirdWh } = cell!
    assert.deepEqual([count, shared], [4, 1.75])
    assert.deepEqual([largestWh, secondWh, thirdWh], [400, 300, 200])
  })

  test('adds up by level also where points of one feeder lie in other groups above', () => {
    const moved = record('F', [bounded(40)])
    const elsewhere = (change: Partial<Record<Level, string>>) => ({
      ...moved,
      value: { ...moved.value, groups: { ...moved.value.groups, ...change } },
    })
    for (const level of ['utility', 'region', 'substation'] as const) {
      const batch = [record('F', [bounded(1)]), elsewhere({ [level]: 'other' }), record('F', [bounded(2)])]
      const sums = new Map(partialOf(batch).cells.map((cell) => [`${cell.level} ${cell.group}`, cell.exactWh]))
      assert.deepEqual([sums.get(`${level} other`), sums.get(`${level} ${moved.value.groups[level]}`)], [40, 3])
      assert.equal(sums.get('feeder F'), 43)
    }
  })

  test('carries the batch and its progress, also when nothing came', () => {
    assert.deepEqual(partialOf([]), { sourcePartition: 3, seq: 17, progress: end + 9_000, cells: [] })
  })

  const phases = [
    { name: 'before the end of grace is preliminary', receivedAt: end + grace - 1, expected: 'preliminary' },
    { name: 'at the end of grace is late', receivedAt: end + grace, expected: 'late' },
    { name: 'before its window ended is preliminary', receivedAt: end - 1_000, expected: 'preliminary' },
  ]
  for (const { name, receivedAt, expected } of phases) {
    test(`a value received ${name}`, () => {
      const [cell] = partialOf([record('F1', [bounded(1)], receivedAt)]).cells
      assert.equal(cell?.phase, expected)
    })
  }

  test('takes the grace it is given', () => {
    const [cell] = partialOf([record('F1', [bounded(1)], end + 1_000)], { graceSeconds: 1 }).cells
    assert.equal(cell?.phase, 'late')
  })

  test('keeps channels, windows, phases and days apart', () => {
    const readings = [
      bounded(1),
      bounded(2, { channel: 'export' }),
      bounded(3, { start: end, window: end }),
      bounded(4, { date: '2026-01-16', day: 20_469 }),
    ]
    const partial = partialOf([record('F1', readings), record('F1', [bounded(5)], end + grace)])
    assert.deepEqual(
      cellsOf(partial, 'utility').map(({ exactWh }) => exactWh),
      [1, 2, 3, 4, 5],
    )
  })

  test('counts a measuring point once though its window has two parts', () => {
    const parts = [0, 900_000].map((after) => bounded(10, { start: noon + after, durationSeconds: 900 }))
    const [cell] = cellsOf(partialOf([record('F1', parts)]), 'region')
    assert.deepEqual([cell?.count, cell?.exactWh], [1, 20])
  })

  test('judges a measuring point by all of its window, though that comes in parts', () => {
    const part = (after: number, wh: number) => bounded(wh, { start: noon + after * 60_000, durationSeconds: 900 })
    const largest = (batch: readonly Envelope<BoundedReadings>[]): readonly number[] => {
      const [cell] = cellsOf(partialOf(batch), 'feeder')
      return [cell!.largestWh, cell!.secondWh, cell!.thirdWh]
    }
    // One frame holds the whole window: 500 Wh of one home beside 450 Wh of another, neither of which is its largest reading.
    assert.deepEqual(
      largest([record('F1', [part(0, 300), part(15, 200)]), record('F1', [part(0, 450)])]),
      [900, 500, 0],
    )
    // Half of a window may have as much again to come, or before it.
    assert.deepEqual(largest([record('F1', [part(15, 200)])]), [400, 0, 0])
    // The same home twice counts as two: never too little.
    assert.deepEqual(largest([record('F1', [part(0, 300)]), record('F1', [part(15, 200)])]), [600, 400, 0])
    assert.deepEqual(largest([9, 7, 8, 6].map((wh) => record('F1', [bounded(wh)]))), [9, 8, 7])
    assert.deepEqual(largest([-6, 7, -9, 8].map((wh) => record('F1', [bounded(wh)]))), [9, 8, 7])
  })

  test('never makes the largest measuring points too small, however their windows are cut', () => {
    const home = fc.record({
      parts: fc.array(fc.record({ wh: fc.integer({ min: -900, max: 900 }), frame: fc.nat(3) }), {
        minLength: 1,
        maxLength: 4,
      }),
    })
    fc.assert(
      fc.property(fc.array(home, { maxLength: 8 }), fc.nat(40), (homes, cut) => {
        const frames = homes.flatMap(({ parts }) =>
          [0, 1, 2, 3].flatMap((frame) => {
            const mine = parts.flatMap((part, at) =>
              part.frame === frame ? [bounded(part.wh, { start: noon + at * 450_000, durationSeconds: 450 })] : [],
            )
            return mine.length > 0 ? [record('F1', mine)] : []
          }),
        )
        const partials = [partialOf(frames.slice(0, cut)), partialOf(frames.slice(cut))]
        const cells = partials.flatMap((partial) => cellsOf(partial, 'feeder'))
        const sum = cells.reduce(addCell, emptySum)
        const said = [sum.largestWh, sum.secondWh, sum.thirdWh]
        const truth = homes
          .map(({ parts }) => Math.abs(parts.reduce((wh, part) => wh + part.wh, 0)))
          .sort((a, b) => b - a)
        const first = (values: readonly number[], n: number) => values.slice(0, n).reduce((x, y) => x + y, 0)
        for (const n of [1, 2, 3]) assert.ok(first(said, n) >= first(truth, n), `the first ${n}`)
        const isWhole = homes.every(({ parts }) => parts.length === 4 && parts.every(({ frame }) => frame === 0))
        if (isWhole) assert.deepEqual(said, [...truth, 0, 0, 0].slice(0, 3))
      }),
      { numRuns: Math.ceil(Number(process.env['MV_CASES'] ?? 5000) / 5) },
    )
  })

  const wide = { utility: 9, region: 8, substation: 7, feeder: 6 }
  const other = { utility: 7, region: 9, substation: 7, feeder: 5 }
  const on = (date: string) => {
    const window = noon + Date.parse(date) - Date.parse('2026-01-15')
    return record('F1', [bounded(1, { date, day: Date.parse(date) / 86_400_000, start: window, window })])
  }
  const days = (dates: readonly string[], from: string) =>
    dates.map((date) => ({ date, clipWh: date < from ? wide : other }))
  const near = ['2026-01-13', '2026-01-14', '2026-01-15', '2026-01-16']
  const widest = { utility: 9, region: 9, substation: 7, feeder: 6 }
  const stated: readonly {
    readonly name: string
    readonly batch: readonly Envelope<BoundedReadings>[]
    /** First date with the other bounds. */
    readonly from?: string
    readonly expected: Pick<LoadPartial, 'clipWh' | 'clipWhByDate'>
    readonly of?: Partial<BatchContext>
  }[] = [
    {
      name: 'once where all days near are the same',
      batch: [on('2026-01-15'), on('2026-01-14')],
      from: '2026-01-17',
      expected: { clipWh: wide },
    },
    {
      name: 'of each day near where they differ, and the widest of all of them',
      batch: [on('2026-01-16'), on('2026-01-15'), on('2026-01-16')],
      expected: { clipWh: widest, clipWhByDate: days(near, '2026-01-16') },
    },
    {
      name: 'whether there is a value of a day or not',
      batch: [],
      expected: { clipWh: widest, clipWhByDate: days(near, '2026-01-16') },
    },
    {
      name: 'also of a day far off',
      batch: [on('2026-01-10')],
      expected: { clipWh: widest, clipWhByDate: days(['2026-01-10', ...near], '2026-01-16') },
    },
    {
      name: 'of every day since the batch before, with a value of one of them',
      batch: [on('2026-01-11')],
      expected: { clipWh: widest, clipWhByDate: days(['2026-01-11', '2026-01-12', ...near], '2026-01-16') },
      of: { keptFrom: today - 4 },
    },
    {
      name: 'of every day since the batch before, without any value',
      batch: [],
      expected: { clipWh: widest, clipWhByDate: days(['2026-01-11', '2026-01-12', ...near], '2026-01-16') },
      of: { keptFrom: today - 4 },
    },
    {
      name: 'of every day that is not too late where no batch came before',
      batch: [],
      expected: { clipWh: widest, clipWhByDate: days(['2026-01-12', ...near], '2026-01-16') },
      of: { keptFrom: -1, floor: (today - 2) * 86_400_000 },
    },
  ]
  for (const { name, batch, from = '2026-01-16', expected, of } of stated) {
    test(`states the bounds ${name}`, () => {
      const partial = partialOf(batch, { clip: (date: string) => (date < from ? wide : other) }, of)
      const { clipWh, clipWhByDate } = partial
      assert.deepEqual({ clipWh, ...(clipWhByDate ? { clipWhByDate } : {}) }, expected)
      assert.deepEqual(loadPartialCodec.decode(loadPartialCodec.encode(partial)), partial)
      for (const date of new Set(partial.cells.map((cell) => cell.date))) {
        assert.deepEqual(clipOn(partial, date), date < from ? wide : other)
      }
    })
  }

  test('states the rule for C once where all days near have it, and day by day where they differ', () => {
    const stating = (clip: PartialSumsOptions['clip'], from: string) =>
      partialOf([], { ...(clip ? { clip } : {}), capRule: (date) => (date < from ? 'fuse' : 'other') })
    const same = stating(() => wide, '2026-01-17')
    assert.deepEqual([same.clipWh, same.capRule, same.clipWhByDate], [wide, 'fuse', undefined])
    const changing = stating(() => wide, '2026-01-15')
    assert.equal(changing.capRule, undefined)
    assert.deepEqual(
      near.map((date) => capRuleOn(changing, date)),
      ['fuse', 'fuse', 'other', 'other'],
    )
    const narrowed = stating((date) => (date < '2026-01-16' ? wide : other), '2026-01-17')
    assert.deepEqual([narrowed.capRule, capRuleOn(narrowed, '2026-01-16')], ['fuse', 'fuse'])
    for (const each of [same, changing, narrowed]) {
      assert.deepEqual(loadPartialCodec.decode(loadPartialCodec.encode(each)), each)
    }
    assert.equal(stating(undefined, '2026-01-15').capRule, undefined)
  })

  test('gives the same sums however a stream is cut into batches', () => {
    const reading = fc
      .record({ wh: fc.nat(900), export: fc.boolean(), next: fc.boolean(), late: fc.boolean(), feeder: fc.nat(2) })
      .map((one) => {
        const window = one.next ? end : noon
        const change = { start: window, window, channel: one.export ? ('export' as const) : ('import' as const) }
        return record(`F${one.feeder}`, [bounded(one.wh, change)], window + 1_800_000 + (one.late ? grace : 1))
      })
    const total = (partials: readonly LoadPartial[]): ReadonlyMap<string, readonly number[]> => {
      const sums = new Map<string, number[]>()
      for (const { level, group, channel, phase, window, ...cell } of partials.flatMap(({ cells }) => cells)) {
        const key = [level, group, channel, phase, window].join('/')
        const [b = 0, e = 0, n = 0, ...before] = sums.get(key) ?? []
        const all = [...before, cell.largestWh, cell.secondWh, cell.thirdWh].sort((x, y) => y - x)
        sums.set(key, [b + cell.boundedWh, e + cell.exactWh, n + cell.count, ...all.slice(0, 3)])
      }
      return new Map([...sums].sort(([x], [y]) => (x < y ? -1 : 1)))
    }
    fc.assert(
      fc.property(fc.array(reading, { maxLength: 30 }), fc.nat(30), (batch, cut) => {
        const parts = [partialOf(batch.slice(0, cut)), partialOf(batch.slice(cut))]
        assert.deepEqual(total(parts), total([partialOf(batch)]))
        assert.equal(
          new Set(levels.map((level) => cellsOf(partialOf(batch), level).reduce((n, c) => n + c.exactWh, 0))).size,
          1,
        )
      }),
      { numRuns: Math.ceil(Number(process.env['MV_CASES'] ?? 5000) / 10) },
    )
  })

  test('remembers nothing of the batches before but the names of groups', () => {
    const reading = fc
      .record({ wh: fc.nat(900), window: fc.nat(24), feeder: fc.nat(3), region: fc.nat(1) })
      .map(({ wh, window: at, feeder, region }) => {
        const window = noon + at * 1_800_000
        const made = record(`F${feeder}`, [bounded(wh, { start: window, window })], window + 1_800_001)
        return { ...made, value: { ...made.value, groups: { ...made.value.groups, region: `R${region}` } } }
      })
    fc.assert(
      fc.property(fc.array(fc.array(reading, { maxLength: 40 }), { maxLength: 4 }), (batches) => {
        const step = partialSums()
        for (const batch of batches) {
          const [only] = runBatch(step, batch, { context })
          assert.deepEqual(only?.kind === 'emit' && only.value, partialOf(batch))
        }
      }),
      { numRuns: Math.ceil(Number(process.env['MV_CASES'] ?? 5000) / 20) },
    )
  })
})
