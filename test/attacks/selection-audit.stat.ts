// The end-to-end audit where groups are selected by who reported: the auditor also looks at which groups have a value on the day
// that the selection is for, and at the edge of the threshold one household-day decides that. What it finds is held against
// what the policy claims of each level's selection, of the sums, and of all together. MV_AUDIT_RUNS overrides how many runs;
// `npm run nightly:audit -- --selection` runs many more.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { auditRuns } from './effort.ts'
import type { Crowd } from './end-to-end/crowd.ts'
import { holdSelection, inWords, selectionClaims } from './end-to-end/selection-claims.ts'
import { type SelectionTask, selectionCrowd } from './end-to-end/selection-crowd.ts'
import { restarts } from './end-to-end/selection-planted.ts'
import { selectionPolicy } from './end-to-end/selection-world.ts'

const rhoPerDay = '1/1'

const audits: readonly (SelectionTask & { readonly what: string })[] = [
  {
    what: 'what is shown two days after a household-day at the edge of the threshold',
    rhoPerDay,
    world: {},
    runs: auditRuns(100, 300),
  },
  {
    what: 'the same where its reading comes late, with a crash and a new start in the day that is shown',
    rhoPerDay,
    ...restarts,
    world: { ...restarts.world, late: true },
    runs: auditRuns(100, 100),
  },
  {
    what: 'what is shown, beside the values of the household-day itself',
    rhoPerDay,
    world: { values: true },
    runs: auditRuns(100, 150),
  },
]

describe('an audit of a release that selects groups', () => {
  for (const { what, ...task } of audits) {
    it(`bounds what is told at or below what is claimed: ${what}`, async (t) => {
      const seen = await selectionCrowd(task)
      const held = holdSelection(seen, selectionClaims(selectionPolicy(rhoPerDay)))
      t.diagnostic(`${task.runs} runs a world, ${seen.cpuMs.toFixed(1)} ms of CPU each`)
      for (const each of held) t.diagnostic(inWords(each))
      // Nine claims at 10^-6: right code raises a false alarm here about once in a hundred thousand times.
      assert.deepEqual(held.filter(({ lower, claimed }) => lower > claimed).map(inWords), [])
      // 0.9 levels more are shown with it, on average; 100 runs a world are within 0.6 of that but once in 10^5 times.
      const levelsShown = (rows: Crowd['with']): number =>
        rows.reduce((sum, row) => sum + row[seen.names.indexOf('levels shown')]!, 0) / rows.length
      assert.ok(levelsShown(seen.with) - levelsShown(seen.without) > 0.3, 'the household-day decides nothing')
    })
  }
})
