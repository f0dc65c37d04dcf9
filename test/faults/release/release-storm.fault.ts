// `npm run faults -- release-storm`: storms of releases until 100,000 faults have struck, or MV_CASES. A run in full keeps what
// it found as bench/reports/release-storm.json.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type Figure, report } from '../../../bench/report.ts'
import { storm } from './storm.ts'

const inFull = 100_000
/** Faults that must strike, over all storms. */
const wanted = Number(process.env['MV_CASES'] ?? inFull)
/** Storms with a violation after which a run is given up. */
const enough = 10

it(`releases nothing twice, uncharged or under-charged over ${wanted} crashes, replays, zombies and restores`, async (t) => {
  const struck = new Map<string, number>()
  const started = performance.now()
  const violations: string[] = []
  let total = 0
  let storms = 0
  let wrong = 0
  while (total < wanted && wrong < enough) {
    const seed = ++storms
    const found = await storm(seed)
    if (found.violations.length > 0) wrong += 1
    violations.push(...found.violations.map((violation) => `seed ${seed}: ${violation}`))
    for (const [kind, times] of found.faults) {
      struck.set(kind, (struck.get(kind) ?? 0) + times)
      total += times
    }
  }
  const minutes = (performance.now() - started) / 60_000
  const kinds = [...struck].sort(([a], [b]) => (a < b ? -1 : 1))
  t.diagnostic(`${total} faults in ${storms} storms, ${minutes.toFixed(1)} min`)
  const figures: Figure[] = [
    { name: 'storms', value: storms, unit: 'runs' },
    { name: 'faults that struck', value: total, unit: 'faults', goal: `>= ${wanted}` },
    { name: 'kinds of faults', value: kinds.length, unit: 'kinds' },
    { name: 'violations', value: violations.length, unit: 'violations', goal: '<= 0' },
    { name: 'time', value: minutes, unit: 'min' },
    ...kinds.map(([kind, value]): Figure => ({ name: kind, value, unit: 'times' })),
  ]
  report('release-storm', figures, wanted >= inFull)
  assert.deepEqual(violations, [])
})
