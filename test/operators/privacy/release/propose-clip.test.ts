import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { defaultPolicy, resolvePolicy } from '../../../../operators/privacy/release/policy.ts'
import { proposeClip } from '../../../../operators/privacy/release/propose-clip.ts'

const flat = (wh: number): number[] => new Array<number>(48).fill(wh)
/** A norm of 500 x sqrt(48) = 3,464 Wh. */
const alike = [flat(500), flat(500)]

describe('proposed bounds', () => {
  it('are the least that takes nothing where homes are many, and tighter where they are few', () => {
    const [utility, feeder] = proposeClip(defaultPolicy, alike, { utility: 10_000_000, feeder: 20 })
    assert.equal(utility!.proposed.clipWh, 3_500)
    assert.deepEqual([utility!.proposed.bias, utility!.proposed.worstBias], [0, 0])
    assert.ok(feeder!.proposed.clipWh < 3_500)
    assert.ok(feeder!.proposed.bias > 0)
  })

  it('come with the noise and the bias of the present bound and their own', () => {
    const [{ present, proposed }] = proposeClip(defaultPolicy, alike, { feeder: 2_000 }) as [
      ReturnType<typeof proposeClip>[number],
    ]
    const { sigma2 } = resolvePolicy(defaultPolicy).levels.feeder
    const sigma = Math.sqrt(Number(sigma2.num) / Number(sigma2.den))
    assert.ok(Math.abs(present.noise / (sigma / (2_000 * 500)) - 1) < 1e-9)
    assert.equal(present.clipWh, 10_000)
    assert.ok(proposed.error <= present.error)
    assert.ok(proposed.noise < present.noise)
    for (const { noise, bias, worstBias, error } of [present, proposed]) {
      assert.ok(error >= noise && error >= bias && worstBias >= bias)
    }
  })

  it('take from the end of a day what its beginning used up', () => {
    const early = [...new Array<number>(24).fill(1_000), ...new Array<number>(24).fill(0)]
    const late = early.toReversed()
    const [first] = proposeClip(defaultPolicy, [early, late], { feeder: 20 })
    assert.ok(first!.proposed.worstBias > first!.proposed.bias)
  })

  const halves = { ...defaultPolicy, capRule: 'fuse, at most half of what is left' }

  it('follow C of the policy: what it cuts is bias, and half of what is left spares the end of a day', () => {
    const early = [...new Array<number>(24).fill(1_000), ...new Array<number>(24).fill(500)]
    const tight = {
      ...defaultPolicy.clipWhPerHalfHour,
      utility: 4_000,
      region: 4_000,
      substation: 4_000,
      feeder: 4_000,
    }
    const presentOf = (policy: typeof defaultPolicy) =>
      proposeClip({ ...policy, clipWhPerHalfHour: tight }, [early], { feeder: 1_000 })[0]!.present
    const [fuse, half] = [presentOf(defaultPolicy), presentOf(halves)]
    // Sixteen of 24 intervals at 1,000 Wh use 4,000 Wh up; by halves what is taken falls slowly.
    assert.equal(fuse.worstBias, 1_000 / 750)
    assert.ok(half.worstBias < 0.9 * fuse.worstBias && half.error < fuse.error)
    const low = presentOf({ ...defaultPolicy, capRule: 'fuse, at most 1000 Wh per hour' })
    assert.ok(Math.abs(low.bias - (24 * 500) / (48 * 750)) < 1e-12)
  })

  it('tell by halves what a narrow level does beside the widest one', () => {
    const feederOf = (utility: number) =>
      proposeClip(
        { ...halves, clipWhPerHalfHour: { utility, region: 2_000, substation: 2_000, feeder: 2_000 } },
        alike,
        {
          feeder: 1_000,
        },
      )[0]!.present
    assert.ok(feederOf(2_000).bias < feederOf(6_000).bias)
  })

  it('leave out levels without homes, and refuse days that are none', () => {
    assert.deepEqual(proposeClip(defaultPolicy, alike, {}), [])
    for (const days of [[], [[]], [flat(1), [1]], [flat(0)]]) {
      assert.throws(() => proposeClip(defaultPolicy, days, { feeder: 10 }), RangeError)
    }
  })
})
