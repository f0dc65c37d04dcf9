import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { BoundedReadings } from '../../../operators/contract/bounded-readings.ts'
import type { MeterReadings } from '../../../operators/contract/meter-readings.ts'
import type { Envelope } from '../../../operators/contract/operator.ts'
import { boundContributions, wholeRoot } from '../../../operators/privacy/bound-contributions.ts'
import { localDay } from '../../../operators/window/local-day.ts'
import type { IntervalReading } from '../../../schemas/interval-reading.ts'
import type { RegisterEntry } from '../../../schemas/register-entry.ts'
import {
  at,
  type CellStore,
  contextOf,
  emitted,
  entryOf,
  halfHour,
  readingOf,
  readingsOf,
  runBatch,
  summary,
} from '../harness.ts'

const clip = { utility: 1_000, region: 500, substation: 50, feeder: 5 }
const options = { clip, windowSeconds: halfHour }
const meter = entryOf(1)
const noon = at('2026-01-15T12:00Z')
const slot = (n: number, change: Partial<IntervalReading> = {}): IntervalReading =>
  readingOf(noon + n * halfHour * 1_000, change)

/** What counts at [utility, region, substation, feeder], per reading, of frames sent one by one. */
function bounds(frames: readonly Envelope<MeterReadings>[], change = {}): readonly (readonly number[])[] {
  const store: CellStore = new Map()
  const step = boundContributions({ ...options, ...change })
  return frames.flatMap((frame) =>
    emitted<BoundedReadings>(runBatch(step, [frame], { store })).flatMap(({ readings }) =>
      readings.map(({ bounded }) => [bounded.utility, bounded.region, bounded.substation, bounded.feeder]),
    ),
  )
}

describe('boundContributions', () => {
  const one = (energyWh: number, change: Partial<RegisterEntry> = {}, reading: Partial<IntervalReading> = {}) =>
    readingsOf(entryOf(1, change), [slot(0, { energyWh, ...reading })])

  const cases: readonly {
    readonly name: string
    readonly frames: readonly Envelope<MeterReadings>[]
    readonly expected: readonly (readonly number[])[]
  }[] = [
    { name: 'counts a value within every bound whole', frames: [one(3)], expected: [[3, 3, 3, 3]] },
    { name: 'cuts a value at the bound of each level', frames: [one(600)], expected: [[600, 500, 50, 5]] },
    { name: 'counts nothing of a negative value', frames: [one(-7)], expected: [[0, 0, 0, 0]] },
    {
      name: 'counts no more than the fuse lets through',
      frames: [one(600, { fuseWhPerHour: 201 })],
      expected: [[100, 100, 50, 5]],
    },
    {
      name: 'halves the bounds of two points at a connection',
      frames: [one(600, { pointsAtConnection: 2 })],
      expected: [[500, 250, 25, 2]],
    },
    {
      name: 'leaves to later values what the earlier ones left of the norm',
      frames: [
        readingsOf(meter, [slot(0, { energyWh: 300 })]),
        readingsOf(meter, [slot(1, { energyWh: 800 })]),
        readingsOf(meter, [slot(2, { energyWh: 800 })]),
      ],
      // 500^2 - 300^2 = 400^2; 1000^2 - 300^2 - 800^2 = 519^2 + ...
      expected: [
        [300, 300, 50, 5],
        [800, 400, 0, 0],
        [519, 0, 0, 0],
      ],
    },
    {
      name: 'lets import and export share one norm',
      frames: [readingsOf(meter, [slot(0, { energyWh: 400 }), slot(0, { energyWh: 400, channel: 'export' })])],
      expected: [
        [400, 400, 50, 5],
        [400, 300, 0, 0],
      ],
    },
    {
      name: 'begins every local day anew',
      frames: [readingsOf(meter, [slot(0, { energyWh: 900 })]), readingsOf(meter, [slot(24, { energyWh: 900 })])],
      expected: [
        [900, 500, 50, 5],
        [900, 500, 50, 5],
      ],
    },
    {
      name: 'keeps measuring points apart',
      frames: [one(900), readingsOf(entryOf(2), [slot(0, { energyWh: 900 })])],
      expected: [
        [900, 500, 50, 5],
        [900, 500, 50, 5],
      ],
    },
    {
      name: 'gives two quarter hours of a half-hour window 1/sqrt(2) of the bound each',
      frames: [0, 1].map((n) =>
        readingsOf(meter, [readingOf(noon + n * 900_000, { durationSeconds: 900, energyWh: 600 })]),
      ),
      // sqrt(500^2 / 2) = 353; after 2 * 600^2: sqrt((1000^2 - 720000) / 2) = 374
      expected: [
        [600, 353, 35, 3],
        [374, 0, 0, 0],
      ],
    },
  ]
  for (const { name, frames, expected } of cases) test(name, () => assert.deepEqual(bounds(frames), expected))

  const lord = { timeZone: 'Australia/Lord_Howe' }
  const places: readonly {
    readonly name: string
    readonly frame: Envelope<MeterReadings>
    readonly expected: string
  }[] = [
    {
      name: 'takes a value up to the cut-off',
      frame: readingsOf(meter, [slot(0)], { receivedAt: at('2026-01-16T05:59:59.999Z') }),
      expected: 'emit',
    },
    {
      name: 'leaves out a value received at the cut-off',
      frame: readingsOf(meter, [slot(0)], { receivedAt: at('2026-01-16T06:00Z') }),
      expected: 'not_for_load',
    },
    {
      name: 'leaves out a value that has not begun',
      frame: readingsOf(meter, [slot(0)], { receivedAt: noon }),
      expected: 'not_for_load',
    },
    {
      name: 'leaves out a value longer than a window',
      frame: readingsOf(meter, [slot(0, { durationSeconds: 3_600 })]),
      expected: 'not_for_load',
    },
    {
      name: 'leaves out a value that does not divide a window',
      frame: readingsOf(meter, [slot(0, { durationSeconds: 1_200 })]),
      expected: 'not_for_load',
    },
    {
      name: 'leaves out a value off the grid',
      frame: readingsOf(meter, [readingOf(noon + 7_000)]),
      expected: 'not_for_load',
    },
    {
      name: 'takes a value on the grid of a day that began at half past',
      frame: readingsOf(entryOf(1, lord), [readingOf(at('2026-10-03T13:30Z'))]),
      expected: 'emit',
    },
  ]
  for (const { name, frame, expected } of places) {
    test(name, () => assert.deepEqual(summary(runBatch(boundContributions(options), [frame])), [expected]))
  }

  test('takes the cut-off at the hour it is given', () => {
    const frame = readingsOf(meter, [slot(0)], { receivedAt: at('2026-01-16T07:00Z') })
    assert.deepEqual(summary(runBatch(boundContributions({ ...options, cutOffHour: 8 }), [frame])), ['emit'])
  })

  const zones: readonly { readonly name: string; readonly change: object; readonly expected: string }[] = [
    { name: 'takes values of every zone where none is named', change: {}, expected: 'emit' },
    { name: 'takes values of the zone that is named', change: { zone: 'north' }, expected: 'emit' },
    { name: 'leaves out values of another zone', change: { zone: 'south' }, expected: 'not_for_load' },
  ]
  for (const { name, change, expected } of zones) {
    test(`${name}, and counts no q of what it leaves out`, () => {
      const store: CellStore = new Map()
      const step = boundContributions({ ...options, ...change })
      const frame = readingsOf(entryOf(1, { zone: 'north' }), [slot(0)])
      assert.deepEqual(summary(runBatch(step, [frame], { store })), [expected])
      assert.equal(store.size, expected === 'emit' ? 1 : 0)
    })
  }

  test('leaves out a value of a day whose q may be forgotten, and no other', () => {
    const { day } = localDay(meter.timeZone, noon)
    const summaryAt = (keptFrom: number) =>
      summary(
        runBatch(boundContributions(options), [readingsOf(meter, [slot(0)])], { context: contextOf({ keptFrom }) }),
      )
    assert.deepEqual([summaryAt(day), summaryAt(day + 1)], [['emit'], ['not_for_load']])
  })

  test('leaves out a second length of interval on the same day: it could fill a window twice', () => {
    const quarter = readingsOf(meter, [readingOf(noon, { durationSeconds: 900 })])
    assert.deepEqual(bounds([readingsOf(meter, [slot(1)]), quarter]).length, 1)
    assert.deepEqual(bounds([quarter, readingsOf(meter, [slot(1)])]).length, 1)
  })

  test('names the window, its day and the value as measured', () => {
    const late = readingOf(at('2026-10-25T00:15Z'), { durationSeconds: 900, energyWh: 7_000 })
    const [{ groups, readings }] = emitted<BoundedReadings>(
      runBatch(boundContributions(options), [readingsOf(meter, [late])]),
    ) as readonly [BoundedReadings]
    assert.equal(groups, meter.groups)
    assert.equal(readings.length, 1)
    const { bounded, ...rest } = readings[0]!
    assert.equal(bounded.feeder, 3)
    assert.deepEqual(rest, {
      channel: 'import',
      start: late.start,
      durationSeconds: 900,
      window: at('2026-10-25T00:00Z'),
      windowSeconds: 1_800,
      date: '2026-10-25',
      day: Date.UTC(2026, 9, 25) / 86_400_000,
      exactWh: 7_000,
    })
  })

  test('takes the bounds of the local date of each value, whenever it comes', () => {
    const change = {
      clip: (date: string) => (date < '2026-01-16' ? clip : { ...clip, region: 700, substation: 20 }),
      cap: (date: string) => ({ whPerHour: date < '2026-01-16' ? Number.POSITIVE_INFINITY : 1_600, half: false }),
    }
    const frames = [
      readingsOf(meter, [slot(0, { energyWh: 900 }), slot(24, { energyWh: 900 })]),
      readingsOf(meter, [slot(25, { energyWh: 100 }), slot(1, { energyWh: 100 })], { receivedAt: noon + 60 * 900_000 }),
    ]
    assert.deepEqual(bounds(frames, change), [
      [900, 500, 50, 5],
      [800, 700, 20, 5],
      [100, 0, 0, 0],
      [100, 0, 0, 0],
    ])
  })

  test('gives nothing back of what wider bounds have used when they come again after narrower ones', () => {
    const store: CellStore = new Map()
    const wide = { utility: 1_000, region: 1_000, substation: 1_000, feeder: 1_000 }
    const narrow = { utility: 10, region: 10, substation: 10, feeder: 10 }
    const counted = [wide, narrow, wide, narrow, wide].map((bounds, n) => {
      const step = boundContributions({ ...options, clip: bounds })
      const frame = readingsOf(meter, [slot(n, { energyWh: bounds === wide ? 800 : 0 })])
      const [made] = emitted<BoundedReadings>(runBatch(step, [frame], { store }))
      return made!.readings[0]!.bounded.utility
    })
    assert.deepEqual(counted, [800, 0, 600, 0, 0])
  })

  const half = { cap: () => ({ whPerHour: Number.POSITIVE_INFINITY, half: true }) }

  test('takes at most half of the norm that is left at each level, where C says so', () => {
    const day = [1_000, 1_000, 300, 1_000].map((energyWh, n) => readingsOf(meter, [slot(n, { energyWh })]))
    // q: 500^2, then 433^2 more, then 300^2 whole; what is left of the narrower levels is gone after the first.
    assert.deepEqual(bounds(day, half), [
      [500, 250, 25, 2],
      [433, 0, 0, 0],
      [300, 0, 0, 0],
      [343, 0, 0, 0],
    ])
  })

  test('halves what is left for two points, for shorter intervals and for export as well', () => {
    const frames = [
      readingsOf(entryOf(1, { pointsAtConnection: 2 }), [readingOf(noon, { durationSeconds: 900, energyWh: 9_000 })]),
      readingsOf(entryOf(1, { pointsAtConnection: 2 }), [
        readingOf(noon, { durationSeconds: 900, energyWh: 9_000, channel: 'export' }),
      ]),
    ]
    // 500^2 / 8 = 176^2; what is left of 500^2 after 2 x 176^2, by 8: 153^2.
    assert.deepEqual(
      bounds(frames, half).map(([utility]) => utility),
      [176, 153],
    )
  })

  test('counts what a day of both rules took under either', () => {
    const store: CellStore = new Map()
    const counted = [false, true, false, true].map((halves, n) => {
      const cap = () => ({ whPerHour: Number.POSITIVE_INFINITY, half: halves })
      const step = boundContributions({ ...options, cap })
      const frame = readingsOf(meter, [slot(n, { energyWh: n === 0 ? 600 : 9_000 })])
      const [made] = emitted<BoundedReadings>(runBatch(step, [frame], { store }))
      return made!.readings[0]!.bounded.utility
    })
    assert.deepEqual(counted, [600, 400, 692, 0])
  })

  test('refuses bounds of a date that are none', () => {
    const none = { clip: () => ({ ...clip, feeder: 0 }) }
    assert.throws(() => bounds([one(3)], none), RangeError)
  })

  const invalid = [
    { name: 'no clip at a level', change: { clip: { ...clip, feeder: 0 } } },
    { name: 'a clip beyond exact squares', change: { clip: { ...clip, utility: 2 ** 26 + 1 } } },
    { name: 'a fraction of a watt-hour', change: { clip: { ...clip, region: 0.5 } } },
    { name: 'windows without length', change: { windowSeconds: 0 } },
  ]
  for (const { name, change } of invalid) {
    test(`refuses ${name}`, () => assert.throws(() => boundContributions({ ...options, ...change }), RangeError))
  }
})

describe('wholeRoot', () => {
  test('is exact around every square up to 2^52', () => {
    for (const root of [0, 1, 2, 3, 94_906, 2 ** 25, 2 ** 25 + 1, 2 ** 26 - 1, 2 ** 26]) {
      assert.equal(wholeRoot(root * root), root)
      if (root > 0) assert.equal(wholeRoot(root * root - 1), root - 1)
      if (root < 2 ** 26) assert.equal(wholeRoot(root * root + 2 * root), root)
    }
  })
})
