import assert from 'node:assert/strict'
import { it } from 'node:test'
import { storm } from './storm.ts'

/** Faults that must strike, over all storms. */
const wanted = Number(process.env['MV_CASES'] ?? 100_000)

it(`releases nothing twice, uncharged or under-charged over ${wanted} crashes, replays, zombies and restores`, async (t) => {
  const struck = new Map<string, number>()
  const started = performance.now()
  let total = 0
  let seed = 1
  for (; total < wanted; seed++) {
    const { violations, faults } = await storm(seed)
    assert.deepEqual(violations, [], `seed ${seed}`)
    for (const [kind, times] of faults) {
      struck.set(kind, (struck.get(kind) ?? 0) + times)
      total += times
    }
  }
  const minutes = ((performance.now() - started) / 60_000).toFixed(1)
  t.diagnostic(`${total} faults in ${seed - 1} storms, ${minutes} min`)
  for (const [kind, times] of [...struck].sort(([a], [b]) => (a < b ? -1 : 1))) t.diagnostic(`${times} ${kind}`)
})
