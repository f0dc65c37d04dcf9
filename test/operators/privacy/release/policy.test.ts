import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gaussianRho, rational } from 'diffprivlib-ts'
import {
  clipFor,
  defaultPolicy,
  PolicyError,
  type ReleasePolicy,
  resolvePolicy,
  squareRoot,
} from '../../../../operators/privacy/release/policy.ts'
import { levels } from '../../../../schemas/register-entry.ts'

describe('release policy', () => {
  it('splits the cap equally and spends exactly all of it', () => {
    const resolved = resolvePolicy(defaultPolicy)
    assert.equal(rational.format(resolved.cap), '2435597/100000000')
    assert.equal(rational.compare(resolved.rho, resolved.cap), 0)
    for (const level of levels) assert.equal(rational.format(resolved.levels[level].rho), '2435597/400000000')
  })

  it('takes the variance that the level’s rho buys, exactly', () => {
    for (const { clipWh, rho, sigma2 } of Object.values(resolvePolicy(defaultPolicy).levels)) {
      const sensitivity = rational.integer(BigInt(clipWh) ** 2n)
      assert.equal(rational.compare(gaussianRho(sensitivity, sigma2), rho), 0)
    }
  })

  it('gives a feeder noise of about 90.6 kWh per half hour', () => {
    const { sigma2, half } = resolvePolicy(defaultPolicy).levels.feeder
    assert.ok(Math.abs(Math.sqrt(rational.toNumber(sigma2, 'up')) - 90_618) < 1)
    assert.deepEqual(half[1], { half50Wh: 61_121, half95Wh: 177_608 })
    assert.deepEqual(half[2], { half50Wh: 86_438, half95Wh: 251_175 })
  })

  it('states an epsilon of at most 1 a day, and what a week and a year come to', () => {
    const { statement } = resolvePolicy(defaultPolicy).levels.feeder
    const { epsilonDay, epsilonWeek, epsilonYear, delta } = statement[1]
    assert.ok(epsilonDay <= 1 && epsilonDay > 0.999_999)
    assert.ok(Math.abs(epsilonWeek - 2.87) < 0.01)
    assert.ok(Math.abs(epsilonYear - 29.86) < 0.005)
    assert.ok(delta >= 1e-6 && delta < 1.000_001e-6)
  })

  it('shrinks S with the square root of the window, rounded down', () => {
    const clips = (windowSeconds: number) => levels.map((level) => clipFor({ ...defaultPolicy, windowSeconds }, level))
    assert.deepEqual(clips(1_800), [20_000, 15_000, 12_000, 10_000])
    assert.deepEqual(clips(900), [14_142, 10_606, 8_485, 7_071])
    assert.deepEqual(clips(3_600), [28_284, 21_213, 16_970, 14_142])
  })

  it('is frozen, with everything that follows from it', () => {
    const resolved = resolvePolicy(defaultPolicy)
    assert.ok(Object.isFrozen(resolved.levels.feeder.statement[1]))
    assert.throws(() => Object.assign(defaultPolicy.shares, { feeder: '1/1' }), TypeError)
  })

  const refused: readonly (readonly [string, Partial<ReleasePolicy>, RegExp])[] = [
    ['shares above the cap', { shares: { ...defaultPolicy.shares, feeder: '26/100' } }, /add up to 101\/100/],
    ['a share of nothing', { shares: { ...defaultPolicy.shares, feeder: '0/1' } }, /shares.feeder/],
    ['a decimal where a fraction belongs', { rhoPerDay: '0.02' }, /rhoPerDay must be a fraction/],
    ['a negative cap', { rhoPerDay: '-1/100' }, /rhoPerDay/],
    ['a delta of 0', { delta: '0/1' }, /delta/],
    ['windows of seven minutes', { windowSeconds: 420 }, /windowSeconds/],
    ['a grace beyond an hour', { graceSeconds: 3_601 }, /graceSeconds/],
    ['a cut-off at midnight', { cutOffHour: 0 }, /cutOffHour/],
    ['a fractional S', { clipWhPerHalfHour: { ...defaultPolicy.clipWhPerHalfHour, region: 1.5 } }, /region/],
    ['a count of 0', { rules: { ...defaultPolicy.rules, other: { minCount: 0, maxShare: null } } }, /minCount/],
    ['a share above 1', { rules: { ...defaultPolicy.rules, other: { minCount: 15, maxShare: '3/2' } } }, /maxShare/],
    ['a mean load of 0', { meanLoadWhPerDay: 0 }, /meanLoadWhPerDay/],
  ]
  for (const [what, change, message] of refused) {
    it(`refuses ${what}`, () => {
      assert.throws(
        () => resolvePolicy({ ...defaultPolicy, ...change }),
        (error) => error instanceof PolicyError && message.test(error.message),
      )
    })
  }

  it('takes whole square roots, rounded as asked', () => {
    for (const [n, down, up] of [
      [0n, 0n, 0n],
      [1n, 1n, 1n],
      [2n, 1n, 2n],
      [4n, 2n, 2n],
      [10n ** 40n - 1n, 10n ** 20n - 1n, 10n ** 20n],
      [10n ** 40n, 10n ** 20n, 10n ** 20n],
    ] as const) {
      assert.equal(squareRoot(n, 'down'), down)
      assert.equal(squareRoot(n, 'up'), up)
    }
  })
})
