import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { clipL1, clipL2 } from '../../src/clipping.ts'
import { AlreadyReleasedError, ParameterError } from '../../src/errors.ts'
import { expNegativeRational, ln as lnOf } from '../../src/numeric/fixed-point.ts'
import { compare, decimal, integer, mul, type Rational, ratio, sub, toNumber } from '../../src/rational.ts'
import {
  limitGroups,
  partitionSelection,
  thresholdDelta,
  thresholdedCounts,
  thresholdFor,
} from '../../src/selection/index.ts'
import { keepProbabilities } from '../../src/selection/keep-probability.ts'
import { partitionSelectionOver } from '../../src/selection/partition-selection.ts'
import { seededBits } from '../../src/testing/index.ts'
import { agrees, input, type Vector, vectorsOf } from '../helpers/vectors.ts'

/** Reads inputs such as "10ln3" too, to 256 bits. */
const real = (vector: Vector, name: string): Rational => {
  const text = String(vector.inputs[name])
  const logarithm = /^(\d*)ln(\d+)$/.exec(text)
  if (!logarithm) return decimal(text)
  const value = ratio(lnOf(integer(BigInt(logarithm[2]!)), 256).lower, 1n << 256n)
  return mul(integer(BigInt(logarithm[1] || '1')), value)
}

const noiseOf = (vector: Vector) => {
  const kind = String(vector.inputs['noise'])
  const square = (x: Rational) => mul(x, x)
  if (kind === 'gaussian') {
    const sigma = input(vector, vector.inputs['sigma'] === undefined ? 'scale' : 'sigma')
    return { kind, sigma2: square(sigma) } as const
  }
  if (vector.inputs['scale'] !== undefined) return { kind: kind as 'laplace', scale: input(vector, 'scale') } as const
  const scale = ratio(
    (input(vector, 'linf').num * input(vector, 'l0').num * real(vector, 'epsilon').den) << 64n,
    real(vector, 'epsilon').num << 64n,
  )
  return { kind: kind as 'laplace', scale } as const
}

describe('known answers of thresholds', () => {
  for (const vector of vectorsOf('threshold'))
    it(`${vector.id}: ${JSON.stringify(vector.inputs)}`, () => {
      const question = { noise: noiseOf(vector), most: input(vector, 'linf'), groups: Number(vector.inputs['l0']) }
      const found =
        vector.inputs['output'] === 'delta'
          ? thresholdDelta(question, input(vector, 'threshold'))
          : thresholdFor(question, input(vector, 'threshold_delta'))
      assert.ok(agrees(vector, toNumber(found, 'up'), vector.expected as number), `${toNumber(found, 'up')}`)
    })
})

describe('known answers of partition selection', () => {
  for (const vector of vectorsOf('partition_selection'))
    it(`${vector.id}: ${JSON.stringify(vector.inputs)}`, () => {
      const { groups } = limitGroups({ neighbours: 'add-remove', most: Number(vector.inputs['l0']) })
      const selection = partitionSelection({
        neighbours: 'add-remove',
        groups,
        epsilon: real(vector, 'epsilon'),
        delta: input(vector, 'delta'),
        preThreshold: Number(vector.inputs['pre_threshold'] ?? 1),
      })
      const counts = vector.inputs['n'] as unknown as readonly number[]
      for (const [i, n] of counts.entries()) {
        const expected = (vector.expected as readonly number[])[i]!
        const found = toNumber(selection.keepProbability(n), 'down')
        assert.ok(agrees(vector, found, expected), `${n}: ${found} is not ${expected}`)
      }
    })
})

describe('the probabilities of keeping', () => {
  // Both inequalities of (epsilon, delta) privacy between neighbouring counts, with e^-epsilon from above.
  const cases: readonly [string, string][] = [
    ['0.1', '1e-8'],
    ['1', '1e-6'],
    ['3.7', '0.3'],
    ['50', '1e-200'],
    ['0.02', '1e-12'],
  ]
  for (const [epsilon, delta] of cases)
    it(`are private at epsilon ${epsilon} and delta ${delta}, never fall and reach 1`, () => {
      const kept = keepProbabilities(decimal(epsilon), decimal(delta))
      const { upper, shift } = expNegativeRational(decimal(epsilon), 1024)
      const decay = ratio(upper, 1n << BigInt(1024 + shift))
      const one = integer(1)
      let [before, n] = [kept(0), 0]
      while (compare(before, one) < 0) {
        n += 1
        const now = kept(n)
        assert.ok(compare(now, before) >= 0)
        // p(n) - delta <= e^epsilon p(n-1), and 1 - p(n-1) - delta <= e^epsilon (1 - p(n)).
        assert.ok(compare(mul(sub(now, decimal(delta)), decay), before) <= 0, `${n}`)
        assert.ok(compare(mul(sub(sub(one, before), decimal(delta)), decay), sub(one, now)) <= 0, `${n}`)
        before = now
      }
      assert.ok(n > 1)
    })

  it('are the best possible: the next larger ones would not be private', () => {
    const kept = keepProbabilities(decimal('0.5'), decimal('1e-5'))
    // p(2) = e^epsilon delta + delta, to 100 bits.
    const { upper, shift } = expNegativeRational(decimal('0.5'), 256)
    const growth = ratio(1n << BigInt(256 + shift), upper)
    const best = sub(mul(growth, decimal('1e-5')), mul(integer(-1), decimal('1e-5')))
    const gap = sub(best, kept(2))
    assert.ok(compare(gap, mul(best, ratio(1n, 1n << 100n))) < 0)
    assert.equal(compare(kept(1), decimal('1e-5')) <= 0, true)
  })

  it('agree with the note on hard thresholds: half at k - 1 + 155 homes, 0.999 at k - 1 + 217', () => {
    const kept = keepProbabilities(decimal('0.1'), decimal('1e-8'))
    const crosses = (share: string) => {
      for (let n = 0; ; n++) if (compare(kept(n), decimal(share)) >= 0) return n
    }
    assert.deepEqual([crosses('0.5'), crosses('0.999')], [155, 217])
  })

  it('refuse an epsilon that would need a table without end', () =>
    assert.throws(() => keepProbabilities(decimal('1e-6'), decimal('1e-9'))(1e9), /too small for optimal selection/))
})

describe('a selection of groups', () => {
  const { limit, groups } = limitGroups({ neighbours: 'add-remove', most: 2 })
  const options = { neighbours: 'add-remove', groups, epsilon: decimal('1'), delta: decimal('1e-5') } as const
  const counts = new Map([
    ['large', 10_000],
    ['big', 5_000],
    ['empty', 0],
  ])

  it('limits the groups of a unit to distinct ones', () => assert.deepEqual(limit(['b', 'b', 'a', 'c']), ['b', 'a']))

  it('names large groups, sorted, and never one of nobody or of fewer than the pre-threshold', () => {
    assert.deepEqual(partitionSelection(options).select(counts), ['big', 'large'])
    assert.deepEqual(partitionSelection({ ...options, preThreshold: 5_001 }).select(new Map([['big', 5_000]])), [])
  })

  it('keeps a group as often as it says', () => {
    const loose = { ...options, epsilon: decimal('2'), delta: decimal('0.2') }
    const bits = seededBits(5)
    const runs = 5_000
    let kept = 0
    for (let r = 0; r < runs; r++) kept += partitionSelectionOver(loose, bits).select(new Map([['pair', 2]])).length
    const chance = toNumber(partitionSelection(loose).keepProbability(2), 'down')
    assert.ok(Math.abs(kept - runs * chance) < 6 * Math.sqrt(runs * chance * (1 - chance)), `${kept}`)
  })

  it('happens once', () => {
    const selection = partitionSelection(options)
    selection.select(counts)
    assert.throws(() => selection.select(counts), AlreadyReleasedError)
    const release = thresholdedCounts(options)
    release.release(counts)
    assert.throws(() => release.release(counts), AlreadyReleasedError)
  })

  it('costs twice the groups under replace-one', () => {
    const { groups: replaced } = limitGroups({ neighbours: 'replace-one', most: 1 })
    const once = partitionSelection(options).keepProbability(3)
    const twice = partitionSelection({ ...options, neighbours: 'replace-one', groups: replaced }).keepProbability(3)
    assert.equal(compare(once, twice), 0)
  })

  it('releases noisy counts that are strictly greater than the threshold, and no others', () => {
    const { facts } = thresholdedCounts(options)
    assert.equal(facts.scale, '2')
    const question = { noise: { kind: 'discrete-laplace', scale: integer(2) }, most: integer(1), groups: 2 } as const
    assert.ok(compare(thresholdDelta(question, integer(facts.threshold)), options.delta) <= 0)
    assert.ok(compare(thresholdDelta(question, integer(facts.threshold - 1)), options.delta) > 0)
    const released = thresholdedCounts(options).release(counts)
    assert.deepEqual([...released.keys()], ['big', 'large'])
    for (const value of released.values()) assert.ok(value > facts.threshold)
  })

  const refused: readonly [string, () => unknown, RegExp][] = [
    ['no group', () => limitGroups({ neighbours: 'add-remove', most: 0 }), /limited to an integer from 1/],
    ['an unknown relation', () => limitGroups({ neighbours: 'both' as 'add-remove', most: 1 }), /neighbours must be/],
    [
      'the other relation',
      () => partitionSelection({ ...options, neighbours: 'replace-one' as 'add-remove' }),
      /limited for/,
    ],
    ['an epsilon of 0', () => partitionSelection({ ...options, epsilon: integer(0) }), /epsilon must be/],
    ['a delta of 1', () => thresholdedCounts({ ...options, delta: integer(1) }), /delta must lie/],
    ['a delta of 0', () => partitionSelection({ ...options, delta: integer(0) }), /delta must lie/],
    ['a pre-threshold of 0', () => partitionSelection({ ...options, preThreshold: 0 }), /pre-threshold/],
    ['half a unit', () => partitionSelection(options).select(new Map([['a', 0.5]])), /the count of a group/],
    ['a negative count', () => thresholdedCounts(options).release(new Map([['a', -1]])), /the count of a group/],
  ]
  for (const [what, call, says] of refused)
    it(`refuses ${what}`, () =>
      assert.throws(call, (error) => error instanceof ParameterError && says.test(error.message)))
})

describe('clipping one vector', () => {
  it('leaves what lies inside and scales what lies outside down to the ball', () => {
    assert.deepEqual(clipL2([3n, -4n], integer(5)), [3n, -4n])
    assert.deepEqual(clipL2([30n, -40n], integer(5)), [3n, -4n])
    assert.deepEqual(clipL1([3n, -4n], integer(7)), [3n, -4n])
    assert.deepEqual(clipL1([30n, -40n], integer(7)), [3n, -4n])
    assert.deepEqual(clipL1([1n, 1n, 1n], integer(2)), [0n, 0n, 0n])
    assert.throws(() => clipL1([1n], integer(0)), ParameterError)
    assert.throws(() => clipL2([1n], integer(-1)), ParameterError)
  })

  it('never leaves the ball, for any vector and radius', () => {
    const { word } = seededBits(8)
    for (let i = 0; i < 5_000; i++) {
      const vector = Array.from({ length: 1 + (i % 6) }, () => BigInt((word() % 2_000_001) - 1_000_000))
      const radius = ratio(BigInt(1 + (word() % 1_000_000)), BigInt(1 + (word() % 7)))
      const one = clipL1(vector, radius).reduce((sum, x) => sum + (x < 0n ? -x : x), 0n)
      const two = clipL2(vector, radius).reduce((sum, x) => sum + x * x, 0n)
      assert.ok(compare(integer(one), radius) <= 0 && compare(integer(two), mul(radius, radius)) <= 0)
    }
  })
})
