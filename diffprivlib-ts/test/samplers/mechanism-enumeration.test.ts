import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { discreteLaplaceLaw } from '../../src/laws/discrete-laplace-law.ts'
import { keepAttempt } from '../../src/mechanisms/binary.ts'
import { integerSqrt } from '../../src/numeric/fixed-point.ts'
import { compare, decimal, div, format, integer, type Rational, ratio, zero } from '../../src/rational.ts'
import { cellOf } from '../../src/samplers/lazy/cell.ts'
import { belowOf } from '../../src/samplers/lazy/coin.ts'
import { halfNormalAccepts } from '../../src/samplers/lazy/real.ts'
import { roundedAcceptance, roundedAtLeast, roundedAttempt } from '../../src/samplers/rounded-gaussian.ts'
import {
  acceptanceOf,
  envelopeOf,
  envelopePower,
  permuteAndFlip,
  selectionAttempt,
  type Weighted,
} from '../../src/samplers/selection.ts'
import { snappedOf } from '../../src/samplers/snapped-laplace.ts'
import { riserBias, staircaseAttempt, staircaseNumberAttempt } from '../../src/samplers/staircase.ts'
import {
  laplaceNumberProposal,
  laplaceProposal,
  uniformNumberProposal,
  uniformProposal,
} from '../../src/samplers/truncated-laplace.ts'
import { expBounds } from '../helpers/exact-laws.ts'
import {
  boundsOf,
  checkCells,
  checkFlip,
  checkHalfNormal,
  checkKeep,
  checkRealCoin,
  checkRounded,
  checkSelection,
  checkSnapped,
  checkStaircase,
  checkStaircaseNumbers,
  checkTruncated,
} from './mechanism-paths.ts'

const shapes = [
  { epsilon: integer(1), width: 1n, riser: 1n },
  { epsilon: integer(1), width: 3n, riser: 1n },
  { epsilon: ratio(1n, 2n), width: 4n, riser: 3n },
  { epsilon: ratio(7n, 3n), width: 5n, riser: 2n },
  { epsilon: ratio(3n, 2n), width: 2n, riser: 2n },
]

const intervals = [
  { below: 0n, above: 3n },
  { below: 2n, above: 2n },
  { below: 5n, above: 1n },
  { below: 0n, above: 0n },
]

const choices: readonly (readonly (readonly [weight: bigint, exponent: Rational])[])[] = [
  [[1n, zero]],
  [
    [1n, zero],
    [1n, zero],
    [1n, ratio(1n, 2n)],
  ],
  [
    [3n, ratio(7n, 2n)],
    [1n, zero],
    [0n, zero],
    [1000n, integer(9)],
  ],
  [
    [1n, integer(2)],
    [5n, integer(3)],
    [1n << 40n, integer(30)],
  ],
]

describe('every path of the samplers behind the mechanisms adds up to the exact law, to 2^-40 of the mass', () => {
  for (const shape of shapes) {
    it(`staircase of epsilon ${format(shape.epsilon)}, width ${shape.width}, riser ${shape.riser}`, () =>
      assert.deepEqual(checkStaircase(staircaseAttempt, shape), []))
    it(`staircase of epsilon ${format(shape.epsilon)}, width ${shape.width}, riser ${shape.riser}, in numbers`, () =>
      assert.deepEqual(checkStaircaseNumbers(staircaseNumberAttempt, shape), []))
    it(`coin of the riser ${shape.riser} of ${shape.width} at epsilon ${format(shape.epsilon)}`, () => {
      const bias = riserBias(shape)
      assert.deepEqual(
        checkRealCoin((prefix, source, step) => belowOf(prefix, bias, source, step), boundsOf(bias)),
        [],
      )
    })
  }

  for (const scale of [ratio(1n, 2n), integer(2), ratio(7n, 3n)])
    for (const interval of intervals) {
      const name = `discrete Laplace of scale ${format(scale)} kept to -${interval.below} .. ${interval.above}`
      const law = discreteLaplaceLaw(scale).probability
      it(`${name}, proposed uniformly`, () =>
        assert.deepEqual(
          checkTruncated((bricks) => uniformProposal(bricks, scale, interval), scale, interval, law),
          [],
        ))
      it(`${name}, proposed by a Laplace`, () =>
        assert.deepEqual(
          checkTruncated((bricks) => laplaceProposal(bricks, interval), scale, interval, law),
          [],
        ))
      const [below, above] = [Number(interval.below), Number(interval.above)]
      const wide = (value: number | undefined) => (value === undefined ? undefined : BigInt(value))
      it(`${name}, proposed uniformly, in numbers`, () =>
        assert.deepEqual(
          checkTruncated(
            ({ uniformBelow, bernoulliExp }) => {
              const draws = {
                uniformBelow: (bound: number) => Number(uniformBelow(BigInt(bound))),
                decays: (size: number) => bernoulliExp(div(integer(size), scale)),
              }
              return wide(uniformNumberProposal(draws, below, above))
            },
            scale,
            interval,
            law,
          ),
          [],
        ))
      it(`${name}, proposed by a Laplace, in numbers`, () =>
        assert.deepEqual(
          checkTruncated(
            ({ laplace }) => wide(laplaceNumberProposal(() => Number(laplace()), below, above)),
            scale,
            interval,
            law,
          ),
          [],
        ))
    }

  for (const [i, choice] of choices.entries()) {
    const candidates: readonly Weighted[] = choice.map(([weight, exponent]) => ({ weight, exponent }))
    it(`choice ${i + 1} by weight`, () => assert.deepEqual(checkSelection(selectionAttempt, candidates), []))
    it(`the envelope of choice ${i + 1}`, () => {
      const { ends } = envelopeOf(candidates)
      assert.deepEqual(
        checkCells((prefix, source, step) => cellOf(prefix, ends, source, step), candidates),
        [],
      )
    })
  }

  for (const exponent of ['1', '2.5', '30', '170', '1000'].map(decimal))
    it(`the rest of exp(-${format(exponent)}) after its envelope`, () => {
      const power = envelopePower(exponent)
      const bounds = expBounds(exponent)
      const bias = {
        lower: ratio(bounds.lower.num << power, bounds.lower.den),
        upper: ratio(bounds.upper.num << power, bounds.upper.den),
      }
      const chance = acceptanceOf(exponent, power)
      assert.deepEqual(
        checkRealCoin((prefix, source, step) => belowOf(prefix, chance, source, step), bias),
        [],
      )
    })

  for (const exponents of [
    [zero],
    [zero, zero],
    [zero, ratio(1n, 2n), integer(2)],
    [integer(1), zero, ratio(1n, 3n), integer(4)],
  ])
    it(`permute-and-flip of ${exponents.map(format).join(', ')}`, () =>
      assert.deepEqual(checkFlip(permuteAndFlip, exponents), []))

  for (const sigma2 of [integer(1), ratio(9n, 4n), integer(7)]) {
    it(`rounded Gaussian of sigma^2 ${format(sigma2)}`, () =>
      assert.deepEqual(checkRounded(roundedAttempt, sigma2), []))
    for (const k of [0n, 1n, -5n])
      it(`coin that accepts ${k} for a rounded Gaussian of sigma^2 ${format(sigma2)}`, () => {
        const bias = roundedAcceptance(k, sigma2)
        assert.deepEqual(
          checkRealCoin((prefix, source, step) => belowOf(prefix, bias, source, step), boundsOf(bias)),
          [],
        )
      })
  }

  it('the cheap bound of that coin is never above its bias, so both decide alike', () => {
    for (const sigma2 of [integer(1), ratio(9n, 4n), integer(100), decimal('1e12')])
      for (let i = -40n; i <= 40n; i++) {
        const k = (i * integerSqrt(sigma2.num / sigma2.den)) / 4n
        const { lower } = boundsOf(roundedAcceptance(k, sigma2))
        assert.ok(compare(roundedAtLeast(k, sigma2), lower) <= 0, `k ${k}, sigma^2 ${format(sigma2)}`)
      }
  })

  for (const centre of [zero, ratio(1n, 3n), ratio(-5n, 4n)])
    for (const scale of [ratio(1n, 2n), integer(1)])
      it(`Laplace on the reals around ${format(centre)}, of scale ${format(scale)}, rounded`, () =>
        assert.deepEqual(
          checkSnapped(
            (negative) => (prefix, source, step) => snappedOf(prefix, { centre, scale, negative }, source, step),
            centre,
            scale,
          ),
          [],
        ))

  for (const k of [0n, 1n, 2n, 5n])
    for (const x of [0n, 1n, 53n, 128n])
      it(`coin that accepts ${k} + ${x}/128 as the magnitude of a normal`, () =>
        assert.deepEqual(checkHalfNormal(halfNormalAccepts, k, { value: x, length: 7 }), []))

  for (const epsilon of [ratio(1n, 100n), integer(1), integer(5)])
    it(`randomised response of epsilon ${format(epsilon)}`, () => assert.deepEqual(checkKeep(keepAttempt, epsilon), []))
})
