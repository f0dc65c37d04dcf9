import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { discreteLaplaceLaw } from '../../src/laws/discrete-laplace-law.ts'
import type { BitSource } from '../../src/random/bit-source.ts'
import { format, integer, ratio } from '../../src/rational.ts'
import { bernoulli, bernoulliExpBelowOne, bernoulliExpFrom } from '../../src/samplers/bernoulli.ts'
import {
  acceptanceExponent,
  gaussianAttempt,
  geometricAttempt,
  laplaceAttempt,
  proposalScale,
} from '../../src/samplers/canonne-kamath-steinke.ts'
import { acceptsOf, geometricOf } from '../../src/samplers/lazy/prefix.ts'
import { wideAttempt } from '../../src/samplers/lazy/wide.ts'
import { uniformAttempt, uniformNumberAttempt } from '../../src/samplers/uniform.ts'
import { seededBits } from '../../src/testing/seeded-bits.ts'
import {
  checkCoin,
  checkExp,
  checkExpBelowOne,
  checkGaussian,
  checkGeometric,
  checkLaplace,
  checkLazyCoin,
  checkLazyGaussian,
  checkLazyGeometric,
  checkUniform,
  checkWide,
} from './paths.ts'

const scales = [ratio(1n, 3n), ratio(1n, 2n), integer(1), ratio(3n, 2n), ratio(7n, 3n), integer(4)]
const variances = [ratio(1n, 3n), ratio(1n, 2n), integer(1), ratio(9n, 4n), integer(5)]
const exponents = [integer(0), ratio(1n, 1000n), ratio(1n, 3n), ratio(1n, 2n), integer(1), ratio(7n, 3n), integer(5)]

describe('every path of every sampler adds up to the exact law, to 2^-40 of the mass', () => {
  it('uniform below 1 to 70, and on both sides of a power of two', () => {
    for (let bound = 1n; bound <= 70n; bound++)
      assert.deepEqual(checkUniform(uniformAttempt, bound), [], `bound ${bound}`)
    for (const bound of [127n, 128n, 129n, 1023n, 1024n, 1025n])
      assert.deepEqual(checkUniform(uniformAttempt, bound), [], `bound ${bound}`)
  })

  it('uniform in numbers, which reads the same bits', () => {
    const attempt = (source: BitSource, bound: bigint): bigint | undefined => {
      const value = uniformNumberAttempt(source, Number(bound))
      return value === undefined ? undefined : BigInt(value)
    }
    for (let bound = 2n; bound <= 70n; bound++) assert.deepEqual(checkUniform(attempt, bound), [], `bound ${bound}`)
    for (const bound of [127n, 128n, 129n, 1023n, 1024n, 1025n])
      assert.deepEqual(checkUniform(attempt, bound), [], `bound ${bound}`)
    for (const power of [16n, 31n, 32n, 33n, 40n, 52n, 53n])
      for (const bound of [(1n << power) - 1n, 1n << power, (1n << power) + 1n].filter((it) => it <= 1n << 53n)) {
        const [one, other] = [seededBits(Number(power)), seededBits(Number(power))]
        for (let i = 0; i < 200; i++) assert.equal(attempt(one, bound), uniformAttempt(other, bound), `bound ${bound}`)
        assert.equal(one.word(), other.word(), `bound ${bound}`)
      }
  })

  for (const p of [
    integer(0),
    integer(1),
    ratio(1n, 2n),
    ratio(3n, 4n),
    ratio(2n, 3n),
    ratio(5n, 7n),
    ratio(1n, 15n),
    ratio(11n, 16n),
  ])
    it(`coin of bias ${format(p)}`, () => assert.deepEqual(checkCoin(bernoulli, p), []))

  for (const x of exponents) {
    if (x.num <= x.den)
      it(`coin of bias exp(-${format(x)}), below one`, () =>
        assert.deepEqual(checkExpBelowOne(bernoulliExpBelowOne, x), []))
    it(`coin of bias exp(-${format(x)})`, () => assert.deepEqual(checkExp(bernoulliExpFrom, x), []))
    it(`lazy coin of bias exp(-${format(x)})`, () =>
      assert.deepEqual(
        checkLazyCoin((prefix, source, step) => acceptsOf(prefix, x, source, step), x),
        [],
      ))
  }

  for (const scale of scales) {
    it(`geometric of scale ${format(scale)}`, () => assert.deepEqual(checkGeometric(geometricAttempt, scale), []))
    it(`discrete Laplace of scale ${format(scale)}`, () =>
      assert.deepEqual(checkLaplace(laplaceAttempt, scale, discreteLaplaceLaw(scale).probability), []))
    for (const low of [1, 2, 3])
      it(`geometric of scale ${format(scale)}, ${low} low bits apart`, () =>
        assert.deepEqual(checkWide(wideAttempt, scale, low), []))
    it(`lazy geometric of scale ${format(scale)}`, () =>
      assert.deepEqual(
        checkLazyGeometric((prefix, source, step) => geometricOf(prefix, scale, source, step), scale),
        [],
      ))
  }

  for (const sigma2 of variances) {
    const scale = proposalScale(sigma2)
    const law = discreteLaplaceLaw(integer(scale))
    it(`discrete Gaussian of sigma^2 ${format(sigma2)}`, () =>
      assert.deepEqual(
        checkGaussian((bricks, laplace) => gaussianAttempt(bricks, laplace, scale, sigma2), law.probability, sigma2),
        [],
      ))
    it(`lazy discrete Gaussian of sigma^2 ${format(sigma2)}, sign, magnitude and acceptance together`, () =>
      assert.deepEqual(
        checkLazyGaussian(
          (prefix, source, step) => geometricOf(prefix, integer(scale), source, step),
          (y) => (prefix, source, step) => acceptsOf(prefix, acceptanceExponent(y, scale, sigma2), source, step),
          sigma2,
        ),
        [],
      ))
  }
})
