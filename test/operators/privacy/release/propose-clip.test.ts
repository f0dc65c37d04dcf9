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

  it('leave out levels without homes, and refuse days that are none', () => {
    assert.deepEqual(proposeClip(defaultPolicy, alike, {}), [])
    for (const days of [[], [[]], [flat(1), [1]], [flat(0)]]) {
      assert.throws(() => proposeClip(defaultPolicy, days, { feeder: 10 }), RangeError)
    }
  })
})
