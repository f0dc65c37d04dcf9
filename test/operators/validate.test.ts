import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { MeterReadings } from '../../operators/contract/meter-readings.ts'
import type { Envelope } from '../../operators/contract/operator.ts'
import { historyTable } from '../../operators/validate/history.ts'
import { validate } from '../../operators/validate.ts'
import { type IntervalReading, qualityBits } from '../../schemas/interval-reading.ts'
import {
  at,
  type CellStore,
  emitted,
  entryOf,
  halfHour,
  readingOf,
  readingsOf,
  runBatch,
  summary,
  trusted,
} from './harness.ts'

const meter = entryOf(1)
const importOnly = entryOf(1, { direction: 'import' })
const noon = at('2026-01-15T12:00Z')
const slot = (n: number, change: Partial<IntervalReading> = {}): IntervalReading =>
  readingOf(noon + n * halfHour * 1_000, change)

const bitsOf = (quality: number): readonly string[] =>
  Object.entries(qualityBits).flatMap(([name, bit]) => ((quality & bit) !== 0 ? [name] : []))

/** Sends frames one by one and answers the flags of each reading. */
function flags(frames: readonly Envelope<MeterReadings>[], options = {}): readonly (readonly string[])[] {
  const store: CellStore = new Map()
  const step = validate(options)
  return frames.flatMap((frame) =>
    emitted<MeterReadings>(runBatch(step, [frame], { store })).flatMap(({ readings }) =>
      readings.map(({ quality }) => bitsOf(quality)),
    ),
  )
}

const series = (values: readonly number[], change: Partial<IntervalReading> = {}) =>
  values.map((energyWh, n) => readingsOf(meter, [slot(n, { energyWh, ...change })]))

describe('validate, on one reading', () => {
  const cases: readonly {
    readonly name: string
    readonly frame: Envelope<MeterReadings>
    readonly expected: readonly string[]
  }[] = [
    { name: 'leaves a clean reading clean', frame: readingsOf(meter, [slot(0)]), expected: [] },
    {
      name: 'takes just what the fuse lets through',
      frame: readingsOf(meter, [slot(0, { energyWh: 6_900 })]),
      expected: [],
    },
    {
      name: 'flags more than the fuse lets through',
      frame: readingsOf(meter, [slot(0, { energyWh: 6_901 })]),
      expected: ['aboveFuse'],
    },
    {
      name: 'flags a large negative value by the fuse too',
      frame: readingsOf(meter, [slot(0, { energyWh: -6_901 })]),
      expected: ['aboveFuse'],
    },
    {
      name: 'flags negative energy without export',
      frame: readingsOf(importOnly, [slot(0, { energyWh: -1 })]),
      expected: ['negativeWithoutExport'],
    },
    {
      name: 'flags export energy without export',
      frame: readingsOf(importOnly, [slot(0, { channel: 'export' })]),
      expected: ['negativeWithoutExport'],
    },
    {
      name: 'takes zero export without export',
      frame: readingsOf(importOnly, [slot(0, { channel: 'export', energyWh: 0 })]),
      expected: [],
    },
    {
      name: 'takes export where the site exports',
      frame: readingsOf(meter, [slot(0, { channel: 'export' })]),
      expected: [],
    },
    {
      name: 'flags a frame without a verified tag',
      frame: readingsOf(meter, [slot(0)], { trust: { ...trusted, tagVerified: false } }),
      expected: ['unauthenticated'],
    },
    {
      name: 'keeps the bits of the meter itself',
      frame: readingsOf(meter, [slot(0, { quality: qualityBits.powerFail })]),
      expected: ['powerFail'],
    },
    {
      name: 'takes an end 60 s in the future',
      frame: readingsOf(meter, [slot(0)], { receivedAt: noon + 1_740_000 }),
      expected: [],
    },
    {
      name: 'warns of an end 61 s in the future',
      frame: readingsOf(meter, [slot(0)], { receivedAt: noon + 1_739_000 }),
      expected: ['clockDriftWarning'],
    },
    {
      name: 'warns of an end 300 s in the future',
      frame: readingsOf(meter, [slot(0)], { receivedAt: noon + 1_500_000 }),
      expected: ['clockDriftWarning'],
    },
    {
      name: 'takes a late catch-up: it shows nothing of the clock',
      frame: readingsOf(meter, [slot(0)], { receivedAt: noon + 10 * 86_400_000 }),
      expected: [],
    },
    { name: 'takes a stamp 60 s off the grid', frame: readingsOf(meter, [readingOf(noon + 60_000)]), expected: [] },
    {
      name: 'warns of a stamp 61 s after the grid',
      frame: readingsOf(meter, [readingOf(noon + 61_000)]),
      expected: ['clockDriftWarning'],
    },
    {
      name: 'warns of a stamp 61 s before the grid',
      frame: readingsOf(meter, [readingOf(noon - 61_000)]),
      expected: ['clockDriftWarning'],
    },
    {
      name: 'flags a stamp 301 s off the grid',
      frame: readingsOf(meter, [readingOf(noon + 301_000)]),
      expected: ['clockDrift'],
    },
    {
      name: 'takes the whole day of a day register, 25 hours long',
      frame: readingsOf(meter, [readingOf(at('2026-10-24T23:00Z'), { durationSeconds: 86_400 })]),
      expected: [],
    },
    {
      name: 'takes local hours after half an hour back on Lord Howe',
      frame: readingsOf(entryOf(1, { timeZone: 'Australia/Lord_Howe' }), [
        readingOf(at('2026-04-05T01:30Z'), { durationSeconds: 3_600 }),
      ]),
      expected: [],
    },
  ]
  for (const { name, frame, expected } of cases) test(name, () => assert.deepEqual(flags([frame]), [expected]))

  const rejected: readonly {
    readonly name: string
    readonly frame: Envelope<MeterReadings>
    readonly reason: string
  }[] = [
    {
      name: 'an end 301 s in the future',
      frame: readingsOf(meter, [slot(0)], { receivedAt: noon + 1_499_000 }),
      reason: 'time_in_future',
    },
    {
      name: 'one end in the future among good ones',
      frame: readingsOf(meter, [slot(-1), slot(9)], { receivedAt: noon }),
      reason: 'time_in_future',
    },
    { name: 'a start that is no time', frame: readingsOf(meter, [readingOf(Number.NaN)]), reason: 'time_invalid' },
    { name: 'a start before 1970', frame: readingsOf(meter, [readingOf(-1_800_000)]), reason: 'time_invalid' },
    {
      name: 'an interval without length',
      frame: readingsOf(meter, [slot(0, { durationSeconds: 0 })]),
      reason: 'time_invalid',
    },
    {
      name: 'a length that is no whole number',
      frame: readingsOf(meter, [slot(0, { durationSeconds: 0.5 })]),
      reason: 'time_invalid',
    },
    {
      name: 'a fraction of a watt-hour',
      frame: readingsOf(meter, [slot(0, { energyWh: 0.5 })]),
      reason: 'value_out_of_range',
    },
    {
      name: 'more energy than a country',
      frame: readingsOf(meter, [slot(0, { energyWh: 2 ** 40 + 1 })]),
      reason: 'value_out_of_range',
    },
    {
      name: 'energy that is no number',
      frame: readingsOf(meter, [slot(0, { energyWh: Number.NaN })]),
      reason: 'value_out_of_range',
    },
  ]
  for (const { name, frame, reason } of rejected) {
    test(`rejects ${name}`, () => assert.deepEqual(summary(runBatch(validate(), [frame])), [reason]))
  }

  test('changes no value, and not even the record of a clean frame', () => {
    const clean = readingsOf(meter, [slot(0)])
    assert.equal(emitted(runBatch(validate(), [clean]))[0], clean.value)
    const [flagged] = emitted<MeterReadings>(runBatch(validate(), [readingsOf(meter, [slot(0, { energyWh: 9_999 })])]))
    assert.deepEqual(flagged?.readings, [slot(0, { energyWh: 9_999, quality: qualityBits.aboveFuse })])
  })
})

describe('validate, over the readings of a meter', () => {
  test('flags a spike above four times the recent peak', () => {
    assert.deepEqual(flags(series([900, 1_000, 3_990, 4_100])), [[], [], [], []])
    assert.deepEqual(flags(series([900, 1_000, 4_001])), [[], [], ['spike']])
  })

  test('takes any rise below a quarter of the fuse', () => {
    assert.deepEqual(flags(series([20, 1_725, 20, 1_726])), [[], [], [], []])
    assert.deepEqual(flags(series([20, 1_726])), [[], ['spike']])
  })

  test('takes a higher load for normal once it has become the habit', () => {
    const seen = flags(series([450, 6_000, 6_000, 6_000])).map((bits) => bits.includes('spike'))
    assert.deepEqual(seen, [false, true, false, false])
  })

  test('forgets a peak in the course of weeks', () => {
    const quiet = [5_000, ...Array(600).fill(100), 6_800]
    assert.deepEqual(flags(series(quiet)).at(-1), ['spike'])
    assert.deepEqual(flags(series(quiet.slice(0, 20).concat(6_800)), { frozenIntervals: 200 }).at(-1), [])
  })

  const frozen: readonly {
    readonly name: string
    readonly values: readonly number[]
    readonly expected: readonly boolean[]
  }[] = [
    {
      name: 'a value three times in a row',
      values: [5, 7, 7, 7, 7, 8],
      expected: [false, false, false, true, true, false],
    },
    { name: 'no zeros: nobody is home', values: [0, 0, 0, 0], expected: [false, false, false, false] },
    {
      name: 'nothing after a change in between',
      values: [7, 7, 8, 7, 7],
      expected: [false, false, false, false, false],
    },
  ]
  for (const { name, values, expected } of frozen) {
    test(`flags as frozen ${name}`, () => {
      const seen = flags(series(values), { frozenIntervals: 3 }).map((bits) => bits.includes('frozen'))
      assert.deepEqual(seen, expected)
    })
  }

  test('counts a repeated value anew after a gap', () => {
    const frames = [0, 1, 3, 4].map((n) => readingsOf(meter, [slot(n, { energyWh: 7 })]))
    assert.deepEqual(flags(frames, { frozenIntervals: 3 }), [[], [], [], []])
  })

  test('counts neither retries nor late catch-ups of older intervals as repetitions', () => {
    const one = readingsOf(meter, [slot(1, { energyWh: 7 })])
    const older = readingsOf(meter, [slot(0, { energyWh: 7 })])
    assert.deepEqual(flags([one, one, one, older, one], { frozenIntervals: 2 }), [[], [], [], [], []])
  })

  const sums: readonly {
    readonly name: string
    readonly registers: readonly (number | undefined)[]
    readonly expected: boolean
  }[] = [
    { name: 'a register that moved by the interval', registers: [10_000, 10_300], expected: false },
    { name: 'a register within its resolution', registers: [10_000, 10_310], expected: false },
    { name: 'a register that moved too far', registers: [10_000, 10_311], expected: true },
    { name: 'a register that moved too little', registers: [10_000, 10_289], expected: true },
    { name: 'a register that went back', registers: [10_000, 9_000], expected: true },
    {
      name: 'a register read again after intervals without one',
      registers: [10_000, undefined, undefined, 10_900],
      expected: false,
    },
    {
      name: 'a register that differs from the sum of intervals without one',
      registers: [10_000, undefined, undefined, 11_000],
      expected: true,
    },
    { name: 'the first register', registers: [10_000], expected: false },
  ]
  for (const { name, registers, expected } of sums) {
    test(`${expected ? 'flags' : 'takes'} ${name}`, () => {
      const frames = registers.map((registerWh, n) =>
        readingsOf(meter, [slot(n, registerWh === undefined ? {} : { registerWh })]),
      )
      assert.equal(flags(frames).at(-1)?.includes('sumMismatch'), expected)
    })
  }

  test('does not compare registers across a gap', () => {
    const frames = [
      readingsOf(meter, [slot(0, { registerWh: 10 })]),
      readingsOf(meter, [slot(2, { registerWh: 5_000 })]),
    ]
    assert.deepEqual(flags(frames), [[], []])
  })

  test('keeps the channels of a frame apart', () => {
    const both = (n: number, importWh: number, exportWh: number) =>
      readingsOf(meter, [
        slot(n, { energyWh: 300, registerWh: importWh }),
        slot(n, { energyWh: 100, registerWh: exportWh, channel: 'export' }),
      ])
    assert.deepEqual(flags([both(0, 1_000, 500), both(1, 1_300, 600)]), [[], [], [], []])
    assert.deepEqual(flags([both(0, 1_000, 500), both(1, 1_300, 900)]), [[], [], [], ['sumMismatch']])
  })

  test('reads a frame with the newest interval first like one with the oldest first', () => {
    const readings = [slot(0, { registerWh: 1_000 }), slot(1, { registerWh: 1_300 }), slot(2, { registerWh: 1_900 })]
    assert.deepEqual(flags([readingsOf(meter, readings)]), [[], [], ['sumMismatch']])
    assert.deepEqual(flags([readingsOf(meter, readings.toReversed())]), [['sumMismatch'], [], []])
  })

  test('remembers a meter in at most 31 bytes, for ever', () => {
    const store: CellStore = new Map()
    const step = validate()
    for (const [n, energyWh] of [2 ** 40, 0, -(2 ** 40), 12].entries()) {
      const registerWh = 2 ** 45
      runBatch(
        step,
        [readingsOf(meter, [slot(n, { energyWh, registerWh }), slot(n, { channel: 'export', energyWh })])],
        { store },
      )
    }
    assert.deepEqual([...store.keys()], ['1/0'])
    assert.equal(store.get('1/0')?.length, 31)
  })

  test('refuses a cell of another version or length', () => {
    for (const bytes of [[], [0x21], [0x11], [0x14], [0x13, ...Array(15).fill(0)]]) {
      assert.throws(() => historyTable.codec.decode(new Uint8Array(bytes)), { name: 'CodecError' })
    }
  })
})
