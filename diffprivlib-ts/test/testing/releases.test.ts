import assert from 'node:assert/strict'
import { it } from 'node:test'
import { statedL2 } from '../../src/bounding.ts'
import { binaryTree, oneStep } from '../../src/continual/index.ts'
import { integer, ratio } from '../../src/rational.ts'
import { limitGroups } from '../../src/selection/index.ts'
import {
  seededBits,
  seededContinualRelease,
  seededPartitionSelection,
  seededThresholdedCounts,
} from '../../src/testing/index.ts'

const bits = () => seededBits(4)
const neighbours = 'add-remove'
const continual = {
  neighbours,
  sensitivity: statedL2({ neighbours, l2Squared: integer(100), because: 'a test' }),
  participation: oneStep,
  strategy: binaryTree({ steps: 4 }),
  rho: integer(1),
} as const
const selection = {
  neighbours,
  groups: limitGroups({ neighbours, most: 1 }).groups,
  epsilon: integer(1),
  delta: ratio(1n, 100n),
} as const
const counts = new Map([
  ['a', 3],
  ['b', 9],
])

const doors: readonly [string, (source: ReturnType<typeof seededBits>) => unknown][] = [
  ['a continual release', (source) => seededContinualRelease(continual, source).release(0, [7n]).measured],
  ['a partition selection', (source) => seededPartitionSelection(selection, source).select(counts)],
  ['thresholded counts', (source) => [...seededThresholdedCounts(selection, source).release(counts)]],
]
for (const [what, draw] of doors)
  it(`${what} over seeded bits can be repeated, and refuses production`, (t) => {
    assert.deepEqual(draw(bits()), draw(bits()))
    const source = bits()
    const before = process.env['NODE_ENV']
    t.after(() => {
      if (before === undefined) delete process.env['NODE_ENV']
      else process.env['NODE_ENV'] = before
    })
    process.env['NODE_ENV'] = 'production'
    assert.throws(() => draw(source), /refuses to run where NODE_ENV is production/)
  })
