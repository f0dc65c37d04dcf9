// The attack: subtract a day from the next, between which one home joined its groups or left them. All others use the same on
// both days, and the attacker knows what the home would use: exact sums then show it to the Wh. What is released shows no more
// than the claim allows for one household-day: whatever the attacker does who raises a false alarm in a share a of the days
// without the home's use, finds it in at most Phi(Phi^-1(a) + sqrt(2 rho)) of those with it.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { auditOutputs, clopperPearsonLower, clopperPearsonUpper } from 'diffprivlib-ts/audit'
import { inFull } from './effort.ts'
import { claimsOf } from './end-to-end/claims.ts'
import { attackOnMembers, type MembersBug, membersCrowd, openMembers } from './end-to-end/members-crowd.ts'
import { type Change, changeAt, hoursOfDay } from './end-to-end/members-world.ts'

// The highest rho there may be: few runs tell whether more is shown.
const rhoPerDay = '1/1'
const claim = claimsOf(rhoPerDay)
const runs = inFull ? 500 : 200
const miss = 1e-6
const changes: readonly Change[] = ['joins', 'leaves']

/** Where a normal figure raises a false alarm in five of a hundred runs. */
const threshold = 1.6449

/** The chance that a normal figure is above z, by Simpson's rule. */
function tail(z: number): number {
  const [steps, end] = [2_000, 10]
  const width = (end - z) / steps
  const at = (i: number) => Math.exp(-((z + i * width) ** 2) / 2) / Math.sqrt(2 * Math.PI)
  let sum = at(0) + at(steps)
  for (let i = 1; i < steps; i++) sum += (i % 2 === 1 ? 4 : 2) * at(i)
  return (sum * width) / 3
}

/** How often a figure is above the threshold. */
function above(rows: readonly (readonly number[])[], figure: number) {
  const count = rows.filter((row) => row[figure]! > threshold).length
  const [lower, upper] = [clopperPearsonLower(count, rows.length, miss), clopperPearsonUpper(count, rows.length, miss)]
  return { share: count / rows.length, holds: (chance: number) => lower <= chance && chance <= upper }
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

for (const change of changes) {
  describe(`a day less the other, of which one home ${change === 'joins' ? 'joined on the second' : 'left after the first'}`, () => {
    it('gives the home away to the Wh where sums are exact, and the register alone is no secret', async () => {
      const task = { change, rhoPerDay, runs: 1 }
      const [there, not] = [await openMembers(task, true, true), await openMembers(task, false, true)]
      const used = (seen: Awaited<ReturnType<typeof there>>) => {
        const of = (at: number) =>
          seen.find(({ record: { window, channel, phase, level } }) => {
            return window === at && channel === 'import' && phase === 'preliminary' && level === 'utility'
          })!.record
        return Array.from({ length: hoursOfDay }, (_, hour) => {
          const [second, first] = [of(changeAt + hour * 3_600_000), of(changeAt + (hour - 24) * 3_600_000)]
          assert.equal(second.registered - first.registered, change === 'joins' ? 1 : -1)
          return Math.abs(second.rawWh! - first.rawWh!)
        })
      }
      assert.deepEqual(used(await not()), new Array(hoursOfDay).fill(0))
      // What it uses in an hour; the last ones are cut to what its day's bound leaves.
      assert.deepEqual(used(await there()).slice(0, 8), [6_013, 6_020, 6_027, 6_034, 6_041, 6_048, 6_055, 6_062])
    })

    it('tells no more than the claim allows', async (t) => {
      const task = { change, rhoPerDay, runs }
      const [seen, { names, shifts }] = [await membersCrowd(task), await attackOnMembers(task)]
      for (const [figure, shift] of shifts.entries()) {
        const [hits, alarms] = [above(seen.with, figure), above(seen.without, figure)]
        const allowed = tail(threshold - claim.mu)
        t.diagnostic(
          `${names[figure]}: found in ${percent(hits.share)} of ${runs} runs beside ${percent(alarms.share)} false alarms; the law of the noise says ${percent(tail(threshold - shift))} beside ${percent(tail(threshold))}, and the claim allows ${percent(allowed)}`,
        )
        assert.ok(shift <= claim.mu)
        assert.ok(alarms.holds(tail(threshold)), `${percent(alarms.share)} false alarms`)
        assert.ok(hits.holds(tail(threshold - shift)), `${percent(hits.share)} found`)
      }
      // The home's day uses nearly all of its bound: with all that others used known, this is as good as an attack can be.
      assert.ok(shifts[1]! > 0.9 * claim.mu, `${shifts[1]}`)
      const report = auditOutputs(seen.with, seen.without, { names: seen.names })
      t.diagnostic(`mu ≥ ${report.mu.lower.toFixed(2)} of ${claim.mu.toFixed(2)} by ${report.mu.event.slice(0, 60)}`)
      // Where the claim holds, this is wrong once in a million runs.
      assert.ok(report.pValue(claim) > 1e-6, `p ${report.pValue(claim)}`)
      assert.ok(report.mu.lower <= claim.mu)
    })
  })
}

describe('a day less the other, planted', () => {
  const bugs: readonly (readonly [MembersBug, Change, number])[] = [
    ['noise that the hour of the day decides', 'joins', 150],
    ['noise that the hour of the day decides', 'leaves', 150],
    ['half of sigma', 'joins', 800],
  ]
  for (const [bug, change, many] of inFull ? bugs : bugs.slice(0, 1)) {
    it(`is found out by the same figures: ${bug}, one home ${change}`, async (t) => {
      const seen = await membersCrowd({ bug, change, rhoPerDay, runs: many })
      const report = auditOutputs(seen.with, seen.without, { names: seen.names })
      const p = report.pValue(claim)
      t.diagnostic(`p ${p.toExponential(1)}, mu ≥ ${report.mu.lower.toFixed(2)} by ${report.mu.event.slice(0, 60)}`)
      assert.ok(p < (inFull ? 1e-6 : 1e-3), `p ${p}`)
    })
  }
})
