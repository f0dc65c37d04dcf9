import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  clampedSum,
  clippedVectorSum,
  clippedVectorSumL1,
  countOnce,
  type Neighbours,
  statedL1,
  statedL2,
} from '../src/bounding.ts'
import { compare, decimal, format, integer, mul } from '../src/rational.ts'

const runs = { numRuns: Number(process.env['MV_CASES'] ?? 2_000) }

describe('the sensitivity of a clamped sum', () => {
  const cases: readonly [Neighbours, bigint, bigint, string][] = [
    ['add-remove', 0n, 6000n, '6000'],
    ['replace-one', 0n, 6000n, '6000'],
    ['add-remove', -2000n, 6000n, '6000'],
    ['replace-one', -2000n, 6000n, '8000'],
    ['add-remove', -7000n, -1000n, '7000'],
    ['replace-one', -7000n, -1000n, '6000'],
  ]
  for (const [neighbours, lower, upper, wanted] of cases)
    it(`of [${lower}, ${upper}] under ${neighbours} is ${wanted}`, () => {
      const bound = clampedSum({ neighbours, lower, upper })
      assert.equal(format(bound.l1.l1), wanted)
      assert.equal(format(bound.l2.l2Squared), format(mul(integer(BigInt(wanted)), integer(BigInt(wanted)))))
    })

  it('bounds what it says, over random data sets and neighbours', () => {
    fc.assert(
      fc.property(
        fc.array(fc.bigInt(-100n, 100n), { minLength: 1, maxLength: 6 }),
        fc.bigInt(-100n, 100n),
        fc.tuple(fc.bigInt(-50n, 50n), fc.bigInt(0n, 60n)),
        (values, other, [lower, span]) => {
          const upper = lower + span + 1n
          const sum = (clamp: (x: bigint) => bigint, xs: readonly bigint[]) => xs.reduce((t, x) => t + clamp(x), 0n)
          const removed = clampedSum({ neighbours: 'add-remove', lower, upper })
          const replaced = clampedSum({ neighbours: 'replace-one', lower, upper })
          const whole = sum(removed.clamp, values)
          const gone = whole - sum(removed.clamp, values.slice(1))
          const changed = whole - sum(replaced.clamp, [other, ...values.slice(1)])
          assert.ok(compare(integer(gone * gone), removed.l2.l2Squared) <= 0)
          assert.ok(compare(integer(changed * changed), replaced.l2.l2Squared) <= 0)
        },
      ),
      runs,
    )
  })

  it('refuses bounds the wrong way round, and bounds that nobody moves', () => {
    assert.throws(() => clampedSum({ neighbours: 'add-remove', lower: 1n, upper: 0n }), /above the upper bound/)
    assert.throws(
      () => clampedSum({ neighbours: 'add-remove', lower: 0n, upper: 0n }),
      /a sensitivity must be greater than 0/,
    )
    assert.throws(
      () => clampedSum({ neighbours: 'replace-one', lower: 5n, upper: 5n }),
      /a sensitivity must be greater than 0/,
    )
  })

  it('refuses a relation that it does not know', () => {
    const neighbours = 'both' as Neighbours
    assert.throws(
      () => clampedSum({ neighbours, lower: 0n, upper: 1n }),
      /neighbours must be "add-remove" or "replace-one"/,
    )
  })
})

describe('a count', () => {
  it('moves by one', () => assert.equal(format(countOnce({ neighbours: 'replace-one' }).l1.l1), '1'))
})

describe('a clipped vector sum', () => {
  const squares = (vector: readonly bigint[]) => integer(vector.reduce((total, x) => total + x * x, 0n))

  it('has squared sensitivity S^2, 2 S^2 or 4 S^2', () => {
    const of = (neighbours: Neighbours, signs: 'signed' | 'non-negative') =>
      format(clippedVectorSum({ neighbours, radius: integer(10), signs }).l2.l2Squared)
    assert.equal(of('add-remove', 'signed'), '100')
    assert.equal(of('add-remove', 'non-negative'), '100')
    assert.equal(of('replace-one', 'non-negative'), '200')
    assert.equal(of('replace-one', 'signed'), '400')
  })

  it('leaves a vector inside the ball alone and scales one outside down to it', () => {
    const { clip } = clippedVectorSum({ neighbours: 'add-remove', radius: integer(10), signs: 'signed' })
    assert.deepEqual(clip([6n, -8n]), [6n, -8n])
    assert.deepEqual(clip([60n, -80n]), [6n, -8n])
    assert.deepEqual(clip([0n, 1n << 80n]), [0n, 10n])
  })

  it('takes negative coordinates as 0 when there may be none', () => {
    const { clip } = clippedVectorSum({ neighbours: 'add-remove', radius: integer(10), signs: 'non-negative' })
    assert.deepEqual(clip([-1000n, 3n]), [0n, 3n])
  })

  it('never leaves a vector outside the ball, nor neighbours further apart than it says', () => {
    const vector = fc.array(fc.bigInt(-(10n ** 6n), 10n ** 6n), { minLength: 4, maxLength: 4 })
    const radius = fc.bigInt(1n, 10n ** 5n).map((r) => mul(integer(r), decimal('0.5')))
    fc.assert(
      fc.property(vector, vector, radius, fc.constantFrom('signed', 'non-negative'), (a, b, radius, signs) => {
        const { clip, l2 } = clippedVectorSum({ neighbours: 'replace-one', radius, signs })
        const [x, y] = [clip(a), clip(b)]
        assert.ok(compare(squares(x), mul(radius, radius)) <= 0)
        assert.ok(compare(squares(x.map((v, i) => v - y[i]!)), l2.l2Squared) <= 0)
      }),
      runs,
    )
  })

  it('refuses a radius of 0', () =>
    assert.throws(() => clippedVectorSum({ neighbours: 'add-remove', radius: integer(0), signs: 'signed' }), /radius/))
})

describe('a clipped vector sum in absolute values', () => {
  const size = (vector: readonly bigint[]) => integer(vector.reduce((total, x) => total + (x < 0n ? -x : x), 0n))

  it('has sensitivity R or 2 R', () => {
    const of = (neighbours: Neighbours) =>
      format(clippedVectorSumL1({ neighbours, radius: integer(10), signs: 'signed' }).l1.l1)
    assert.deepEqual([of('add-remove'), of('replace-one')], ['10', '20'])
  })

  it('never leaves a vector outside the ball, nor neighbours further apart than it says', () => {
    const vector = fc.array(fc.bigInt(-(10n ** 6n), 10n ** 6n), { minLength: 4, maxLength: 4 })
    const radius = fc.bigInt(1n, 10n ** 5n).map((r) => mul(integer(r), decimal('0.5')))
    fc.assert(
      fc.property(vector, vector, radius, fc.constantFrom('signed', 'non-negative'), (a, b, radius, signs) => {
        const { clip, l1 } = clippedVectorSumL1({ neighbours: 'replace-one', radius, signs })
        const [x, y] = [clip(a), clip(b)]
        assert.ok(compare(size(x), radius) <= 0)
        assert.ok(compare(size(x.map((v, i) => v - y[i]!)), l1.l1) <= 0)
      }),
      runs,
    )
  })
})

describe('a stated sensitivity', () => {
  it('carries its reason, and is refused without one', () => {
    const stated = statedL2({
      neighbours: 'add-remove',
      l2Squared: integer(9),
      because: 'the causal clip of the pipeline',
    })
    assert.equal(stated.because, 'the causal clip of the pipeline')
    assert.throws(() => statedL2({ neighbours: 'add-remove', l2Squared: integer(9), because: '' }), /needs the reason/)
    assert.throws(() => statedL1({ neighbours: 'add-remove', l1: integer(0), because: 'x' }), /greater than 0/)
  })
})
