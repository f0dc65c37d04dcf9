// Smoothed values over a change of S: the filters go on, and say what they owe to values with more noise than today's.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { consistencyOf } from '../../../../operators/privacy/release/consistent.ts'
import { type DayPlan, planDay } from '../../../../operators/privacy/release/day-plan.ts'
import { defaultPolicy } from '../../../../operators/privacy/release/policy.ts'
import { policyEpochs } from '../../../../operators/privacy/release/policy-epochs.ts'
import { type SeriesFilters, smoothWithSpread } from '../../../../operators/privacy/release/smooth.ts'
import { gainSource } from '../../../../operators/privacy/release/smooth-model.ts'
import { monday, normals, shape } from '../../../helpers/forecast-fixtures.ts'
import { group } from '../../../helpers/release-fixtures.ts'

const halfHour = 1_800_000
const daysBefore = 28
const dateOf = (at: number): string => new Date(at).toISOString().slice(0, 10)
const change = dateOf(monday + daysBefore * 86_400_000)

/** Plans by date; `forgets` plants the bug that nothing is known of the wider bounds. */
function plansOf(clipWh: number, forgets = false): (at: number) => DayPlan {
  const { on } = policyEpochs({ ...defaultPolicy, epochs: [{ from: change, clipWhPerHalfHour: { feeder: clipWh } }] })
  const plans = new Map<string, DayPlan>()
  return (at) => {
    const date = dateOf(at)
    const resolved = on(date)
    const { smoothedClipWhPerHalfHour: _, ...policy } = resolved.policy
    const plan =
      plans.get(date) ?? planDay(forgets ? { ...resolved, policy } : resolved, [group('feeder', 'f', null, 100_000)])
    plans.set(date, plan)
    return plan
  }
}

/** How often the truth lies in the 95 % intervals over the three days behind the change, and their mean half-width. */
function coverage(planAt: (at: number) => DayPlan, seeds: number) {
  const gains = gainSource()
  let [inside, all, half, error] = [0, 0, 0, 0]
  for (let seed = 1; seed <= seeds; seed++) {
    const filters: SeriesFilters = new Map()
    const normal = normals(seed)
    for (let n = 0; n < (daysBefore + 3) * 48; n++) {
      const window = monday + n * halfHour
      const plan = planAt(window)
      const truth = shape(window, 0.9) / 4
      const consistent = [Math.round(truth + Math.sqrt(consistencyOf(plan).variances[0]!) * normal())]
      const { smoothed, spread } = smoothWithSpread(filters, { plan, timeZone: 'UTC', window, consistent }, gains)
      if (n < daysBefore * 48) continue
      const own = 1.96 * Math.sqrt(spread[0]!)
      all += 1
      inside += Math.abs(smoothed[0]! - truth) <= own ? 1 : 0
      half += own
      error += (smoothed[0]! - truth) ** 2
    }
  }
  return { inside: inside / all, half: half / all, rmse: Math.sqrt(error / all) }
}

describe('smoothed values behind a change of S', () => {
  const seeds = 6
  const steady = coverage(plansOf(10_000), seeds)

  for (const clip of [7_000, 5_000, 3_000, 15_000]) {
    it(`lie within their intervals at least as often as they say: from 10,000 to ${clip} Wh`, () => {
      const { inside } = coverage(plansOf(clip), seeds)
      assert.ok(inside >= 0.95, `${inside}`)
    })
  }

  it('are nearer to the load at once where S was narrowed, since what was learnt stays', () => {
    assert.ok(coverage(plansOf(5_000), seeds).rmse < steady.rmse)
  })

  it('would be found too sure of themselves if they forgot how noisy the values before were', () => {
    for (const clip of [5_000, 3_000]) {
      const { inside } = coverage(plansOf(clip, true), seeds)
      assert.ok(inside < 0.93, `${clip}: ${inside}`)
    }
  })

  it('say the same as without epochs once 42 days have passed, and on every day where S was widened', () => {
    const at = monday + (daysBefore + 60) * 86_400_000
    const [told, forgotten] = [plansOf(5_000)(at), plansOf(5_000, true)(at)]
    assert.deepEqual(told.resolved, forgotten.resolved)
    assert.ok(!('smoothedClipWhPerHalfHour' in plansOf(15_000)(monday + daysBefore * 86_400_000).resolved.policy))
  })
})
