import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { statedL2 } from '../../src/bounding.ts'
import {
  binaryTree,
  type ContinualOptions,
  type ContinualSnapshot,
  continualRelease,
  oneStep,
  optimisedToeplitz,
  refinedTree,
  restoreContinualRelease,
  type Strategy,
  squareRootToeplitz,
  type Workload,
} from '../../src/continual/index.ts'
import { continualReleaseOver } from '../../src/continual/release.ts'
import { AlreadyReleasedError, ParameterError, RandomnessError } from '../../src/errors.ts'
import { integer, ratio } from '../../src/rational.ts'
import { seededBits } from '../../src/testing/index.ts'

const optionsOf = (strategy: Strategy, width = 1): ContinualOptions<'add-remove'> => ({
  neighbours: 'add-remove',
  sensitivity: statedL2({ neighbours: 'add-remove', l2Squared: integer(10_000), because: 'a test' }),
  participation: oneStep,
  strategy,
  rho: ratio(1n, 8n),
  width,
})

const strategies: readonly [string, Strategy][] = [
  ['the square root', squareRootToeplitz({ steps: 24 })],
  ['the optimised factor', optimisedToeplitz({ steps: 24 })],
  ['a banded factor', optimisedToeplitz({ steps: 24, band: 5 })],
  ['a rolling factor', optimisedToeplitz({ steps: 24, workload: { window: 7 } })],
  ['a binary tree', binaryTree({ steps: 24 })],
  ['a refined tree', refinedTree({ steps: 24 })],
  ['a binary tree for windows', binaryTree({ steps: 24, window: 7 })],
  ['a refined tree for windows', refinedTree({ steps: 24, window: 24 })],
]
const stream = Array.from({ length: 24 }, (_, t) => [BigInt((t * 7919) % 5000), BigInt(-(t * t))])
const through = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

for (const [name, strategy] of strategies)
  describe(`a continual release over ${name}`, () => {
    const run = (seed: number, data = stream, cutAt = -1) => {
      // One source for the whole run, however often it stops.
      const bits = seededBits(seed)
      let release = continualReleaseOver(optionsOf(strategy, 2), undefined, bits)
      return data.map((value, t) => {
        if (t === cutAt) release = continualReleaseOver(optionsOf(strategy, 2), through(release.snapshot()), bits)
        return release.release(t, value)
      })
    }

    it('goes on from a snapshot as if it had not stopped', () => {
      for (const cutAt of [0, 1, 4, 8, 23]) assert.deepEqual(run(7, stream, cutAt), run(7))
    })

    it('moves with the data exactly: other data under the same noise differ by the true sums', () => {
      const other = stream.map((value, t) => (t === 3 ? value.map((x) => x + 1_000_000n) : value))
      const window = strategy.kind === 'toeplitz' && strategy.workload !== 'prefix' ? 7 : 24
      const [here, there] = [run(9), run(9, other)]
      here.forEach((step, t) => {
        const expected = t >= 3 && t < 3 + window ? 1_000_000n : 0n
        assert.deepEqual(
          there[t]!.estimate.map((x, i) => x - step.estimate[i]!),
          [expected, expected],
        )
        if (strategy.kind !== 'toeplitz') return
        // The row itself moves by the coefficient, on the grid: not by a rounding of it.
        const moved = t < 3 ? 0n : (strategy.coefficients[t - 3] ?? 0n) * 1_000_000n
        assert.deepEqual(
          there[t]!.measured[0]!.map((x, i) => x - step.measured[0]![i]!),
          [moved, moved],
        )
      })
    })

    it('measures rows of the strategy on its grid: without a unit, nothing but noise', () => {
      const release = continualRelease(optionsOf(strategy))
      const rows = Array.from({ length: 24 }, (_, t) => release.release(t, [0n]).measured.length)
      assert.deepEqual(
        rows,
        rows.map((_, t) =>
          strategy.kind === 'tree' ? (t + 1).toString(2).length - (t + 1).toString(2).lastIndexOf('1') : 1,
        ),
      )
    })

    it('measures each step once, in order, within its horizon', () => {
      const release = continualRelease(optionsOf(strategy))
      assert.throws(() => release.estimate('prefix'), /nothing was measured yet/)
      assert.throws(() => release.release(1, [5n]), /step 0 comes before step 1/)
      assert.throws(() => release.release(0, [5n, 5n]), /a step has 1 values, got 2/)
      release.release(0, [5n])
      assert.throws(() => release.release(0, [5n]), AlreadyReleasedError)
      assert.equal(release.nextStep(), 1)
      for (let t = 1; t < 24; t++) release.release(t, [5n])
      assert.throws(() => release.release(24, [5n]), /the horizon of 24 steps is over/)
      assert.throws(() => release.release(3, [5n]), AlreadyReleasedError)
    })

    it('draws nothing and stays where it was when there is no randomness', () => {
      const fail = () => {
        throw new RandomnessError('none')
      }
      const release = continualReleaseOver(optionsOf(strategy), undefined, { word: fail, bits: fail })
      const before = release.snapshot()
      assert.throws(() => release.release(0, [5n]), RandomnessError)
      assert.deepEqual(release.snapshot(), before)
    })
  })

describe('windows of a tree', () => {
  for (const make of [binaryTree, refinedTree])
    for (const largest of [1, 2, 7, 16, 23, 24]) {
      const strategy = make({ steps: 24, window: largest })
      const run = (data: readonly (readonly bigint[])[], cutAt = -1) => {
        const bits = seededBits(5)
        let release = continualReleaseOver(optionsOf(strategy, 2), undefined, bits)
        return data.map((value, t) => {
          if (t === cutAt) release = continualReleaseOver(optionsOf(strategy, 2), through(release.snapshot()), bits)
          release.release(t, value)
          return Array.from({ length: largest }, (_, i) => release.estimate({ window: i + 1 }))
        })
      }

      it(`of the ${strategy.name} tree for up to ${largest} steps hold those steps and no others`, () => {
        const here = run(stream)
        for (const moved of [0, 3, 8, 17]) {
          const there = run(stream.map((value, t) => (t === moved ? value.map((x) => x + 1_000_000n) : value)))
          for (let t = 0; t < 24; t++)
            for (let window = 1; window <= largest; window++) {
              const expected = moved <= t && moved > t - window ? 1_000_000n : 0n
              const [before, after] = [here[t]![window - 1]!, there[t]![window - 1]!]
              // The weights of a refined tree are cut to 2^-64 of a step's million.
              for (const [i, x] of after.entries())
                assert.equal(x - before[i]!, expected, `step ${t}, window ${window}`)
            }
        }
      })

      it(`of the ${strategy.name} tree for up to ${largest} steps go on from a snapshot`, () => {
        for (const cutAt of [1, 5, 16, 23]) assert.deepEqual(run(stream, cutAt), run(stream))
        const release = continualRelease(optionsOf(strategy, 2))
        for (let t = 0; t < 24; t++) release.release(t, stream[t]!)
        assert.ok(release.snapshot().measured.length < 2 * largest + 5)
        assert.equal(release.snapshot().secret.length, 2)
      })
    }

  it('change no measurement and no cost', () => {
    const run = (strategy: Strategy) => {
      const release = continualReleaseOver(optionsOf(strategy), undefined, seededBits(6))
      return { steps: stream.map((value, t) => release.release(t, value.slice(1))), sigma2: release.facts.sigma2 }
    }
    assert.deepEqual(run(binaryTree({ steps: 24, window: 9 })), run(binaryTree({ steps: 24 })))
  })

  it('need a snapshot of the same windows', () => {
    const narrow = continualRelease(optionsOf(binaryTree({ steps: 24, window: 3 })))
    narrow.release(0, [1n])
    const wide = optionsOf(binaryTree({ steps: 24, window: 4 }))
    assert.throws(() => restoreContinualRelease(wide, narrow.snapshot()), /other options/)
  })
})

describe('a snapshot', () => {
  const options = optionsOf(optimisedToeplitz({ steps: 24, band: 5 }), 2)
  const made = () => {
    const release = continualRelease(options)
    for (let t = 0; t < 9; t++) release.release(t, stream[t]!)
    return through(release.snapshot())
  }

  it('of a banded factor keeps as many true steps as it looks back, and those of a tree one node a level', () => {
    assert.deepEqual(
      made().secret,
      stream.slice(5, 9).map((row) => row.map(String)),
    )
    const tree = continualRelease(optionsOf(binaryTree({ steps: 24 }), 2))
    for (let t = 0; t < 9; t++) tree.release(t, stream[t]!)
    assert.equal(tree.snapshot().secret.length, 2)
  })

  const broken: readonly [string, (snapshot: ContinualSnapshot) => ContinualSnapshot][] = [
    ['another version', (s) => ({ ...s, version: 2 as 1 })],
    ['another rho', (s) => ({ ...s, facts: { ...s.facts, rho: '1/4' } })],
    ['another strategy', (s) => ({ ...s, facts: { ...s.facts, strategy: 'optimised' } })],
    ['a step outside the horizon', (s) => ({ ...s, step: 25 })],
    ['another step than its state', (s) => ({ ...s, step: 8 })],
    ['a lost true step', (s) => ({ ...s, secret: s.secret.slice(1) })],
    ['a row of another width', (s) => ({ ...s, measured: s.measured.map((row) => row.slice(1)) })],
    ['a value that is no integer', (s) => ({ ...s, secret: s.secret.map((row) => row.map(() => '1.5')) })],
  ]
  for (const [what, breaks] of broken)
    it(`with ${what} is refused`, () =>
      assert.throws(() => restoreContinualRelease(options, breaks(made())), ParameterError))

  it('goes on where it is not broken', () =>
    assert.equal(restoreContinualRelease(options, made()).release(9, stream[9]!).step, 9))
})

describe('a continual release', () => {
  it('says what it costs and how', () => {
    const { facts, loss } = continualRelease(optionsOf(binaryTree({ steps: 24 })))
    assert.deepEqual(loss, { kind: 'zcdp', neighbours: 'add-remove', rho: ratio(1n, 8n) })
    // Five levels, S^2 = 10,000, rho = 1/8: sigma^2 = 5 * 10,000 / (2 / 8).
    assert.equal(facts.sigma2, '200000')
    assert.equal(facts.bound, 'a test')
  })

  it('answers other workloads than its own from the same measurements, free of charge', () => {
    const release = continualReleaseOver(optionsOf(optimisedToeplitz({ steps: 24 })), undefined, seededBits(3))
    const days: bigint[] = []
    for (let t = 0; t < 24; t++) {
      const { estimate } = release.release(t, [BigInt(1000 * t)])
      days.push(release.estimate({ window: 1 })[0]!)
      // Sums of rounded days are off by less than one half each.
      const gap = Number(days.reduce((a, b) => a + b, 0n) - estimate[0]!)
      assert.ok(Math.abs(gap) <= (t + 2) / 2)
    }
  })

  const refused: readonly [string, () => unknown, RegExp][] = [
    [
      'a sensitivity of the other relation',
      () =>
        continualRelease({
          ...optionsOf(binaryTree({ steps: 4 })),
          neighbours: 'replace-one' as unknown as 'add-remove',
        }),
      /bounded for add-remove/,
    ],
    ['a rho of 0', () => continualRelease({ ...optionsOf(binaryTree({ steps: 4 })), rho: integer(0) }), /rho/],
    ['a width of 0', () => continualRelease({ ...optionsOf(binaryTree({ steps: 4 })), width: 0 }), /width/],
    [
      'a participation of 0',
      () => continualRelease({ ...optionsOf(binaryTree({ steps: 4 })), participation: { most: 0, apart: 1 } }),
      /most of a participation/,
    ],
    ['seeded bits', () => continualRelease(optionsOf(binaryTree({ steps: 4 })), seededBits(1) as never), /secureBits/],
    ['a horizon of 0', () => binaryTree({ steps: 0 }), /a horizon is an integer/],
    ['a band beyond the horizon', () => squareRootToeplitz({ steps: 4, band: 5 }), /a band is/],
    ['a window of 0', () => squareRootToeplitz({ steps: 4, workload: { window: 0 } }), /a window is/],
    ['a grid without bits', () => squareRootToeplitz({ steps: 4, gridBits: 3 }), /gridBits/],
    ['to optimise 4,000 steps', () => optimisedToeplitz({ steps: 4000 }), /up to 2048 steps/],
    ['a share above 1', () => optimisedToeplitz({ steps: 4, lastShare: 2 }), /lastShare/],
    [
      'a window of a tree',
      () => {
        const release = continualRelease(optionsOf(binaryTree({ steps: 4 })))
        release.release(0, [1n])
        return release.estimate({ window: 2 })
      },
      /prefix sums only/,
    ],
    [
      'a larger window than the tree was built for',
      () => {
        const release = continualRelease(optionsOf(binaryTree({ steps: 4, window: 2 })))
        release.release(0, [1n])
        return release.estimate({ window: 3 })
      },
      /windows of up to 2 steps, got 3/,
    ],
    ["a tree's window of 0", () => binaryTree({ steps: 4, window: 0 }), /window is an integer from 1/],
    ["a tree's window beyond its horizon", () => refinedTree({ steps: 4, window: 5 }), /window is an integer from 1/],
  ]
  for (const [what, call, says] of refused) it(`refuses ${what}`, () => assert.throws(call, says))
})

describe('the noise of estimates', () => {
  const workloads: readonly [Strategy, Workload][] = [
    [optimisedToeplitz({ steps: 12 }), 'prefix'],
    [optimisedToeplitz({ steps: 12 }), { window: 3 }],
    [squareRootToeplitz({ steps: 12, workload: { window: 5 } }), { window: 5 }],
    [binaryTree({ steps: 12 }), 'prefix'],
    [refinedTree({ steps: 12 }), 'prefix'],
    [binaryTree({ steps: 12, window: 7 }), { window: 7 }],
    [refinedTree({ steps: 12, window: 7 }), { window: 5 }],
  ]
  for (const [strategy, workload] of workloads)
    it(`of the ${strategy.name} ${strategy.kind} for ${JSON.stringify(workload)} has the deviation that was foretold`, () => {
      // 4,000 runs: the sample variance has a relative deviation of sqrt(2 / 4000) = 2.2 %, so 6 of them are 13.4 %.
      const runs = 4_000
      const bits = seededBits(11)
      const squares = new Array<number>(12).fill(0)
      let release = continualReleaseOver(optionsOf(strategy), undefined, bits)
      for (let r = 0; r < runs; r++) {
        release = continualReleaseOver(optionsOf(strategy), undefined, bits)
        for (let t = 0; t < 12; t++) {
          release.release(t, [0n])
          squares[t] = squares[t]! + Number(release.estimate(workload)[0]!) ** 2
        }
      }
      squares.forEach((sum, t) => {
        const foretold = release.deviation(t, workload) ** 2
        const share = sum / runs / foretold
        assert.ok(Math.abs(share - 1) < 0.134, `step ${t}: ${share}`)
      })
    })
})
