import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { storm } from './storm.ts'
import { wrongReleases } from './wrong-releases.ts'

const seeds = 6

describe('a release in a storm', () => {
  for (let seed = 1; seed <= seeds; seed++) {
    it(`is made once, charged first and shown in one set of bytes, with seed ${seed}`, async () => {
      const { violations, faults } = await storm(seed)
      assert.deepEqual(violations, [])
      assert.ok(faults.size > 10, 'hardly anything befell it')
    })
  }

  for (const [name, { plant, found }] of Object.entries(wrongReleases)) {
    it(`shows one that ${name}`, async () => {
      const seen: string[] = []
      for (let seed = 1; seed <= 30; seed++) {
        const { violations } = await storm(seed, plant)
        if (violations.some((violation) => found.test(violation))) return
        seen.push(...violations)
      }
      assert.fail(`30 storms did not show it, only: ${[...new Set(seen)].slice(0, 5).join('; ')}`)
    })
  }
})
