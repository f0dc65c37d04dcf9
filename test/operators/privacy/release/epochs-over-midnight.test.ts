// Bounds change at a local midnight: every day is bounded, sealed and stated by its own, whenever its values come.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PolicyEpoch } from '../../../../operators/contract/policy-epoch.ts'
import { dayAfter, dayNamed } from '../../../../operators/privacy/release/day-grid.ts'
import { defaultPolicy, resolvePolicy } from '../../../../operators/privacy/release/policy.ts'
import type { DatedPolicy } from '../../../../operators/privacy/release/policy-epochs.ts'
import { loadPartialCodec } from '../../../../schemas/load-partial.ts'
import {
  type Bounding,
  boundingOf,
  type Clip,
  domain,
  faultsOf,
  heavyDays,
  partialsOf,
  type Reported,
  recordsOf,
  register,
} from '../../../helpers/epoch-simulation.ts'
import { checkRelease } from '../../../helpers/release-checker.ts'
import { type DriveOptions, drive, drivePublish } from '../../../helpers/release-driver.ts'
import { publicCodec, releaseOperator, zeroNoise } from '../../../helpers/release-fixtures.ts'

const base = defaultPolicy.clipWhPerHalfHour
const dated = (...epochs: readonly PolicyEpoch[]): DatedPolicy => ({ ...defaultPolicy, epochs })
const loadOf = (policy: DatedPolicy) => releaseOperator({ domain, register, policy, noise: zeroNoise })

/** Three local days around a change, with [readings] and [load] under the same policy unless stated. */
function run(policy: DatedPolicy, change: string, rest: Partial<DriveOptions> = {}, bounding = boundingOf(policy)) {
  const last = dayAfter(domain.timeZone, dayNamed(domain.timeZone, change)).date
  const before = new Date(Date.parse(`${change}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10)
  const partials = partialsOf(heavyDays(before, last), () => bounding)
  const { ledger } = drive({ operator: loadOf(policy), partials, batches: [4], ...rest })
  return { partials, ledger, days: [before, change, last] as const }
}

const narrow: Clip = { utility: 14_000, region: 11_000, substation: 9_000, feeder: 7_000 }
const wide: Clip = { utility: 26_000, region: 19_000, substation: 15_000, feeder: 13_000 }
const mixed: Clip = { ...base, utility: 26_000, feeder: 7_000 }

describe('a change of bounds at midnight', () => {
  const cases: readonly (readonly [what: string, change: string, clip: Clip])[] = [
    ['to narrower ones', '2026-01-15', narrow],
    ['to wider ones', '2026-01-15', wide],
    ['to wider ones above and narrower ones below', '2026-01-15', mixed],
    ['to narrower ones at the start of the day of 25 hours', '2026-10-25', narrow],
    ['to wider ones at the start of the day of 25 hours', '2026-10-25', wide],
    ['to narrower ones at the end of the day of 25 hours', '2026-10-26', narrow],
    ['to wider ones at the end of the day of 25 hours', '2026-10-26', wide],
    ['to wider ones at the start of the day of 23 hours', '2026-03-29', wide],
  ]
  for (const [what, change, clip] of cases) {
    it(`leaves every day with its own: ${what}`, () => {
      const policy = dated({ from: change, clipWhPerHalfHour: clip })
      const { partials, ledger, days } = run(policy, change)
      const clips = new Map(days.map((date) => [date, date < change ? base : clip]))
      assert.deepEqual(faultsOf(ledger, clips), [])
      assert.ok(
        partials.some(({ cells }) => new Set(cells.map(({ date }) => date)).size === 2),
        'no batch holds values of both days',
      )
      const { cap } = resolvePolicy(defaultPolicy)
      const published = drivePublish(ledger)
      assert.deepEqual(checkRelease({ ledger, published, codec: publicCodec, cap }), [])
    })
  }

  it('is the same through restarts', () => {
    const policy = dated({ from: '2026-10-25', clipWhPerHalfHour: mixed })
    const calm = run(policy, '2026-10-25')
    const fate: DriveOptions['fate'] = (n) => (['commit', 'lose', 'commit', 'commit and die'] as const)[n % 4]!
    const rough = run(policy, '2026-10-25', { fate })
    const shown = ({ ledger }: typeof calm) =>
      recordsOf(ledger).map(({ ledgerHash: _, ledgerSeq: __, ...record }) => record)
    assert.deepEqual(shown(rough), shown(calm))
  })

  it('changes no byte where the epochs repeat the bounds that hold', () => {
    const same = dated({ from: '2026-10-25', clipWhPerHalfHour: base }, { from: '2026-10-26', capRule: 'fuse' })
    const [plain, equal] = [run(defaultPolicy, '2026-10-25'), run(same, '2026-10-25')]
    const bytes = ({ partials }: typeof plain) =>
      partials.map((partial) => Buffer.from(loadPartialCodec.encode(partial)).toString('hex'))
    assert.deepEqual(bytes(equal), bytes(plain))
    assert.deepEqual(equal.ledger, plain.ledger)
    assert.ok(plain.ledger.length > 300)
  })
})

describe('a late value of the day before a change', () => {
  const noon = Date.parse('2026-10-25T12:00+01:00')
  const midnight = Date.parse('2026-10-26T00:00+01:00')
  const minutes = (n: number): number => n * 60_000
  const prompt = (start: number, wh: number): Reported => ({ start, receivedAt: start + minutes(31), wh })
  /** Two values of the old day, one of it at 03:00 of the new one, in one batch with one of that. */
  const reported: readonly Reported[] = [
    prompt(midnight - minutes(25 * 60), 0),
    prompt(noon, 6_000),
    prompt(noon + minutes(30), 6_000),
    prompt(midnight + minutes(120), 6_000),
    prompt(midnight + minutes(150), 6_000),
    { start: noon + minutes(60), receivedAt: midnight + minutes(181), wh: 6_000 },
    // A day on, so that everything falls due.
    prompt(midnight + minutes(31 * 60), 0),
  ]
  for (const [what, feeder] of [
    ['narrower', 8_000],
    ['wider', 12_000],
  ] as const) {
    it(`is released a second time under the old bound, not the ${what} new one`, () => {
      const policy = dated({ from: '2026-10-26', clipWhPerHalfHour: { feeder } })
      const partials = partialsOf(reported, () => boundingOf(policy))
      assert.ok(partials.some(({ cells }) => new Set(cells.map(({ date }) => date)).size === 2))
      const records = recordsOf(drive({ operator: loadOf(policy), partials }).ledger)
      const shown = (window: number, wanted: string) => {
        const { rawWh, privacy } = records.find(
          ({ level, channel, window: start, phase }) =>
            level === 'feeder' && channel === 'import' && start === window && phase === wanted,
        )!
        return [rawWh, privacy.clipWh]
      }
      const left = (clipWh: number): number => Math.min(6_000, Math.floor(Math.sqrt(clipWh ** 2 - 6_000 ** 2)))
      assert.deepEqual(shown(noon + minutes(60), 'preliminary'), [0, 10_000])
      // Two values of 6,000 leave 5,291 of 10,000.
      assert.deepEqual(shown(noon + minutes(60), 'final'), [5_291, 10_000])
      assert.deepEqual(shown(midnight + minutes(150), 'final'), [left(feeder), feeder])
    })
  }
})

describe('a day that was bounded by what is not its own', () => {
  const change = '2026-10-26'
  const days = ['2026-10-25', '2026-10-26', '2026-10-27'] as const
  const clips = new Map<string, Clip>([
    [days[0], base],
    [days[1], wide],
    [days[2], wide],
  ])
  const policy = dated({ from: change, clipWhPerHalfHour: wide })
  const right = boundingOf(policy)
  const always = (clip: Clip) => () => clip
  const withheld = (date: string) => ['feeder', 'region', 'substation', 'utility'].map((l) => `${date} ${l}: withheld`)

  it('is found where the old day was bounded by the new S, and [readings] says so', () => {
    const planted: Bounding = { takes: always(wide), says: always(wide) }
    const faults = faultsOf(run(policy, change, {}, planted).ledger, clips)
    for (const each of withheld(days[0])) assert.ok(faults.includes(each), each)
    assert.ok(faults.every((fault) => fault.startsWith(days[0])))
  })

  it('is found where the old day was bounded by the new S, and [readings] says that it was not', () => {
    const planted: Bounding = { takes: always(wide), says: right.says }
    const faults = faultsOf(run(policy, change, {}, planted).ledger, clips)
    assert.deepEqual(
      faults,
      ['feeder', 'region', 'substation', 'utility'].map((l) => `${days[0]} ${l}: beyond its bound`),
    )
  })

  it('is found where only its late values were', () => {
    // What a clip by the date of arrival would do.
    const midnight = dayNamed(domain.timeZone, change).start
    const partials = partialsOf(heavyDays(days[0], days[2]), (at) => ({
      takes: always(at < midnight ? base : wide),
      says: right.says,
    }))
    const faults = faultsOf(drive({ operator: loadOf(policy), partials, batches: [4] }).ledger, clips)
    assert.deepEqual(faults, [`${days[0]} utility: beyond its bound`])
  })

  it('is withheld where [load] does not know of the epoch', () => {
    const faults = faultsOf(run(policy, change, { operator: loadOf(defaultPolicy) }).ledger, clips)
    for (const date of days.slice(1)) for (const each of withheld(date)) assert.ok(faults.includes(each), each)
  })

  it('is withheld where [load] states another rule for C than [readings] bounded by', () => {
    const halves = dated({ from: change, capRule: 'fuse, at most half of what is left' })
    for (const [readings, load] of [
      [halves, defaultPolicy],
      [defaultPolicy, halves],
    ] as const) {
      const { ledger } = run(load, change, {}, boundingOf(readings))
      const shown = new Map<string, Set<boolean>>()
      for (const { date, rawWh } of recordsOf(ledger)) {
        shown.set(date, (shown.get(date) ?? new Set()).add(rawWh !== null))
      }
      assert.ok(shown.get(days[0])!.has(true))
      for (const date of days.slice(1)) assert.deepEqual([...shown.get(date)!], [false], date)
    }
    const rules = recordsOf(run(halves, change).ledger).map(({ date, rawWh, privacy: { capRule } }) => {
      assert.ok(rawWh !== null)
      return `${date} ${capRule}`
    })
    assert.deepEqual([...new Set(rules)].sort().slice(0, 2), [
      `${days[0]} fuse`,
      `${days[1]} fuse, at most half of what is left`,
    ])
  })

  it('is withheld from the change on where an epoch names the running day, and no other day is', () => {
    const noon = Date.parse('2026-10-25T12:00+01:00')
    const now = dated({ from: days[0], clipWhPerHalfHour: wide })
    const partials = partialsOf(heavyDays(days[0], days[2]), (at) => boundingOf(at < noon ? defaultPolicy : now))
    const [before, after] = [loadOf(defaultPolicy), loadOf(now)]
    // Both pipelines are restarted at noon with the new epoch.
    const cut = partials.findIndex(({ progress }) => progress > noon)
    let isAfter = false
    const operator: typeof before = {
      ...before,
      process: (batch, state, out, context) => {
        if (batch.some(({ value }) => value.seq > cut)) isAfter = true
        return (isAfter ? after : before).process(batch, state, out, context)
      },
    }
    const { ledger } = drive({ operator, partials })
    const shown = (from: number, to: number) => [
      ...new Set(
        recordsOf(ledger)
          .filter(({ window, phase }) => phase === 'preliminary' && window >= from && window < to)
          .map(({ rawWh }) => rawWh !== null),
      ),
    ]
    const { start, end } = dayNamed(domain.timeZone, days[0])
    assert.deepEqual(shown(start, noon - 3_600_000), [true])
    assert.deepEqual(shown(noon, end), [false])
    assert.deepEqual(shown(end, end + 86_400_000), [true])
    const next = new Map([
      [days[1], wide],
      [days[2], wide],
    ])
    assert.deepEqual(faultsOf(ledger, next), [])
  })
})
