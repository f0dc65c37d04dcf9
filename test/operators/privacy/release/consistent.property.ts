import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { rational } from 'diffprivlib-ts'
import fc from 'fast-check'
import type { RegisteredGroup } from '../../../../operators/contract/register.ts'
import { consistencyOf } from '../../../../operators/privacy/release/consistent.ts'
import { type DayPlan, planDay } from '../../../../operators/privacy/release/day-plan.ts'
import { defaultPolicy, resolvePolicy } from '../../../../operators/privacy/release/policy.ts'
import { levels } from '../../../../schemas/register-entry.ts'
import { group } from '../../../helpers/release-fixtures.ts'

const numRuns = Number(process.env['MV_CASES'] ?? 2_000)

const resolved = resolvePolicy(defaultPolicy)

/** Any tree of up to four levels: parents by chance, some left out, sizes on both sides of every rule. */
const plans: fc.Arbitrary<DayPlan> = fc
  .tuple(...[1, 3, 5, 8].map((most) => fc.array(fc.tuple(fc.nat(), size(), fc.nat(9)), { maxLength: most })))
  .map((byLevel) =>
    planDay(
      resolved,
      byLevel.flatMap((members, depth): RegisteredGroup[] => {
        const above = byLevel[depth - 1]?.length ?? 0
        return members.map(([parent, homes, orphan], i) => {
          const named = above > 0 && orphan > 0
          return group(levels[depth]!, `${depth}-${i}`, named ? `${depth - 1}-${parent % above}` : null, homes)
        })
      }),
    ),
  )

function size(): fc.Arbitrary<number> {
  return fc.oneof({ weight: 4, arbitrary: fc.constant(50_000) }, fc.constantFrom(0, 60, 2_000))
}

const noisy = fc.integer({ min: -(2 ** 40), max: 2 ** 40 })
const planned = plans.chain((plan) =>
  fc.tuple(
    fc.constant(plan),
    fc.tuple(...plan.groups.map(({ withheld }) => (withheld === null ? noisy : fc.constant(null)))),
  ),
)

/** Every whole that is shown beside parts that are all shown adds up to them. */
function misfits({ families }: DayPlan, values: readonly (number | null)[]): number {
  const parts = new Map<number, number[]>()
  for (const { whole, parts: members } of families) {
    if (whole !== undefined) parts.set(whole, [...(parts.get(whole) ?? []), ...members])
  }
  return [...parts].filter(([whole, members]) => {
    const shown = members.flatMap((i) => values[i] ?? [])
    if (values[whole] === null || shown.length < members.length) return false
    return shown.reduce((sum, value) => sum + BigInt(value), 0n) !== BigInt(values[whole]!)
  }).length
}

describe('consistent values of any tree', () => {
  it('add up exactly, give nothing for withheld groups and raise no variance', () => {
    fc.assert(
      fc.property(planned, ([plan, raw]) => {
        const { estimate, variances } = consistencyOf(plan)
        const values = estimate(raw)
        assert.equal(misfits(plan, values), 0)
        plan.groups.forEach(({ level, withheld }, i) => {
          assert.equal(values[i] === null, withheld !== null)
          if (withheld !== null) return
          assert.ok(Number.isSafeInteger(values[i]))
          assert.ok(variances[i]! <= rational.toNumber(resolved.levels[level].sigma2, 'up'))
        })
      }),
      { numRuns },
    )
  })

  it('would be found out if raw values were passed off as consistent', () => {
    assert.throws(() =>
      fc.assert(
        fc.property(planned, ([plan, raw]) => misfits(plan, raw) === 0),
        { numRuns: 2_000 },
      ),
    )
  })

  it('leave alone what adds up already', () => {
    fc.assert(
      fc.property(planned, ([plan, raw]) => {
        const once = consistencyOf(plan).estimate(raw)
        assert.deepEqual(consistencyOf(plan).estimate(once), once)
      }),
      { numRuns },
    )
  })
})
