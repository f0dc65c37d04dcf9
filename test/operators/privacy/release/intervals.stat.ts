import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { rational } from 'diffprivlib-ts'
import type { Published } from '../../../../operators/contract/published.ts'
import { type NoiseSource, secureNoise } from '../../../../operators/privacy/release/noise.ts'
import type { BoundedWh } from '../../../../schemas/bounded.ts'
import type { PartialCell } from '../../../../schemas/load-partial.ts'
import type { LoadPublic } from '../../../../schemas/load-public.ts'
import type { Level } from '../../../../schemas/register-entry.ts'
import { drive, drivePublish } from '../../../helpers/release-driver.ts'
import { cell, group, partial, publicCodec, registerOf, releaseOperator } from '../../../helpers/release-fixtures.ts'
import { random } from '../../../model/random.ts'

const halfHour = 1_800_000
const days = 21
/** Smoothing is judged once it has seen some days. */
const warmDays = 7
const start = Date.parse('2026-01-05T00:00+01:00')

const homes = { 'feeder-1': 4_000, 'feeder-2': 6_000 } as const
const all = homes['feeder-1'] + homes['feeder-2']
const groups = [
  group('utility', 'utility-1', null, all),
  group('region', 'region-1', 'utility-1', all),
  group('substation', 'substation-1', 'region-1', all),
  ...Object.entries(homes).map(([name, count]) => group('feeder', name, 'substation-1', count)),
]

/** Half-hourly loads of three weeks: a day shape with two peaks, weekends apart, weather that wanders, and rough noise. */
function loads(seed: number): Map<string, number[]> {
  const { below } = random(seed)
  const normal = () => Array.from({ length: 12 }, () => below(1_000_001) / 1e6).reduce((x, y) => x + y, 0) - 6
  let weather = 0
  const shape = Array.from({ length: days * 48 }, (_, n) => {
    weather = 0.98 * weather + 0.02 * normal()
    const hour = (n % 48) / 2
    const peaks = Math.exp(-((hour - 8) ** 2) / 4) + 1.6 * Math.exp(-((hour - 19) ** 2) / 6)
    return (120 + 150 * peaks) * (Math.floor(n / 48) % 7 >= 5 ? 1.1 : 1) * Math.exp(weather)
  })
  return new Map(
    Object.entries(homes).map(([name, count]) => [
      name,
      shape.map((wh) => Math.round(wh * count * (1 + 0.02 * normal()))),
    ]),
  )
}

const levelsOf = (feeder: string): readonly (readonly [Level, string])[] => [
  ['utility', 'utility-1'],
  ['region', 'region-1'],
  ['substation', 'substation-1'],
  ['feeder', feeder],
]

/** What is published of these loads, a twentieth of them late. */
function released(truth: ReadonlyMap<string, readonly number[]>, noise: NoiseSource): readonly Published<LoadPublic>[] {
  const partials = Array.from({ length: days * 48 }, (_, n) => {
    const window = start + n * halfHour
    const date = new Date(window + 3_600_000).toISOString().slice(0, 10)
    const cells = [...truth].flatMap(([feeder, values]) =>
      (['preliminary', 'late'] as const).flatMap((phase) =>
        levelsOf(feeder).map(([level, name]): PartialCell => {
          const late = Math.floor(values[n]! / 20)
          const wh = (phase === 'late' ? late : values[n]! - late) as BoundedWh
          return { ...cell(`${date}T00:00`, wh), level, group: name, phase, window, date }
        }),
      ),
    )
    return [partial(0, n + 1, window + 1, cells), partial(1, n + 1, window + 1)]
  }).flat()
  const end = start + days * 48 * halfHour + 7 * 3_600_000
  partials.push(partial(0, days * 48 + 1, end), partial(1, days * 48 + 1, end))
  const operator = releaseOperator({ noise, register: registerOf(groups), sealsPerStep: 64 })
  return drivePublish(drive({ operator, partials, batches: [96], rows: 'emitting' }).ledger)
}

interface Coverage {
  readonly windows: number
  readonly raw: number
  readonly consistent: number
  readonly smoothed: number
  /** Mean half-widths of smoothed and consistent values beside that of the raw ones. */
  readonly consistentWidth: number
  readonly smoothedWidth: number
}

/** How often the truth lies in the stated intervals of a phase, at one group of each level and apart by group. */
function coverage(
  copies: readonly Published<LoadPublic>[],
  truth: ReadonlyMap<string, readonly number[]>,
  wanted: LoadPublic['phase'],
): ReadonlyMap<string, Coverage> {
  const found = new Map<
    string,
    { n: number; raw: number; con: number; smo: number; h: number; hc: number; hs: number }
  >()
  for (const { bytes } of copies) {
    const record = publicCodec.decode(bytes)
    const n = (record.window - start) / halfHour
    if (record.phase !== wanted || record.channel !== 'import' || n >= days * 48 || n < warmDays * 48) continue
    const { rawWh, consistentWh, smoothedWh, half95Wh, consistentHalf95Wh, smoothedHalf95Wh } = record
    const sum = [...truth]
      .filter(([feeder]) => record.level !== 'feeder' || feeder === record.group)
      .reduce((wh, [, values]) => {
        const late = Math.floor(values[n]! / 20)
        return wh + (wanted === 'final' ? values[n]! : values[n]! - late)
      }, 0)
    const at = found.get(record.group) ?? { n: 0, raw: 0, con: 0, smo: 0, h: 0, hc: 0, hs: 0 }
    const inside = (value: number | null, half: number | null) => (Math.abs(value! - sum) <= half! ? 1 : 0)
    at.n += 1
    at.raw += inside(rawWh, half95Wh)
    at.con += inside(consistentWh, consistentHalf95Wh)
    at.smo += inside(smoothedWh, smoothedHalf95Wh)
    at.h += half95Wh!
    at.hc += consistentHalf95Wh!
    at.hs += smoothedHalf95Wh!
    found.set(record.group, at)
  }
  return new Map(
    [...found].map(([name, { n, raw, con, smo, h, hc, hs }]) => [
      name,
      {
        windows: n,
        raw: raw / n,
        consistent: con / n,
        smoothed: smo / n,
        consistentWidth: hc / h,
        smoothedWidth: hs / h,
      },
    ]),
  )
}

/** Windows of one group are independent but for smoothing. Six standard errors: a false alarm in 5 x 10^8 per figure. */
const isCovered = (part: number, windows: number): boolean =>
  Math.abs(part - 0.95) < 6 * Math.sqrt((0.95 * 0.05) / windows)

/**
 * What smoothing leaves of the noise lasts for hours, so its windows count for fewer, and it holds as far as the load is as
 * the models say. Over twelve seeds of load and noise the parts of single groups lay from 0.92 to 0.99.
 */
const isSmoothlyCovered = (part: number): boolean => part > 0.88

describe('the 95 % intervals of released values', () => {
  const truth = loads(1)
  const copies = released(truth, secureNoise())
  for (const phase of ['preliminary', 'final'] as const) {
    for (const [name, found] of coverage(copies, truth, phase)) {
      it(`hold the sum without noise as often as they say: ${phase}, ${name}`, () => {
        assert.ok(isCovered(found.raw, found.windows), `raw: ${found.raw}`)
        assert.ok(isCovered(found.consistent, found.windows), `consistent: ${found.consistent}`)
        assert.ok(isSmoothlyCovered(found.smoothed), `smoothed: ${found.smoothed}`)
      })

      it(`are narrower for consistent values and narrower again for smoothed ones: ${phase}, ${name}`, () => {
        assert.ok(found.consistentWidth < 1)
        assert.ok(found.smoothedWidth < found.consistentWidth)
      })
    }
  }

  it('come with what is still expected, near to what then came late', () => {
    let [said, came] = [0, 0]
    for (const { bytes } of copies) {
      const { level, phase, channel, window, expectedLateWh } = publicCodec.decode(bytes)
      const n = (window - start) / halfHour
      if (level !== 'utility' || channel !== 'import' || n < warmDays * 48 || n >= days * 48) continue
      if (phase === 'final') assert.equal(expectedLateWh, null)
      else {
        said += expectedLateWh!
        came += [...truth.values()].reduce((sum, values) => sum + Math.floor(values[n]! / 20), 0)
      }
    }
    assert.ok(Math.abs(said / came - 1) < 0.1, `${said} Wh were expected, ${came} Wh came`)
  })

  it('would be found too narrow if there were half as much noise again', () => {
    const honest = secureNoise()
    const more = rational.parse('9/4')
    const loud = released(truth, { gaussian: (sigma2) => honest.gaussian(rational.mul(more, sigma2)) })
    for (const [name, found] of coverage(loud, truth, 'preliminary')) {
      assert.ok(!isCovered(found.raw, found.windows), `raw ${name}: ${found.raw}`)
      assert.ok(!isCovered(found.consistent, found.windows), `consistent ${name}: ${found.consistent}`)
    }
  })
})
