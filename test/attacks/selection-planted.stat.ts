// Every bug that was planted in a selection is found by the auditor of `selection-audit.stat.ts`. Without CI=true only those
// that few runs tell.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inFull } from './effort.ts'
import { holdSelection, inWords, selectionClaims } from './end-to-end/selection-claims.ts'
import { selectionCrowd } from './end-to-end/selection-crowd.ts'
import { plantedSelections } from './end-to-end/selection-planted.ts'
import { selectionPolicy } from './end-to-end/selection-world.ts'

const rhoPerDay = '1/1'
// Each is held against one claim, below which right code comes less than once in a thousand times.
const limit = 1e-3

describe('a selection with a planted bug', () => {
  for (const { bug, found, parts: _, ...task } of plantedSelections.filter(({ runs }) => inFull || runs <= 100)) {
    it(`is found out: ${bug}`, async (t) => {
      const seen = await selectionCrowd({ ...task, bug, rhoPerDay })
      const claims = selectionClaims(selectionPolicy(rhoPerDay, task.share)).filter(({ part }) => part === found)
      const [held] = holdSelection(seen, claims, limit)
      t.diagnostic(
        `${task.runs} runs a world, ${seen.cpuMs.toFixed(1)} ms of CPU each: ${inWords(held!)}, by ${held!.event}`,
      )
      assert.ok(held!.p < limit, `p ${held!.p}`)
    })
  }
})
