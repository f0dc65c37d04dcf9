import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type Contest,
  calibration,
  choose,
  judged,
  newContest,
  pooledExcess,
  predictDay,
  scoreDay,
} from '../../../operators/forecast/contest.ts'
import { type Lineup, lineupOf } from '../../../operators/forecast/lineup.ts'
import { always, halfHours, monday, normals } from '../../helpers/forecast-fixtures.ts'

const grid = halfHours()
const ahead = Array.from({ length: 48 }, (_, n) => grid.momentAt(monday + n * 1_800_000))
const load = 1_000
const outlook = { born: monday, ahead, noise: 0, unit: 1, load }

/** A contest after days that each had these values. */
function after(lineup: Lineup, days: number, value: () => number, noise = 0, isPart = false): Contest {
  const contest = newContest(lineup)
  for (let day = 0; day < days; day++) {
    predictDay(contest, lineup, lineup.begin(), outlook, isPart)
    scoreDay(
      contest,
      ahead.map(() => ({ value: value(), noise })),
      load,
    )
  }
  predictDay(contest, lineup, lineup.begin(), outlook, isPart)
  return contest
}

describe('the contest of models', () => {
  const lineup = lineupOf([always(900, 100), always(1_000, 100)], grid)
  const winner = (contest: Contest, others: readonly Contest[] = [contest], of = lineup, isPart = false) => {
    choose(contest, of, pooledExcess(others, of.contenders.length), isPart)
    return contest.chosen
  }

  it('is won by the least error, and by the first before any day was scored', () => {
    assert.equal(winner(after(lineup, 1, () => 990)), 1)
    assert.equal(winner(after(lineup, 1, () => 910)), 0)
    assert.equal(winner(after(lineup, 0, () => 990)), 0)
  })

  it('takes the known noise off the errors', () => {
    const normal = normals(17)
    const contest = after(lineup, 60, () => 1_000 + 300 * normal(), 90_000)
    const pooled = pooledExcess([contest], 2)
    // Errors of 0 and of a tenth of the load, squared.
    assert.ok(Math.abs(judged(contest, 1, pooled)) < 0.01)
    assert.ok(Math.abs(judged(contest, 0, pooled) - 0.01) < 0.01)
  })

  it('lets many series tell what one that is lost in its noise cannot', () => {
    const normal = normals(41)
    const series = Array.from({ length: 60 }, () => after(lineup, 5, () => 1_000 + 1_500 * normal(), 1_500 ** 2))
    const alone = series.filter((contest) => winner(contest) === 1).length
    const together = series.filter((contest) => winner(contest, series) === 1).length
    assert.ok(alone < 55, `${alone}`)
    assert.equal(together, 60)
  })

  it('leaves a series its own winner where it has little noise', () => {
    const others = Array.from({ length: 20 }, () => after(lineup, 5, () => 1_000))
    const own = after(lineup, 5, () => 900)
    assert.equal(winner(own, [...others, own]), 0)
  })

  it('does not score a day that was hardly released', () => {
    let n = 0
    const contest = after(lineup, 1, () => (n++ % 4 === 0 ? 990 : Number.NaN))
    assert.deepEqual([...contest.days], [0, 0])
  })

  it('keeps models of parts to parts, for which they are the safe choice at first', () => {
    const mixed = lineupOf([always(900, 100), always(0, 100, { suits: 'parts' })], grid)
    assert.equal(
      winner(
        after(mixed, 3, () => 0),
        undefined,
        mixed,
      ),
      0,
    )
    assert.equal(
      winner(
        after(mixed, 0, () => 0, 0, true),
        undefined,
        mixed,
        true,
      ),
      1,
    )
    assert.equal(
      winner(
        after(mixed, 3, () => 900, 0, true),
        undefined,
        mixed,
        true,
      ),
      0,
    )
  })

  it('widens what is claimed to what is seen, and narrows it', () => {
    const normal = normals(43)
    const factor = (sigma: number): number => {
      const contest = after(lineup, 40, () => 1_000 + sigma * normal())
      return calibration(contest, 1, pooledExcess([contest], 2))
    }
    // Claimed: a deviation of 10. What counts as just right weighs a thirtieth.
    assert.ok(Math.abs(factor(10) - 1) < 0.15, `${factor(10)}`)
    assert.ok(factor(30) > 7 && factor(30) < 10.5, `${factor(30)}`)
    assert.ok(factor(1) < 0.06, `${factor(1)}`)
  })
})
