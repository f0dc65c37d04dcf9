import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chaos, type Moment } from '../helpers/chaos.ts'

/** The moments of the issue: those of the runner, and charge, seal, draw and publish as what they are in the log. */
const moments: readonly { readonly name: string; readonly is: (moment: Moment) => boolean }[] = [
  ...(['poll', 'lookup', 'produce', 'commit', 'apply'] as const).map((step) => ({
    name: step,
    is: (moment: Moment) => moment.pipeline === 'readings' && moment.step === step,
  })),
  {
    name: 'charge or seal: produce',
    is: (moment) => moment.pipeline === 'load' && moment.step === 'produce' && touches(moment, 'release.ledger'),
  },
  {
    name: 'charge or seal: commit',
    is: (moment) => moment.pipeline === 'load' && moment.step === 'commit' && touches(moment, 'release.ledger'),
  },
  { name: 'draw', is: (moment) => moment.step === 'draw' },
  {
    name: 'publish: produce',
    is: (moment) => moment.pipeline === 'publish' && moment.step === 'produce' && touches(moment, 'load.public'),
  },
  {
    name: 'publish: commit',
    is: (moment) => moment.pipeline === 'publish' && moment.step === 'commit' && touches(moment, 'load.public'),
  },
]

function touches(moment: Moment, topic: string): boolean {
  return 'topics' in moment && (moment.topics ?? []).includes(topic)
}

for (const { name, is } of moments) {
  for (const at of ['before', 'after'] as const) {
    test(`loses, repeats and redraws nothing when killed ${at} ${name}, often`, async () => {
      let hits = 0
      const result = await chaos({
        seed: 7,
        // The first hit, then ever more seldom: 1, 4, 9, 16 ...
        kill: (moment) => moment.at === at && is(moment) && Number.isInteger(Math.sqrt(++hits)),
      })
      assert.deepEqual(result.faults, [])
      assert.ok(result.kills >= 3, `the fault struck ${result.kills} times only`)
    })
  }
}
