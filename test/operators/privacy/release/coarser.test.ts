// Groups that are too small for the policy's windows, released by the hour or by the local day instead.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gaussianRho, rational } from 'diffprivlib-ts'
import { hours, minutes } from '../../../../operators/contract/clock.ts'
import { forecast } from '../../../../operators/forecast/index.ts'
import { documentedCap } from '../../../../operators/privacy/ledger/overview.ts'
import { unpackRecords } from '../../../../operators/privacy/ledger/packed-records.ts'
import { verifyLedger } from '../../../../operators/privacy/ledger/verify.ts'
import { periodSums } from '../../../../operators/privacy/period-sums.ts'
import { dayNamed, gridSeals } from '../../../../operators/privacy/release/day-grid.ts'
import { resolvePolicy, termsOver } from '../../../../operators/privacy/release/policy.ts'
import { shippedRules } from '../../../../operators/privacy/release/rules/shipped.ts'
import type { ForecastPublic } from '../../../../schemas/forecast-public.ts'
import type { LedgerRecord } from '../../../../schemas/ledger-record.ts'
import type { LoadPartial } from '../../../../schemas/load-partial.ts'
import type { LoadPublic } from '../../../../schemas/load-public.ts'
import { topics } from '../../../../schemas/topics.ts'
import { drive, drivePublish, type Fate } from '../../../helpers/release-driver.ts'
import {
  cell,
  collector,
  countingNoise,
  envelope,
  group,
  partial,
  policyWith,
  publicCodec,
  registerOf,
  releaseOperator,
  zeroNoise,
} from '../../../helpers/release-fixtures.ts'

/** Homes by feeder: of half hours, of hours, of days, of none. */
const homes = { 'feeder-1': 3_000, 'feeder-2': 2_000, 'feeder-3': 500, 'feeder-4': 200 }
const all = Object.values(homes).reduce((sum, n) => sum + n, 0)
const register = registerOf([
  group('utility', 'utility-1', null, all),
  group('region', 'region-1', 'utility-1', all),
  group('substation', 'substation-1', 'region-1', all),
  ...Object.entries(homes).map(([name, count]) => group('feeder', name, 'substation-1', count)),
])
const ruleSet = { ...shippedRules.get('us-ca-d1405016')!, membership: 'free' as const }
const policy = policyWith({ ruleSet })
const resolved = resolvePolicy(policy)
const names = Object.keys(homes)

/** Two days of input: each half hour every feeder has a value in time and a late one, told from all others by its size. */
function partialsOf(date: string, utcStart: number, halfHours: number): readonly LoadPartial[] {
  const following = new Date(Date.parse(date) + hours(24)).toISOString().slice(0, 10)
  const cellAt = (n: number, phase: 'preliminary' | 'late') =>
    names.map((name, i) =>
      cell(`${date}T00:00`, wh(i, n, phase), { group: name, window: utcStart + n * minutes(30), date, phase }),
    )
  const sent = Array.from({ length: halfHours }, (_, n) => {
    const progress = utcStart + (n + 1) * minutes(30)
    const cells = n === 0 ? [] : [...cellAt(n - 1, 'preliminary'), ...(n === 1 ? [] : cellAt(n - 2, 'late'))]
    return [partial(0, n + 1, progress, cells), partial(1, n + 1, progress)]
  }).flat()
  const end = utcStart + halfHours * minutes(30)
  const last = [
    ...cellAt(halfHours - 1, 'preliminary'),
    ...cellAt(halfHours - 2, 'late'),
    ...cellAt(halfHours - 1, 'late'),
  ]
  const rest = [0, 1].map((source) => partial(source, halfHours + 1, end + minutes(19), source === 0 ? last : []))
  const later = [0, 1].map((source) => partial(source, halfHours + 2, end + hours(9)))
  assert.ok(following > date)
  return [...sent, ...rest, ...later]
}

const wh = (feeder: number, n: number, phase: 'preliminary' | 'late'): number =>
  (feeder + 1) * 1_000_000 + n * 1_000 + (phase === 'late' ? 7 : 0)

const opened = (ledger: readonly LedgerRecord[]): LoadPublic[] =>
  ledger.flatMap((link) =>
    link.kind === 'seal'
      ? unpackRecords(link.records, link.hash, link.count).map(({ bytes }) => publicCodec.decode(bytes))
      : [],
  )
const of = (records: readonly LoadPublic[], name: string, seconds: (s: number) => boolean, phase: string) =>
  records.filter(
    (r) =>
      r.group === name && r.channel === 'import' && r.phase === phase && seconds(r.windowSeconds) && r.rawWh !== null,
  )

const faultsOf = (ledger: readonly LedgerRecord[]): string[] => {
  const says: string[] = []
  const published = { key: topics.loadPublic.key, decode: publicCodec.decode }
  const verifier = verifyLedger({ published, cap: documentedCap, found: (fault) => says.push(JSON.stringify(fault)) })
  for (const link of ledger) verifier.follow(link)
  verifier.finish()
  return says
}

const days: readonly (readonly [string, string, number])[] = [
  ['an ordinary day', '2026-01-15', 48],
  ['a day of 23 hours', '2026-03-29', 46],
  ['a day of 25 hours', '2026-10-25', 50],
]

describe('longer windows', () => {
  for (const [what, date, halfHours] of days) {
    const day = dayNamed('Europe/Berlin', date)
    const partials = partialsOf(date, day.start, halfHours)
    const sumOf = (feeder: number, from: number, count: number, phases: readonly ('preliminary' | 'late')[]): number =>
      Array.from({ length: count }, (_, k) =>
        phases.reduce((sum, phase) => sum + wh(feeder, from + k, phase), 0),
      ).reduce((a, b) => a + b, 0)
    const { ledger, rows } = drive({
      operator: releaseOperator({ policy, register, noise: zeroNoise }),
      partials,
      batches: [5],
    })
    const records = opened(ledger).filter(({ window }) => window < day.end)

    it(`hold on ${what} what their windows hold, with the late increment too`, () => {
      const hourly = of(records, 'feeder-2', (s) => s === 3_600, 'preliminary')
      assert.deepEqual(
        hourly.map(({ window, rawWh }) => [window, rawWh]),
        Array.from({ length: halfHours / 2 }, (_, n) => [
          day.start + n * hours(1),
          sumOf(1, 2 * n, 2, ['preliminary']),
        ]),
      )
      assert.deepEqual(
        of(records, 'feeder-2', (s) => s === 3_600, 'final').map(({ rawWh }) => rawWh),
        hourly.map((_, n) => sumOf(1, 2 * n, 2, ['preliminary', 'late'])),
      )
      const length = halfHours * 1_800
      for (const [phase, phases] of [
        ['preliminary', ['preliminary']],
        ['final', ['preliminary', 'late']],
      ] as const) {
        assert.deepEqual(
          of(records, 'feeder-3', (s) => s === length, phase).map(({ window, rawWh }) => [window, rawWh]),
          [[day.start, sumOf(2, 0, halfHours, phases)]],
        )
      }
    })

    it(`are told on ${what} where a group is withheld in short ones, and only for such groups`, () => {
      const flags = new Map(
        records
          .filter(({ windowSeconds, phase }) => windowSeconds === 1_800 && phase === 'preliminary')
          .map(({ group: name, flags: own, mergedInto }) => [name, [...own, mergedInto]]),
      )
      assert.deepEqual(flags.get('feeder-1'), [null])
      assert.deepEqual(flags.get('feeder-2'), ['withheld_not_useful', 'coarser_windows', 'substation/substation-1'])
      assert.deepEqual(flags.get('feeder-4'), ['withheld_not_useful', 'substation/substation-1'])
      const longer = records.filter(({ windowSeconds }) => windowSeconds > 1_800)
      assert.deepEqual([...new Set(longer.map(({ group: name }) => name))].sort(), ['feeder-2', 'feeder-3'])
      assert.ok(longer.every(({ flags: own, mergedInto }) => mergedInto === null && !own.includes('coarser_windows')))
    })

    it(`are sealed on ${what} once, with the last window in them, at its tick, and all rows are closed`, () => {
      assert.deepEqual(faultsOf(ledger), [])
      const seals = ledger.flatMap((link) => (link.kind === 'seal' ? [link] : []))
      seals.forEach((seal, i) => {
        if (seal.windowSeconds === 1_800) return
        const end = seal.window + seal.windowSeconds * 1_000
        const short = seals.findIndex(
          (other) =>
            other.windowSeconds === 1_800 &&
            other.window === end - minutes(30) &&
            other.phase === seal.phase &&
            other.channel === seal.channel,
        )
        assert.ok(short >= 0 && short < i)
        assert.equal(seal.tick, seals[short]!.tick)
      })
      const left = [...rows.keys()].filter((row) => {
        const [kind, name] = row.split(' ')
        return kind === 'plan' ? name === date : /^(sums|noisy)$/.test(kind!) && Date.parse(name!) < day.end
      })
      assert.deepEqual(left, [])
    })

    it(`are published on ${what} byte for byte, and forecasts and period sums take them`, () => {
      const published = drivePublish(ledger).map(({ bytes }) => publicCodec.decode(bytes))
      assert.deepEqual(published, opened(ledger))
      const own = records.filter(({ group: name, channel }) => name === 'feeder-3' && channel === 'import')
      const [sum] = periodSums(own, [{ name: 'the day', start: day.start, end: day.end }])
      assert.deepEqual([sum!.rawWh, sum!.missingSeconds], [sumOf(2, 0, halfHours, ['preliminary', 'late']), 0])
      const step = forecast({ timeZone: 'Europe/Berlin' })
      const out = collector<ForecastPublic>()
      step.process(published.map(envelope), step.restore([], []), out, {} as never)
    })
  }

  it('stand after restarts at every step as without any', () => {
    const day = dayNamed('Europe/Berlin', '2026-03-29')
    const partials = partialsOf('2026-03-29', day.start, 46)
    const run = (fate?: (n: number) => Fate) => {
      const operator = releaseOperator({ policy, register, noise: zeroNoise, sealsPerStep: 16 })
      return drive({ operator, partials, batches: [4], ...(fate ? { fate } : {}) })
    }
    const calm = run()
    const fates: Fate[] = ['commit', 'lose', 'commit and die']
    for (let first = 0; first < 3; first++) {
      const stormy = run((n) => (n > 200 ? 'commit' : fates[(n + first) % 3]!))
      assert.deepEqual(opened(stormy.ledger), opened(calm.ledger))
    }
  })

  it('are found missing when they are restored from a ledger without them', () => {
    const day = dayNamed('Europe/Berlin', '2026-01-15')
    const partials = partialsOf('2026-01-15', day.start, 48).slice(0, 40)
    const operator = releaseOperator({ policy, register, noise: zeroNoise })
    const { rows, ledger } = drive({ operator, partials })
    const at = ledger.findLastIndex((link) => link.kind === 'seal' && link.windowSeconds === 3_600)
    const without = ledger.filter((_, i) => i !== at)
    const stored = [...rows].map(([row, body]) => ({ row, body }))
    assert.throws(() => operator.restore(stored, without), /broken at link/)
  })
})

describe('the noise of longer windows', () => {
  it('is drawn with the variance that the level’s rho buys for so many windows, once', () => {
    const day = dayNamed('Europe/Berlin', '2026-01-15')
    const noise = countingNoise()
    drive({
      operator: releaseOperator({ policy, register, noise }),
      partials: partialsOf('2026-01-15', day.start, 48).slice(0, 2 * 48 + 2),
    })
    const drawn = Map.groupBy(noise.drawn, rational.format)
    const count = (windows: number) => drawn.get(rational.format(termsOver(resolved, 'feeder', windows).sigma2))?.length
    // 47 half hours and 23 hours are over with their grace; both channels; the day is not.
    assert.deepEqual([count(1), count(2), count(48)], [47 * 2, 23 * 2, undefined])
  })

  it('costs no more than the level is charged, for any split of a day over phases, channels and lengths', () => {
    const { clipWh, rho } = resolved.levels.feeder
    // A vector of norm S: the worst there is. Sums over m windows take the part in one phase and channel together.
    for (const windows of [2, 46, 48, 50]) {
      const terms = termsOver(resolved, 'feeder', windows)
      const worst = rational.integer(BigInt(clipWh) ** 2n * BigInt(windows))
      assert.ok(rational.compare(gaussianRho(worst, terms.sigma2), rho) <= 0)
      assert.ok(rational.compare(gaussianRho(rational.integer(BigInt(terms.clipWh) ** 2n), terms.sigma2), rho) === 0)
      // And hardly less: the bound is rounded up by less than 1 Wh.
      const part = rational.toNumber(rational.div(gaussianRho(worst, terms.sigma2), rho), 'down')
      assert.ok(part > 0.999)
    }
  })

  it('would be too small if the bound did not grow with the length, which this test can see', () => {
    const { clipWh, rho, sigma2 } = resolved.levels.feeder
    const worst = rational.integer(BigInt(clipWh) ** 2n * 2n)
    assert.ok(rational.compare(gaussianRho(worst, sigma2), rho) > 0)
  })
})

describe('the grid with longer windows', () => {
  it('has hours from local midnight on, the last one shorter where the day does not end with one', () => {
    const zone = 'Australia/Lord_Howe'
    const day = dayNamed(zone, '2026-04-05')
    const seals = gridSeals(zone, day, policyWith({}), 'preliminary', [3_600, 86_400])
    const longer = seals.filter(({ coarserSeconds, channel }) => coarserSeconds === 3_600 && channel === 'import')
    assert.deepEqual(
      longer.map(({ windowSeconds, windows }) => [windowSeconds, windows]),
      [...new Array(24).fill([3_600, 2]), [1_800, 1]],
    )
    assert.equal(seals.at(-1)!.windowSeconds, 49 * 1_800)
    const dues = seals.map(({ due }) => due)
    assert.deepEqual(
      dues,
      [...dues].sort((a, b) => a - b),
    )
  })
})
