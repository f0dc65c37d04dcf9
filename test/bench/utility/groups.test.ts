import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { simulationRandom } from '../../../bench/fleet/random.ts'
import { boundPool } from '../../../bench/utility/bounded-pool.ts'
import { drawRough, drawSmooth, sumOf, treeOf } from '../../../bench/utility/groups.ts'
import { syntheticHouseholds } from '../../../bench/utility/households.ts'
import { releaseErrors } from '../../../bench/utility/released.ts'
import { byLevel, levels } from '../../../schemas/register-entry.ts'
import { fuse, households, members, policy } from './hourly.ts'

const bounds = {
  one: byLevel((level) => ({
    clip: policy.clipWhPerHalfHour[level],
    cap: level === 'feeder' ? { ...fuse, whPerHour: 800 } : fuse,
  })),
  four: { clip: policy.clipWhPerHalfHour, cap: fuse },
}
const pool = boundPool(households, members, policy, bounds)
const random = () => simulationRandom(1, 'topology', 1)

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((total, value) => total + value, 0)

describe('the populations of the utility bench', () => {
  it('begin at a Monday midnight in London and follow the clock change', () => {
    assert.equal(new Date(households.start).toISOString(), '2013-03-18T00:00:00.000Z')
    assert.equal(households.windows, 14 * 24 - 1)
  })

  it('have a value in every window, also where the dates are shifted over the clock change', () => {
    const winter = syntheticHouseholds(3, 1, 900, Date.UTC(2013, 1, 11), 35)
    for (const weeks of [-4, 0, 4]) assert.equal(winter.series(0, weeks).imported.length, winter.windows)
  })

  it('count at each level no more than is there, and at the widest nearly all', () => {
    for (const { exact, bounded } of pool) {
      for (const level of levels) bounded[level].forEach((wh, i) => void assert.ok(wh <= exact[i]!))
      assert.ok(sum(bounded.feeder) <= sum(bounded.utility))
    }
  })

  it('keep the norm of every member and local day within S', () => {
    for (const { bounded } of pool) {
      for (const level of levels) {
        const clip = policy.clipWhPerHalfHour[level] * Math.SQRT2
        for (let day = 0; day < 13; day++) {
          const values = bounded[level].subarray(day * 24, day * 24 + 24)
          assert.ok(Math.hypot(...values) <= clip)
        }
      }
    }
  })

  it('draw as many households as asked for', () => {
    assert.equal(sum([...drawSmooth(random(), members.length, 3_000, 1_000).values()]), 3_000)
    assert.equal(sum([...drawRough(random(), 1_000).values()]), 1_000)
  })

  it('make trees whose true sums add up', () => {
    const tree = treeOf(pool, random(), 10)
    assert.equal(tree.length, 1_111)
    for (const whole of tree.filter(({ level }) => level !== 'feeder')) {
      const parts = tree.filter(({ parent }) => parent === whole.group)
      assert.equal(parts.length, 10)
      assert.equal(sum(parts.map(({ truth }) => truth[100]!)), whole.truth[100])
      assert.equal(sum(parts.map(({ size }) => size)), whole.size)
    }
  })
})

describe('the errors of the utility bench', () => {
  const mix = drawSmooth(random(), members.length, 1_000, 1_000)
  const group = { level: 'feeder', group: 'g', parent: null, size: 1_000, mix, ...sumOf(pool, mix, 'feeder') } as const

  it('are those of noise and clip together, and the intervals hold what they say', () => {
    const { raw, clip, consistent, covered, intervals } = releaseErrors([group], policy, households, 1).get('feeder')!
    const load = sum(group.truth.subarray(24)) / (group.truth.length - 24)
    const sigma = (policy.clipWhPerHalfHour.feeder * Math.SQRT2) / Math.sqrt((2 * 0.02435597) / 4) / load
    // Six standard errors of a sum of squares.
    const expected = Math.hypot(sigma, clip)
    assert.ok(Math.abs(raw / expected - 1) < 6 / Math.sqrt(2 * intervals), `${raw} ${expected}`)
    assert.equal(raw, consistent)
    assert.ok(Math.abs(covered - 0.95) < 6 * Math.sqrt((0.95 * 0.05) / intervals))
  })

  it('are of no use where a group is withheld, and say so', () => {
    assert.throws(() => releaseErrors([{ ...group, size: 60 }], policy, households, 1), /is withheld/)
  })
})
