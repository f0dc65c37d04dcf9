import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mayHalt, mixNames } from './faults.ts'
import { simulate, story } from './simulate.ts'

const cases = Math.ceil(Number(process.env['MV_CASES'] ?? 2_400) / mixNames.length)

for (const mix of mixNames) {
  test(`with all rules nothing is lost, duplicated or stuck: ${mix}, ${cases} runs`, () => {
    let fine = 0
    for (let seed = 1; seed <= cases; seed++) {
      const { verdict } = simulate({ seed, mix })
      if (verdict === 'fine') fine += 1
      else if (verdict !== 'halted') assert.fail(story({ seed, mix }))
    }
    // Halting always would be safe too.
    assert.ok(mayHalt(mix) ? fine > cases / 10 : fine === cases, `${fine} of ${cases} ran to the end`)
  })
}

test('a seed always tells the same story', () => {
  for (const mix of mixNames) assert.equal(story({ seed: 7, mix }, 10_000), story({ seed: 7, mix }, 10_000))
})

test('the faults do strike while work is under way', () => {
  const told = mixNames.map((mix) => Array.from({ length: 20 }, (_, seed) => story({ seed, mix }, 10_000)).join('\n'))
  const all = told.join('\n')
  for (const what of [
    'is killed',
    'lost_request commit',
    'lost_reply commit',
    'late exchange',
    'a late request arrives',
    'fenced',
    'times out',
    'is lost',
    'goes back to',
    'part 1 of',
    'offset of',
    'the log is restored',
    'loses its start',
    'loses its end',
    'halts',
    'forwards on',
    'replay',
  ]) {
    assert.ok(all.includes(what), `no run tells of "${what}"`)
  }
})
