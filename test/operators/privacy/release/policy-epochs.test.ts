import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { PolicyEpoch } from '../../../../operators/contract/policy-epoch.ts'
import { planData, planDay, planFromData } from '../../../../operators/privacy/release/day-plan.ts'
import {
  clipFor,
  defaultPolicy,
  PolicyError,
  type ResolvedPolicy,
  resolvePolicy,
} from '../../../../operators/privacy/release/policy.ts'
import { policyEpochs } from '../../../../operators/privacy/release/policy-epochs.ts'
import { levels } from '../../../../schemas/register-entry.ts'
import { groups } from '../../../helpers/release-fixtures.ts'

const base = defaultPolicy.clipWhPerHalfHour
const epochsOf = (...epochs: readonly PolicyEpoch[]) => policyEpochs({ ...defaultPolicy, epochs })
const stated = ({ policy: { smoothedClipWhPerHalfHour: _, ...policy } }: ResolvedPolicy) => policy

describe('the bounds of a local date', () => {
  const two: readonly PolicyEpoch[] = [
    { from: '2026-11-01', clipWhPerHalfHour: { feeder: 8_000 }, capRule: 'fuse, at most 9000 Wh per hour' },
    { from: '2027-02-01', clipWhPerHalfHour: { feeder: 9_000, utility: 30_000 } },
    { from: '2027-03-01', capRule: 'fuse' },
  ]
  const cases: readonly (readonly [date: string, feeder: number, utility: number, cap: number])[] = [
    ['1999-01-01', 10_000, 20_000, Number.POSITIVE_INFINITY],
    ['2026-10-31', 10_000, 20_000, Number.POSITIVE_INFINITY],
    ['2026-11-01', 8_000, 20_000, 9_000],
    ['2027-01-31', 8_000, 20_000, 9_000],
    ['2027-02-01', 9_000, 30_000, 9_000],
    ['2027-02-28', 9_000, 30_000, 9_000],
    ['2027-03-01', 9_000, 30_000, Number.POSITIVE_INFINITY],
    ['2099-12-31', 9_000, 30_000, Number.POSITIVE_INFINITY],
  ]
  for (const [date, feeder, utility, cap] of cases) {
    it(`are those of the last epoch that began on or before it: ${date}`, () => {
      const { on, clipOn, capOn } = epochsOf(...two)
      const clip = { ...base, feeder, utility }
      assert.deepEqual(clipOn(date), clip)
      assert.deepEqual(capOn(date), { whPerHour: cap, half: false })
      const resolved = on(date)
      assert.deepEqual(resolved.policy.clipWhPerHalfHour, clip)
      for (const level of levels) {
        const { clipWh, statement, sigma2, half } = resolved.levels[level]
        assert.equal(clipWh, clip[level])
        assert.equal(statement[1].clipWh, clip[level])
        assert.equal(statement[1].capRule, Number.isFinite(cap) ? `fuse, at most ${cap} Wh per hour` : 'fuse')
        const fresh = resolvePolicy({ ...defaultPolicy, clipWhPerHalfHour: clip }).levels[level]
        assert.deepEqual([sigma2, half], [fresh.sigma2, fresh.half])
      }
    })
  }

  it('are for windows of the policy, as clipFor says', () => {
    const quarter = { ...defaultPolicy, windowSeconds: 900, epochs: two }
    const { clipOn } = policyEpochs(quarter)
    const inForce = { ...quarter, clipWhPerHalfHour: { ...base, feeder: 8_000 } }
    for (const level of levels) assert.equal(clipOn('2026-12-01')[level], clipFor(inForce, level))
  })

  it('come as one object for days of the same terms, so that what is worked out of them is kept', () => {
    const { on } = epochsOf(...two)
    assert.equal(on('2026-10-01'), on('2026-10-31'))
    assert.equal(on('2026-11-01'), on('2026-12-01'))
    assert.equal(on('2027-01-01'), on('2027-01-31'))
  })

  it('are the policy itself without epochs', () => {
    const { on } = policyEpochs(defaultPolicy)
    assert.deepEqual(on('2026-11-01'), resolvePolicy(defaultPolicy))
    assert.ok(!('epochs' in epochsOf(...two).on('2026-11-01').policy))
  })

  it('are those of the policy on every date where all epochs repeat them', () => {
    const day = fc.integer({ min: 0, max: 40_000 }).map((n) => new Date(n * 86_400_000).toISOString().slice(0, 10))
    fc.assert(
      fc.property(fc.uniqueArray(day, { maxLength: 5 }), fc.subarray([...levels]), day, (dates, named, date) => {
        const clip = Object.fromEntries(named.map((level) => [level, base[level]]))
        const { on, clipOn, capOn } = epochsOf(...dates.sort().map((from) => ({ from, clipWhPerHalfHour: clip })))
        assert.deepEqual(on(date), resolvePolicy(defaultPolicy))
        assert.deepEqual(planDay(on(date), groups).digest, planDay(resolvePolicy(defaultPolicy), groups).digest)
        assert.deepEqual([clipOn(date), capOn(date)], [base, { whPerHour: Number.POSITIVE_INFINITY, half: false }])
      }),
      { numRuns: Math.min(Number(process.env['MV_CASES'] ?? 50), 1_000) },
    )
  })

  const halves: readonly (readonly [rule: string, whPerHour: number])[] = [
    ['fuse, at most half of what is left', Number.POSITIVE_INFINITY],
    ['fuse, at most 9000 Wh per hour, at most half of what is left', 9_000],
  ]
  for (const [capRule, whPerHour] of halves) {
    it(`have C as the rule says, and the rule in each record: ${capRule}`, () => {
      const { on, capOn } = epochsOf({ from: '2026-11-01', capRule })
      assert.deepEqual(capOn('2026-11-01'), { whPerHour, half: true })
      for (const level of levels) assert.equal(on('2026-11-01').levels[level].statement[2].capRule, capRule)
    })
  }

  const wrong: readonly (readonly [what: string, epochs: readonly PolicyEpoch[], says: RegExp])[] = [
    ['a date that is none', [{ from: '2026-02-30' }], /2026-02-30 must be a date/],
    ['a date with a time', [{ from: '2026-02-03T00:00' }], /must be a date/],
    ['dates out of order', [{ from: '2026-02-03' }, { from: '2026-02-02' }], /2026-02-02 must come after 2026-02-03/],
    ['a date twice', [{ from: '2026-02-03' }, { from: '2026-02-03' }], /must come after/],
    ['a bound of nothing', [{ from: '2026-02-03', clipWhPerHalfHour: { feeder: 0 } }], /clipWhPerHalfHour\.feeder/],
    ['a level that is none', [{ from: '2026-02-03', clipWhPerHalfHour: { street: 1 } as object }], /street/],
    ['a rule of C that nothing follows', [{ from: '2026-02-03', capRule: 'half the fuse' }], /capRule must be "fuse"/],
    [
      'its parts the other way round',
      [{ from: '2026-02-03', capRule: 'fuse, at most half of what is left, at most 9 Wh per hour' }],
      /capRule/,
    ],
    ['a cap of nothing', [{ from: '2026-02-03', capRule: 'fuse, at most 0 Wh per hour' }], /capRule/],
  ]
  for (const [what, epochs, says] of wrong) {
    it(`refuse ${what}`, () =>
      assert.throws(
        () => epochsOf(...epochs),
        (error: Error) => {
          assert.ok(error instanceof PolicyError)
          assert.match(error.message, says)
          return true
        },
      ))
  }
})

describe('what smoothing remembers of wider bounds', () => {
  const { on } = epochsOf(
    { from: '2026-03-01', clipWhPerHalfHour: { feeder: 5_000 } },
    { from: '2026-03-21', clipWhPerHalfHour: { feeder: 8_000, utility: 40_000 } },
    { from: '2026-08-01', clipWhPerHalfHour: { utility: 50_000 } },
  )
  const cases: readonly (readonly [date: string, feeder: number | undefined, utility: number | undefined])[] = [
    ['2026-02-28', undefined, undefined],
    ['2026-03-01', 10_000, 20_000],
    // The last day with S = 10,000 is 42 days before 11 April.
    ['2026-03-21', 10_000, 40_000],
    ['2026-04-11', 10_000, 40_000],
    ['2026-04-12', undefined, undefined],
    ['2026-08-01', undefined, undefined],
  ]
  for (const [date, feeder, utility] of cases) {
    it(`stands in the terms of ${date}`, () => {
      const { smoothedClipWhPerHalfHour: wider } = on(date).policy
      assert.deepEqual([wider?.feeder, wider?.utility], [feeder, utility])
    })
  }

  it('changes nothing else of the day, and is frozen with its plan', () => {
    const [soon, later] = [on('2026-03-21'), on('2026-05-01')]
    assert.deepEqual(stated(soon), stated(later))
    assert.deepEqual([soon.rho, soon.levels], [later.rho, later.levels])
    const plan = planDay(soon, groups)
    assert.notDeepEqual(plan.digest, planDay(later, groups).digest)
    const again = planFromData(JSON.parse(JSON.stringify(planData(plan))))
    assert.deepEqual([again.digest, again.resolved], [plan.digest, soon])
  })
})
