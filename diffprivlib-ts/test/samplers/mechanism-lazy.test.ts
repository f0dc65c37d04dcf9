// Random and hostile bits for the samplers behind the mechanisms: they answer in doubles, and must answer what the bigint decisions answer.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encloseRational, expNegativeRational, integerSqrt, plain } from '../../src/numeric/fixed-point.ts'
import { type BitSource, wideBits } from '../../src/random/bit-source.ts'
import {
  compare,
  decimal,
  div,
  format,
  fromDouble,
  integer,
  mul,
  type Rational,
  ratio,
  sub,
  toInteger,
  toNumber,
  zero,
} from '../../src/rational.ts'
import { acceptanceExponent, proposalScale } from '../../src/samplers/canonne-kamath-steinke.ts'
import { cellOf, cellSampler } from '../../src/samplers/lazy/cell.ts'
import { realCoin } from '../../src/samplers/lazy/coin.ts'
import { decayCoin, expAccepts, nearDouble } from '../../src/samplers/lazy/exp-coin.ts'
import { lazyExponential } from '../../src/samplers/lazy/exponential.ts'
import { lazyGeometric } from '../../src/samplers/lazy/geometric.ts'
import { acceptsOf } from '../../src/samplers/lazy/prefix.ts'
import { lazySpherical } from '../../src/samplers/lazy/spherical.ts'
import { lowBitsOf, lowCoin, wideAccepts } from '../../src/samplers/lazy/wide.ts'
import { lazyRoundedAccepts, roundedAcceptance, roundedAccepts } from '../../src/samplers/rounded-gaussian.ts'
import { snappedSampler } from '../../src/samplers/snapped-laplace.ts'
import { seededBits } from '../../src/testing/seeded-bits.ts'
import {
  expFaults,
  geometricFaults,
  hostileExponents,
  realCoinFaults,
  snappedFaults,
  sphericalFaults,
  wordFaults,
} from './mechanism-coupling.ts'
import type { Maker } from './word-coupling.ts'

const cases = Number(process.env['MV_CASES'] ?? 2_000) / 4

const geometric: Maker = (scale, source) => lazyGeometric(scale, lazyExponential(source), source)
const expCoin = (exponent: Rational, source: BitSource) => () =>
  expAccepts(exponent, nearDouble(exponent), lazyExponential(source), source)
const ends = [3n, 3n, 10n, 11n, 1n << 40n, (1n << 40n) + 5n]
const biases = ['0.0000000001', '0.4', '1', '20', '30'].map(decimal)
const chance = (exponent: Rational) => (precision: number) => plain(expNegativeRational(exponent, precision))

describe('the lazy samplers behind the mechanisms on hostile bits', () => {
  for (const scale of ['0.001', '0.3', '1', '3', '12345.678', '1e9', '6e10'].map(decimal))
    it(`geometric of scale ${format(scale)}`, () =>
      assert.deepEqual(geometricFaults(geometric, scale, cases, 21).slice(0, 5), []))

  for (const exponent of hostileExponents)
    it(`coin of bias exp(-${format(exponent)})`, () =>
      assert.deepEqual(expFaults(expCoin, exponent, cases / 4, 22).slice(0, 5), []))

  for (const scale of ['0.001', '7', '1e9', '1e40'].map(decimal))
    it(`coin of bias exp(-size / ${format(scale)})`, () => {
      for (const size of [0, 1, 2, 7, 1_000, 2 ** 40, 2 ** 53]) {
        const exponent = div(integer(BigInt(size)), scale)
        const make = (_: Rational, source: BitSource) => {
          const coin = decayCoin(scale, lazyExponential(source), source)
          return () => coin(size)
        }
        assert.deepEqual(expFaults(make, exponent, cases / 10, 23).slice(0, 5), [], `size ${size}`)
      }
    })

  for (const scale of ['1e11', '1e12', '1e100', '1e300'].map(decimal))
    it(`low bits of a geometric of scale ${format(scale)}`, () => {
      const low = lowBitsOf(scale)
      const high = div(scale, integer(1n << BigInt(low)))
      assert.ok(compare(high, integer(2n ** 34n)) > 0 && compare(high, integer(2n ** 36n)) < 0)
      const most = (1n << BigInt(low)) - 1n
      for (const value of [0n, 1n, most / 3n, most]) {
        const make = (_: Rational, source: BitSource) => {
          const coin = lowCoin(scale, lazyExponential(source), source)
          return () => coin(value)
        }
        assert.deepEqual(expFaults(make, div(integer(value), scale), cases / 10, 30).slice(0, 5), [], `value ${value}`)
      }
    })

  for (const sigma of ['1e11', '1e12', '1e100'].map(decimal))
    it(`acceptance of a discrete Gaussian of sigma ${format(sigma)}`, () => {
      const sigma2 = mul(sigma, sigma)
      const scale = proposalScale(sigma2)
      for (const share of [0n, 1n, 8n, 10n, 11n, 25n, 80n, 320n, 400n])
        for (const y of [(share * scale) / 10n + 7n, -(share * scale) / 10n]) {
          const make = (_: Rational, source: BitSource) => {
            const accepts = wideAccepts(sigma2, source)
            return () => accepts(y)
          }
          const exponent = acceptanceExponent(y, scale, sigma2)
          assert.deepEqual(expFaults(make, exponent, cases / 20, 31).slice(0, 5), [], `y ${y}`)
        }
    })

  it('coins of real biases, and of 0, 1 and 1/4', () => {
    for (const exponent of biases) assert.deepEqual(realCoinFaults(realCoin, chance(exponent), 24), [])
    for (const bias of [zero, integer(1), ratio(1n, 4n)])
      assert.deepEqual(
        realCoinFaults(realCoin, (precision) => encloseRational(bias, precision), 25),
        [],
      )
  })

  it('choice among cells, of which some are empty', () =>
    assert.deepEqual(
      wordFaults(
        (source) => cellSampler(ends, source),
        (prefix, source, step) => cellOf(prefix, ends, source, step),
        ends.map((end) => ratio(end, ends.at(-1)!)),
        26,
      ),
      [],
    ))

  for (const sigma2 of ['1', '2.25', '1000', '1e10', '1e24', '1e60'].map(decimal))
    it(`acceptance of a rounded Gaussian of sigma^2 ${format(sigma2)}`, () => {
      const sigma = integerSqrt(toInteger(sigma2, 'down'))
      for (const k of [0n, 1n, -1n, 2n, -3n, 5n, 2n * sigma, -6n * sigma, 20n * sigma]) {
        const { lower } = roundedAcceptance(k, sigma2)(64)
        const exactly = ({ value }: { readonly value: bigint }, { bits }: BitSource) =>
          roundedAccepts(k, sigma2, { word: () => Number(value), bits })
        for (const given of [k, Number(k)]) {
          // A number stands for the integer only where it is one.
          if (BigInt(given) !== k) continue
          const make = (source: BitSource) => {
            const accepts = lazyRoundedAccepts(sigma2, source)
            return () => accepts(given)
          }
          assert.deepEqual(wordFaults(make, exactly, [ratio(lower, 1n << 64n)], 27, 8).slice(0, 5), [], `k ${k}`)
        }
      }
    })

  for (const scale of ['0.5', '1', '30', '1e9', '6e10'].map(decimal))
    for (const centre of [zero, ratio(1n, 3n), ratio(-5n, 4n), decimal('-123456789012345678901.3')])
      it(`Laplace on the reals around ${format(centre)}, of scale ${format(scale)}, rounded`, () =>
        assert.deepEqual(snappedFaults(snappedSampler, scale, centre, cases / 4, 28).slice(0, 5), []))

  for (const scale of ['0.5', '50', '16000000'].map(decimal))
    for (const centre of [
      [zero],
      [zero, zero, zero],
      [ratio(1n, 3n), decimal('-1e30'), integer(7), zero, ratio(1n, 2n)],
    ])
      it(`spherical Laplace of scale ${format(scale)} in ${centre.length} dimensions`, () =>
        assert.deepEqual(sphericalFaults(lazySpherical, { centre, scale }, cases / 20, 29).slice(0, 5), []))
})

/** The proved logarithm without a margin. */
const bareCoin = (exponent: Rational, source: BitSource) => () =>
  !(lazyExponential(source).next() < nearDouble(exponent))

const planted: readonly { readonly bug: string; readonly finds: () => readonly string[] }[] = [
  {
    bug: 'a geometric without its margin',
    finds: () =>
      geometricFaults(
        (scale, source) => {
          const { next } = lazyExponential(source)
          return () => Math.floor(toNumber(scale, 'down') * next())
        },
        integer(1_000),
        400,
        31,
      ),
  },
  { bug: 'a coin without its margin', finds: () => expFaults(bareCoin, decimal('2.5'), 400, 32) },
  {
    bug: 'low bits that are kept without looking',
    finds: () => expFaults(() => () => true, ratio(1n, 1n << 34n), 400, 39),
  },
  {
    bug: 'a coin that takes a number below 2^-43 for refused',
    finds: () =>
      expFaults(
        (exponent, source) => () => lazyExponential(source).next() > nearDouble(exponent),
        decimal('29'),
        10,
        33,
      ),
  },
  {
    bug: 'a real coin that settles for its first word',
    finds: () =>
      realCoinFaults(
        (bias, source) => {
          const { upper } = bias(32)
          return () => source.word() < Number(upper)
        },
        chance(decimal('0.4')),
        34,
      ),
  },
  {
    bug: 'a choice by the first word alone',
    finds: () =>
      wordFaults(
        (source) => () => ends.findIndex((end) => (BigInt(source.word()) * ends.at(-1)!) >> 32n < end),
        (prefix, source, step) => cellOf(prefix, ends, source, step),
        ends.map((end) => ratio(end, ends.at(-1)!)),
        35,
      ),
  },
  {
    bug: 'a snapped Laplace without its margin',
    finds: () =>
      snappedFaults(
        (scale, source) => {
          const { next, negative } = lazyExponential(source)
          return (centre) => {
            const distance = toNumber(scale, 'down') * next()
            const middle = toNumber(centre, 'down') + 0.5
            return BigInt(Math.floor(negative() ? middle - distance : middle + distance))
          }
        },
        integer(30),
        ratio(1n, 3n),
        400,
        36,
      ),
  },
  {
    bug: 'a spherical Laplace rounded twice',
    finds: () =>
      sphericalFaults(
        (dimension, scale, source) => {
          const fine = lazySpherical(dimension, mul(scale, integer(16)), source)
          return (centre) => fine(centre).map((steps) => (steps + 8n) >> 4n)
        },
        { centre: [zero, zero, zero], scale: integer(50) },
        50,
        37,
      ),
  },
]

describe('what the lazy samplers stand on', () => {
  it('a fraction as a double is within a relative 2^-52 of it', () => {
    const bits = seededBits(51)
    const part = () => wideBits(bits, 1 + (bits.word() % 400)) | 1n
    for (let i = 0; i < cases; i++) {
      const [num, den] = [part(), part()]
      const error = sub(fromDouble(nearDouble({ num, den })), ratio(num, den))
      const size = compare(error, zero) < 0 ? mul(error, integer(-1)) : error
      assert.ok(compare(mul(size, integer(1n << 52n)), ratio(num, den)) <= 0, `${num}/${den}`)
    }
    assert.equal(nearDouble({ num: 0n, den: 7n }), 0)
  })

  it('a number that was forgotten decides nothing', () => {
    const { next, prefix, forget } = lazyExponential(seededBits(52))
    assert.throws(prefix, /no number was drawn/)
    next()
    assert.ok(prefix().length > 43)
    forget()
    assert.throws(prefix, /no number was drawn/)
  })
})

describe('planted bugs of the lazy samplers behind the mechanisms are found', () => {
  for (const { bug, finds } of planted) it(bug, () => assert.notDeepEqual(finds(), []))

  it('and a coin that is right passes the same checks', () =>
    assert.deepEqual(
      expFaults(
        (exponent, source) => () => {
          const exponential = lazyExponential(source)
          const difference = exponential.next() - nearDouble(exponent)
          return Math.abs(difference) > 1e-9 ? difference > 0 : acceptsOf(exponential.prefix(), exponent, source, 32)
        },
        decimal('2.5'),
        400,
        38,
      ),
      [],
    ))
})
