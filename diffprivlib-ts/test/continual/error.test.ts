// What continual releases cost in error, known before any data: known answers, and the goals at every horizon.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  binaryTree,
  expectedError,
  independentSteps,
  optimisedToeplitz,
  prefixErrorBound,
  refinedTree,
  type Strategy,
  squareRootToeplitz,
  toeplitz,
} from '../../src/continual/index.ts'
import { quotient, rootOfOnes } from '../../src/continual/series.ts'
import { treeSensitivity } from '../../src/continual/tree-sensitivity.ts'
import { agrees, type Vector, vectorsOf } from '../helpers/vectors.ts'

const answers = new Map<string, Vector>(vectorsOf('continual_counting').map((vector) => [vector.id.slice(-2), vector]))
const answer = (id: string): Vector => answers.get(id)!
const count = (vector: Vector, name: string): number => Number(vector.inputs[name])

const agree = (vector: Vector, actual: readonly number[], expected: readonly number[]) => {
  assert.equal(actual.length, expected.length)
  for (const [i, value] of actual.entries())
    assert.ok(agrees(vector, value, expected[i]!), `${value} is not ${expected[i]}`)
}

describe('known answers of continual counting', () => {
  it('01: the coefficients of the square root', () =>
    agree(answer('01'), [...rootOfOnes(5, 5)], answer('01').expected as number[]))

  it('02: the coefficients of its inverse', () =>
    agree(
      answer('02'),
      [...quotient((k) => (k === 0 ? 1 : 0), rootOfOnes(5, 5), 5)],
      answer('02').expected as number[],
    ))

  for (const id of ['03', '04', '05'])
    it(`${id}: the errors of the square root over ${answer(id).inputs['T']} steps`, () => {
      const { max, rms } = expectedError(squareRootToeplitz({ steps: count(answer(id), 'T'), gridBits: 48 }))
      const expected = answer(id).expected as unknown as { max: number; rms: number }
      agree(answer(id), [max, rms], [expected.max, expected.rms])
    })

  for (const id of ['06', '07', '08'])
    it(`${id}: the lower bound over ${answer(id).inputs['T']} steps`, () =>
      agree(answer(id), [prefixErrorBound(count(answer(id), 'T'))], [answer(id).expected as number]))

  for (const id of ['09', '10'])
    it(`${id}: the errors of the binary tree over ${answer(id).inputs['T']} steps`, () => {
      const { max, rms } = expectedError(binaryTree({ steps: count(answer(id), 'T') }))
      const expected = answer(id).expected as unknown as { max: number; rms: number }
      agree(answer(id), [max, rms], [expected.max, expected.rms])
    })

  for (const id of ['11', '12', '13'])
    it(`${id}: the squared sensitivity of a tree`, () => {
      const [most, apart] = [count(answer(id), 'max_participation'), count(answer(id), 'min_separation') + 1]
      assert.equal(treeSensitivity(count(answer(id), 'steps'), most, apart), answer(id).expected)
    })

  it('14: the squared sensitivity of a tree to one unit in every step', () =>
    assert.equal(treeSensitivity(count(answer('14'), 'steps'), count(answer('14'), 'steps'), 1), answer('14').expected))
})

/** Horizons so close that an error which grows with the horizon cannot pass the bound between two of them unseen. */
const ladder = (from: number, to: number, ratio: number): readonly number[] => {
  const rungs = [from]
  for (let steps = from; steps < to; ) {
    steps = Math.min(Math.max(Math.ceil(steps * ratio), steps + 1), to)
    rungs.push(steps)
  }
  return rungs
}

describe('prefix sums', () => {
  // Both the bound and the error of a best strategy only grow with the horizon, so the error at a rung over the bound at the rung below
  // holds for every horizon between them.
  const worst = (rungs: readonly number[], rms: (steps: number) => number): number =>
    rungs.slice(1).reduce((most, steps, i) => Math.max(most, rms(steps) / prefixErrorBound(rungs[i]!)), 0)

  it('are printed beside the bound', (t) => {
    for (const steps of [96, 192, 365, 730, 1024, 2048, 8760]) {
      const [{ max, rms }, bound] = [expectedError(toeplitz({ steps })), prefixErrorBound(steps)]
      const figures = [max, rms, bound].map((value) => value.toFixed(3))
      t.diagnostic(`${steps} steps: max, rms, bound ${figures.join(', ')}, ratio ${(rms / bound).toFixed(4)}`)
      assert.ok(rms / bound < 1.08)
    }
  })

  it('stay within 8 % of the nuclear-norm bound at every horizon from 96 to 1,024 steps, optimised', () => {
    const most = worst(ladder(96, 1024, 1.03), (steps) => expectedError(toeplitz({ steps })).rms)
    assert.ok(most < 1.08, `${most}`)
  })

  it('stay within 8 % of it at every horizon from 1,024 to 35,040 steps, by the square root', () => {
    // c is its own decoder, so the error of every horizon comes from running sums.
    const root = rootOfOnes(35_040, 35_040)
    const rms: number[] = []
    let norm = 0
    let total = 0
    for (const c of root) {
      norm += c * c
      total += norm
      rms.push(Math.sqrt((norm * total) / (rms.length + 1)))
    }
    const rungs = ladder(1024, 35_040, 1.02)
    assert.ok(worst(rungs, (steps) => rms[steps - 1]!) < 1.08)
    const rounded = expectedError(squareRootToeplitz({ steps: 2048 })).rms
    assert.ok(Math.abs(rounded / rms[2047]! - 1) < 1e-5, 'rounding the coefficients costs nothing that matters')
  })

  it('would not stay within it at 96 steps by the square root, nor by a tree', () => {
    for (const strategy of [
      squareRootToeplitz({ steps: 96 }),
      refinedTree({ steps: 96 }),
      independentSteps({ steps: 96 }),
    ])
      assert.ok(expectedError(strategy).rms > 1.08 * prefixErrorBound(96))
  })

  it('over 365 days keep max 3.0 and rms 2.78 daily sigma', () => {
    const { max, rms } = expectedError(toeplitz({ steps: 365 }))
    assert.ok(max <= 3.0 && rms <= 2.78, `${max} ${rms}`)
  })
})

describe('rolling sums over 365 days', () => {
  for (const [window, most] of [
    [7, 1.79],
    [30, 2.4],
    [90, 2.75],
  ] as const)
    it(`of ${window} days keep rms ${most} daily sigma`, () => {
      const { rms } = expectedError(toeplitz({ steps: 365, workload: { window } }))
      assert.ok(rms <= most, `${rms}`)
    })
})

describe('windows of a tree', () => {
  /** The variance of a window's estimate by its definition: the fewest nodes, found by trying all ways to cut. */
  const fewest = (from: number, to: number, variance: (height: number) => number): number => {
    const best = new Array<number>(to + 1).fill(Infinity)
    best[from] = 0
    for (let start = from; start < to; start++)
      for (let height = 0; start % 2 ** height === 0 && start + 2 ** height <= to; height++)
        best[start + 2 ** height] = Math.min(best[start + 2 ** height]!, best[start]! + variance(height))
    return best[to]!
  }

  it('have the variance of the best way to cut them into nodes', () => {
    const steps = 75
    for (const [strategy, variance] of [
      [binaryTree({ steps, window: 40 }), () => 1],
      [refinedTree({ steps, window: 40 }), (height: number) => 2 ** height / (2 ** (height + 1) - 1)],
    ] as const)
      for (const window of [1, 2, 7, 13, 40]) {
        const { at } = expectedError(strategy, { workload: { window } })
        for (const [t, deviation] of at.entries()) {
          const expected = Math.sqrt(7 * fewest(Math.max(0, t + 1 - window), t + 1, variance))
          assert.ok(Math.abs(deviation / expected - 1) < 1e-9, `window ${window}, step ${t}`)
        }
      }
  })

  for (const [window, binary, refined] of [
    [7, 5.18, 4.47],
    [30, 6.54, 5.31],
    [90, 7.13, 5.63],
  ] as const)
    it(`of ${window} days over 365 have rms ${binary}, refined ${refined}, and a Toeplitz factor made for them less`, (t) => {
      const rms = (strategy: Strategy) => expectedError(strategy, { workload: { window } }).rms
      const [plain, better] = [rms(binaryTree({ steps: 365, window })), rms(refinedTree({ steps: 365, window }))]
      t.diagnostic(`binary ${plain.toFixed(4)}, refined ${better.toFixed(4)}`)
      assert.ok(plain <= binary && plain > binary - 0.1, `${plain}`)
      assert.ok(better <= refined && better > refined - 0.1, `${better}`)
      assert.ok(rms(toeplitz({ steps: 365, workload: { window } })) < better)
    })

  it('of the whole horizon are prefix sums', () => {
    const tree = binaryTree({ steps: 40, window: 9 })
    assert.deepEqual(expectedError(tree, { workload: { window: 40 } }), expectedError(tree))
    assert.throws(() => expectedError(tree, { workload: { window: 10 } }), /windows of up to 9 steps/)
  })
})

describe('a table of strategies', () => {
  const table: readonly [string, Strategy, number, number][] = [
    ['independent noise', independentSteps({ steps: 365 }), 19.11, 13.53],
    ['a binary tree', binaryTree({ steps: 365 }), 8.49, 6.07],
    ['a refined tree', refinedTree({ steps: 365 }), 6.58, 4.69],
    ['the square root', squareRootToeplitz({ steps: 365 }), 2.95, 2.79],
    ['the optimised factor', optimisedToeplitz({ steps: 365 }), 2.98, 2.74],
    ['the optimised factor for the mean alone', optimisedToeplitz({ steps: 365, lastShare: 0 }), 3.03, 2.73],
    ['a factor that looks back 128 days', optimisedToeplitz({ steps: 365, band: 128 }), 3.27, 2.82],
    ['a factor that looks back 28 days', optimisedToeplitz({ steps: 365, band: 28 }), 4.6, 3.57],
  ]
  for (const [name, strategy, max, rms] of table)
    it(`puts ${name} over 365 steps at max ${max} and rms ${rms}`, (t) => {
      const error = expectedError(strategy, { workload: 'prefix' })
      t.diagnostic(`${name}: max ${error.max.toFixed(4)}, rms ${error.rms.toFixed(4)}`)
      assert.ok(error.max <= max && error.max > max - 0.12, `${error.max}`)
      assert.ok(error.rms <= rms && error.rms > rms - 0.12, `${error.rms}`)
    })

  it('gives the same coefficients on every machine', () => {
    const strategy = optimisedToeplitz({ steps: 64 })
    assert.deepEqual(strategy.coefficients.slice(0, 4), [1_048_576n, 528_911n, 397_923n, 331_767n])
  })
})
