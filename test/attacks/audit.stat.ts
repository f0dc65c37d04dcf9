// The auditor of diffprivlib-ts over everything that the public topic shows of thousands of runs of the real pipelines, with
// and without one household-day that uses its whole bound. With CI=true 20,000 runs a world of the default policy over twelve
// windows; MV_AUDIT_RUNS overrides how many. `npm run nightly:audit` runs a million over both phases.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { auditPolicy } from '../../pipelines/simulation/audit-stage.ts'
import { auditRuns } from './effort.ts'
import { auditOf, boundsInWords, claimsOf, refuted } from './end-to-end/claims.ts'
import { type CrowdTask, crowd } from './end-to-end/crowd.ts'

const audits: readonly (CrowdTask & { readonly what: string })[] = [
  {
    what: 'twelve windows under the default policy, epsilon 1',
    world: { phases: 'preliminary' },
    rhoPerDay: auditPolicy().rhoPerDay,
    runs: auditRuns(200, 20_000),
  },
  {
    what: 'both phases of a day at rho 1, where few runs tell much, with a crash and a replay in every run',
    world: { phases: 'both' },
    rhoPerDay: '1/1',
    runs: auditRuns(250, 1_000),
    crash: { pipeline: 'publish', step: 'produce', at: 'after', nth: 1 },
  },
]

for (const { what, ...task } of audits) {
  describe(`an audit of ${what}`, () => {
    it('bounds epsilon, mu and rho at or below what is claimed', async (t) => {
      const seen = await crowd(task)
      const claims = claimsOf(task.rhoPerDay)
      // Right code raises a false alarm here once in a million times.
      const report = auditOf(seen, claims.delta)
      t.diagnostic(
        `${task.runs} runs a world, ${seen.cpuMs.toFixed(1)} ms of CPU each: ${boundsInWords(report, claims)}`,
      )
      assert.deepEqual(refuted(report, claims), [])
      // Where so many runs can show the household-day at all, they must: 20,000 tell mu to about 0.13.
      if (claims.mu > 25 / Math.sqrt(task.runs)) assert.ok(report.mu.lower > 0, 'the attack does not bite')
    })
  })
}
