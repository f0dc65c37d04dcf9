// The auditor of diffprivlib-ts over everything that the public topic shows of thousands of runs of the real pipelines, with
// and without one household-day that uses its whole bound. 20,000 runs a world with CI=true, and as many as MV_AUDIT_RUNS says.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { rational } from 'diffprivlib-ts'
import { auditOutputs } from 'diffprivlib-ts/audit'
import { resolvePolicy } from '../../operators/privacy/release/policy.ts'
import { auditPolicy } from '../../pipelines/simulation/audit-stage.ts'
import { auditRuns } from './effort.ts'
import { crowd } from './end-to-end/crowd.ts'

// The three bounds of a report are all below the truth except with this chance: the false-alarm rate of one audit.
const miss = 1e-6

for (const { what, rhoPerDay, runs, crash } of [
  { what: 'the default policy, epsilon 1', rhoPerDay: auditPolicy().rhoPerDay, runs: auditRuns(150), crash: undefined },
  {
    what: 'rho 1, where the auditor sees best, with a crash and a replay in every run',
    rhoPerDay: '1/1',
    runs: Math.min(auditRuns(300), 20_000),
    crash: { pipeline: 'publish', step: 'produce', at: 'after', nth: 1 },
  },
] as const) {
  describe(`an audit of ${what}`, () => {
    it('bounds epsilon, mu and rho below what is claimed', async (t) => {
      const seen = await crowd({ world: { phases: 'both' }, rhoPerDay, runs, crash })
      const { rho, levels } = resolvePolicy(auditPolicy(rhoPerDay))
      const claimed = rational.toNumber(rho, 'up')
      const mu = Math.sqrt(2 * claimed)
      const { epsilonDay, delta } = levels.utility.statement[1]
      const report = auditOutputs(seen.with, seen.without, { delta, miss, names: seen.names })
      t.diagnostic(
        `${runs} runs a world, ${seen.cpuMs.toFixed(1)} ms of CPU each: mu ≥ ${report.mu.lower.toFixed(4)} of ${mu.toFixed(4)}` +
          ` (${report.mu.event}), epsilon ≥ ${report.epsilon.lower.toFixed(4)} of ${epsilonDay.toFixed(4)} at delta ${delta},` +
          ` rho ≥ ${report.rho.lower.toFixed(5)} of ${claimed.toFixed(5)}`,
      )
      assert.ok(report.mu.lower <= mu, `mu ${report.mu.lower} by ${report.mu.event}`)
      assert.ok(report.epsilon.lower <= epsilonDay, `epsilon ${report.epsilon.lower} by ${report.epsilon.event}`)
      assert.ok(report.rho.lower <= claimed, `rho ${report.rho.lower} by ${report.rho.event}`)
      // It must see the household-day at all, where so many runs can show it: 300 runs tell mu to about 1.1, 20,000 to 0.13.
      if (mu > 22 / Math.sqrt(runs)) assert.ok(report.mu.lower > 0, 'the attack does not bite')
    })
  })
}
