import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { type Largest, largestOf, rankAmong } from '../../../operators/privacy/largest.ts'

const runs = { numRuns: Math.ceil(Number(process.env['MV_CASES'] ?? 2_000)) }
const values = fc.array(fc.oneof(fc.nat(5), fc.nat(2 ** 30)), { maxLength: 12 })
const ranked = (all: readonly number[]): Largest => {
  const found = { largestWh: 0, secondWh: 0, thirdWh: 0 }
  for (const wh of all) rankAmong(found, wh)
  return found
}
const sorted = (all: readonly number[]): number[] => [...all, 0, 0, 0].sort((a, b) => b - a).slice(0, 3)
const listed = ({ largestWh, secondWh, thirdWh }: Largest): number[] => [largestWh, secondWh, thirdWh]

it('ranks values one by one as if they were sorted', () => {
  fc.assert(
    fc.property(values, (all) => assert.deepEqual(listed(ranked(all)), sorted(all))),
    runs,
  )
})

it('knows the three largest of two sets from those of each, and leaves both alone', () => {
  fc.assert(
    fc.property(values, values, (a, b) => {
      const [one, other] = [Object.freeze(ranked(a)), Object.freeze(ranked(b))]
      assert.deepEqual(listed(largestOf(one, other)), sorted([...a, ...b]))
    }),
    runs,
  )
})
