// The enumerations of mechanism-enumeration.test.ts must fail for samplers that are wrong in ways that such samplers have been wrong.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { discreteLaplaceLaw } from '../../src/laws/discrete-laplace-law.ts'
import { encloseRational } from '../../src/numeric/fixed-point.ts'
import { add, fromDouble, integer, mul, one, ratio, zero } from '../../src/rational.ts'
import { cellOf } from '../../src/samplers/lazy/cell.ts'
import { belowOf } from '../../src/samplers/lazy/coin.ts'
import { halfNormalAccepts } from '../../src/samplers/lazy/real.ts'
import { roundedAcceptance, roundedAttempt } from '../../src/samplers/rounded-gaussian.ts'
import {
  acceptanceOf,
  envelopeOf,
  envelopePower,
  permuteAndFlip,
  selectionAttempt,
} from '../../src/samplers/selection.ts'
import { snappedOf } from '../../src/samplers/snapped-laplace.ts'
import { staircaseAttempt, staircaseNumberAttempt } from '../../src/samplers/staircase.ts'
import { laplaceProposal, uniformNumberProposal } from '../../src/samplers/truncated-laplace.ts'
import { expBounds } from '../helpers/exact-laws.ts'
import {
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

const two = integer(2)
const shape = { epsilon: one, width: 3n, riser: 1n }
const interval = { below: 2n, above: 4n }
const candidates = [
  { weight: 3n, exponent: integer(2) },
  { weight: 1n, exponent: zero },
]
const exponents = [zero, one, ratio(1n, 2n)]

const planted: readonly { readonly bug: string; readonly finds: () => readonly string[] }[] = [
  {
    bug: 'a staircase of half the scale',
    finds: () =>
      checkStaircase(
        (bricks, inRiser, it) => staircaseAttempt(bricks, inRiser, { ...it, epsilon: mul(it.epsilon, two) }),
        shape,
      ),
  },
  {
    bug: 'a staircase whose riser and rest are even',
    finds: () =>
      checkStaircase((bricks, _, it) => staircaseAttempt(bricks, () => bricks.uniformBelow(2n) === 0n, it), shape),
  },
  {
    bug: 'a staircase that counts zero twice',
    finds: () =>
      checkStaircase((bricks, inRiser, it) => {
        const value = staircaseAttempt(
          { ...bricks, uniformBelow: (n) => (n === 2n ? 0n : bricks.uniformBelow(n)) },
          inRiser,
          it,
        )
        return value === undefined ? undefined : bricks.uniformBelow(2n) === 1n ? -value : value
      }, shape),
  },
  {
    bug: 'a staircase in numbers that counts zero twice',
    finds: () =>
      checkStaircaseNumbers((draws, width, riser) => {
        const size = staircaseNumberAttempt({ ...draws, negative: () => false }, width, riser)!
        return draws.negative() ? 0 - size : size
      }, shape),
  },
  {
    bug: 'a staircase in numbers whose riser is one too wide',
    finds: () => checkStaircaseNumbers((draws, width, riser) => staircaseNumberAttempt(draws, width, riser + 1), shape),
  },
  {
    bug: 'noise of a domain in numbers that accepts everything',
    finds: () =>
      checkTruncated(
        ({ uniformBelow }) => {
          const draws = { uniformBelow: (bound: number) => Number(uniformBelow(BigInt(bound))), decays: () => true }
          return BigInt(uniformNumberProposal(draws, Number(interval.below), Number(interval.above))!)
        },
        two,
        interval,
        discreteLaplaceLaw(two).probability,
      ),
  },
  {
    bug: 'a normal accepted without its mixed term',
    finds: () => checkHalfNormal((_, x, other) => halfNormalAccepts(0n, x, other), 1n, { value: 1n, length: 1 }),
  },
  {
    bug: 'noise of a domain that is clamped instead of drawn again',
    finds: () =>
      checkTruncated(
        ({ laplace }) => {
          const y = laplace()
          return y < -interval.below ? -interval.below : y > interval.above ? interval.above : y
        },
        two,
        interval,
        discreteLaplaceLaw(two).probability,
      ),
  },
  {
    bug: 'noise of a domain that leaves out one end',
    finds: () =>
      checkTruncated(
        (bricks) => laplaceProposal(bricks, { ...interval, above: interval.above - 1n }),
        two,
        interval,
        discreteLaplaceLaw(two).probability,
      ),
  },
  {
    bug: 'a choice that forgets its weights',
    finds: () => {
      const { ends } = envelopeOf(candidates.map((it) => ({ ...it, weight: 1n })))
      return checkCells((prefix, source, step) => cellOf(prefix, ends, source, step), candidates)
    },
  },
  {
    bug: 'a choice that settles for 20 bits',
    finds: () => {
      const { ends } = envelopeOf(candidates)
      return checkCells(
        (prefix, source, step) => (prefix.length >= 20 ? 0 : cellOf(prefix, ends, source, step)),
        candidates,
      )
    },
  },
  {
    bug: 'a choice that takes its envelope for the weight',
    finds: () => checkSelection((bricks) => selectionAttempt({ ...bricks, accepts: () => true }), candidates),
  },
  {
    bug: 'an acceptance in single precision',
    finds: () => {
      const exponent = ratio(7n, 10n)
      const single = fromDouble(Math.fround(Math.exp(-0.7)))
      return checkRealCoin(
        (prefix, source, step) => belowOf(prefix, (precision) => encloseRational(single, precision), source, step),
        expBounds(exponent),
      )
    },
  },
  {
    bug: 'permute-and-flip of twice the epsilon',
    finds: () =>
      checkFlip(
        ({ uniformBelow, accepts }, order) =>
          permuteAndFlip({ uniformBelow, accepts: (one) => accepts(one) && accepts(one) }, order),
        exponents,
      ),
  },
  {
    bug: 'permute-and-flip that keeps the order',
    finds: () => checkFlip((bricks, order) => permuteAndFlip({ ...bricks, uniformBelow: () => 0 }, order), exponents),
  },
  {
    bug: 'a rounded Gaussian that accepts everything',
    finds: () => checkRounded((proposal) => roundedAttempt(proposal, () => true), two),
  },
  {
    bug: 'a rounded Gaussian whose acceptance is that of another variance',
    finds: () => checkRounded(roundedAttempt, two, (k) => roundedAcceptance(k, add(two, ratio(1n, 1000n)))),
  },
  {
    bug: 'a rounded Gaussian cut at 6 sigma, a mass of 2^-29',
    finds: () => checkRounded((proposal, accepts) => roundedAttempt(proposal, (k) => k * k <= 36n && accepts(k)), one),
  },
  {
    bug: 'a snapped Laplace of half the scale',
    finds: () =>
      checkSnapped(
        (negative) => (prefix, source, step) =>
          snappedOf(prefix, { centre: zero, scale: ratio(1n, 2n), negative }, source, step),
        zero,
        one,
      ),
  },
  {
    bug: 'a snapped Laplace that settles for 20 bits',
    finds: () =>
      checkSnapped(
        (negative) => (prefix, source, step) =>
          prefix.length >= 20 ? 0n : snappedOf(prefix, { centre: zero, scale: one, negative }, source, step),
        zero,
        one,
      ),
  },
  {
    bug: 'an acceptance that settles for 20 bits',
    finds: () => {
      const exponent = integer(3)
      const power = envelopePower(exponent)
      const { lower, upper } = expBounds(exponent)
      const scaled = (end: typeof one) => mul(end, integer(1n << power))
      const chance = acceptanceOf(exponent, power)
      return checkRealCoin((prefix, source, step) => prefix.length >= 20 || belowOf(prefix, chance, source, step), {
        lower: scaled(lower),
        upper: scaled(upper),
      })
    },
  },
  {
    bug: 'a randomised response that ignores epsilon',
    finds: () => checkKeep((coin) => coin(), one),
  },
]

describe('planted bugs of the samplers behind the mechanisms are found', () => {
  for (const { bug, finds } of planted) it(bug, () => assert.notDeepEqual(finds(), []))
})
