import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { simulationRandom } from '../../../bench/fleet/random.ts'
import { boundPool } from '../../../bench/utility/bounded-pool.ts'
import { treeOf } from '../../../bench/utility/groups.ts'
import { lateErrors, latePool } from '../../../bench/utility/late.ts'
import { rowGoals } from '../../../bench/utility/rows.ts'
import { byLevel, levels } from '../../../schemas/register-entry.ts'
import { fuse, households, members, policy } from './hourly.ts'

const four = { clip: policy.clipWhPerHalfHour, cap: fuse }
const one = byLevel((level) => ({ clip: policy.clipWhPerHalfHour[level], cap: fuse }))
const late = latePool(households, members, policy, four)
const pool = boundPool(households, members, policy, { one, four })

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((total, value) => total + value, 0)

describe('readings that come late in the utility bench', () => {
  it('count once, in one phase or the other, and never for more than they are', () => {
    late.forEach(({ inTime, late: after }, i) => {
      for (const level of levels) {
        const { exact } = pool[i]!
        exact.forEach((wh, at) => {
          const [early, later] = [inTime[level][at]!, after[level][at]!]
          assert.ok(early + later <= wh)
          assert.ok(early === 0 || later === 0, 'one meter has one reading of a window')
        })
      }
    })
  })

  it('leave the norm of every member and local day within S, both phases together', () => {
    for (const { inTime, late: after } of late) {
      for (const level of levels) {
        const clip = policy.clipWhPerHalfHour[level] * Math.SQRT2
        for (let day = 0; day < 13; day++) {
          const values = inTime[level]
            .subarray(day * 24, day * 24 + 24)
            .map((wh, i) => wh + after[level][day * 24 + i]!)
          assert.ok(Math.hypot(...values) <= clip)
        }
      }
    }
  })

  it('are as many as the fleet has by default: some nine of a hundred, most of which come by the cut-off', () => {
    const of = (phase: 'inTime' | 'late') => late.reduce((total, each) => total + sum(each[phase].utility), 0)
    const counted = pool.reduce((total, { bounded }) => total + sum(bounded.utility), 0)
    const [missing, missingAtLast] = [1 - of('inTime') / counted, 1 - (of('inTime') + of('late')) / counted]
    assert.ok(missing > 0.06 && missing < 0.11, `${missing}`)
    assert.ok(missingAtLast > 0.005 && missingAtLast < 0.03, `${missingAtLast}`)
  })

  it('are what preliminary values are too low by, and what is expected makes them better where noise is small', () => {
    const tree = treeOf(pool, simulationRandom(1, 'topology', 1), 1_000)
    const errors = lateErrors(tree, late, policy, households, 7).get('utility')!
    assert.ok(errors.preliminary >= errors.missing, 'the mean shortfall is part of the error')
    assert.ok(Math.abs(errors.expected / errors.came - 1) < 0.5, `${errors.expected} of ${errors.came}`)
    assert.ok(errors.withExpected < errors.preliminary / 2, `${errors.withExpected} of ${errors.preliminary}`)
    assert.ok(errors.final < errors.preliminary / 2, `${errors.final} of ${errors.preliminary}`)
  })
})

describe('the goals of the utility bench', () => {
  it('are those of half hours, and 1.41 times that for quarter hours', () => {
    assert.deepEqual(rowGoals(10_000, 'rough', 1_800), { one: 2.1, four: 4.6 })
    assert.deepEqual(rowGoals(10_000, 'rough', 900), { one: 2.97, four: 6.51 })
  })
})
