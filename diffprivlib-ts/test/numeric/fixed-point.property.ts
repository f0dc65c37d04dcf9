// The enclosures are compared with each other at a much higher precision, which a wrong error count would break, and with identities.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { erfcOfSquare } from '../../src/numeric/erfc.ts'
import {
  type Enclosure,
  expNegativeRational,
  integerSqrt,
  ln,
  ln2,
  narrow,
  pi,
  plain,
  sqrt,
  timesPositive,
} from '../../src/numeric/fixed-point.ts'
import { add, mul, type Rational, ratio } from '../../src/rational.ts'

const numRuns = Math.ceil(Number(process.env['MV_CASES'] ?? 2_000) / 4)
const positive = fc
  .tuple(fc.bigInt({ min: 1n, max: 1n << 90n }), fc.bigInt({ min: 1n, max: 1n << 90n }))
  .map(([num, den]) => ratio(num, den))
/** Fractions from 0 to 60, many of them close to 0. */
const modest = fc
  .tuple(fc.bigInt({ min: 0n, max: 60n << 64n }), fc.integer({ min: 0, max: 120 }))
  .map(([num, bits]) => ratio(num, 1n << BigInt(64 + bits)))
const precisions = fc.integer({ min: 20, max: 300 })

/** Whether the coarse enclosure holds the fine one, and is no wider than `units` of its last place. */
const assertHolds = (coarse: Enclosure, fine: Enclosure, extra: number, units: bigint): void => {
  const outer = { lower: coarse.lower << BigInt(extra), upper: coarse.upper << BigInt(extra) }
  assert.ok(outer.lower <= fine.lower && fine.upper <= outer.upper, 'the coarse enclosure misses the value')
  assert.ok(coarse.upper - coarse.lower <= units, `the enclosure is ${coarse.upper - coarse.lower} units wide`)
}

/** Whether two enclosures of one value meet. */
const assertMeet = (a: Enclosure, b: Enclosure): void =>
  assert.ok(a.lower <= b.upper && b.lower <= a.upper, 'the enclosures are disjoint')

const extra = 400

describe('enclosures hold the value', () => {
  const holds = (of: (r: Rational, precision: number) => Enclosure, values: fc.Arbitrary<Rational>, units: bigint) =>
    fc.assert(
      fc.property(values, precisions, (r, precision) =>
        assertHolds(of(r, precision), of(r, precision + extra), extra, units),
      ),
      { numRuns },
    )

  it('ln', () => holds(ln, positive, 2n))
  it('square root', () => holds(sqrt, positive, 1n))
  it('exp(-x)', () => holds((r, precision) => plain(expNegativeRational(r, precision)), modest, 3n))
  it('erfc of a square root', () =>
    fc.assert(
      fc.property(modest, fc.integer({ min: 20, max: 120 }), (r, precision) => {
        const coarse = plain(erfcOfSquare(r, precision))
        assertHolds(coarse, plain(erfcOfSquare(r, precision + extra)), extra, 2n)
      }),
      { numRuns: Math.ceil(numRuns / 5) },
    ))

  it('pi and ln 2', () => {
    for (let precision = 10; precision < 600; precision += 13) {
      assertHolds(pi(precision), pi(precision + extra), extra, 2n)
      assertHolds(ln2(precision), ln2(precision + extra), extra, 2n)
    }
  })
})

describe('enclosures agree with identities', () => {
  it('ln(a b) = ln a + ln b', () =>
    fc.assert(
      fc.property(positive, positive, precisions, (a, b, precision) => {
        const left = ln(a, precision)
        const right = ln(b, precision)
        const sum = { lower: left.lower + right.lower, upper: left.upper + right.upper }
        assertMeet(ln(mul(a, b), precision), sum)
      }),
      { numRuns },
    ))

  it('exp(-a) exp(-b) = exp(-(a + b))', () =>
    fc.assert(
      fc.property(modest, modest, precisions, (a, b, precision) => {
        const product = timesPositive(
          plain(expNegativeRational(a, precision)),
          plain(expNegativeRational(b, precision)),
          precision,
        )
        assertMeet(plain(expNegativeRational(add(a, b), precision)), product)
      }),
      { numRuns },
    ))

  it('ln(exp(-x)) = -x', () =>
    fc.assert(
      fc.property(modest, (x) => {
        const precision = 200
        const { lower, upper, shift } = expNegativeRational(x, precision)
        const scale = 1n << BigInt(precision + shift)
        const back = { lower: ln(ratio(lower, scale), 190).lower, upper: ln(ratio(upper, scale), 190).upper }
        const negated = { lower: (-x.num << 190n) / x.den - 2n, upper: (-x.num << 190n) / x.den + 2n }
        assertMeet(back, negated)
      }),
      { numRuns },
    ))

  it('the integer root is the floor of the root', () =>
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 1n << 300n }), (value) => {
        const root = integerSqrt(value)
        assert.ok(root * root <= value && (root + 1n) * (root + 1n) > value)
      }),
      { numRuns },
    ))
})

describe('known digits', () => {
  const digits = (value: Enclosure, precision: number) => (value.lower * 10n ** 40n) >> BigInt(precision)

  it('of pi, ln 2, ln 10, exp(-1) and erfc(1)', () => {
    const precision = 256
    assert.equal(digits(pi(precision), precision), 31415926535897932384626433832795028841971n)
    assert.equal(digits(ln2(precision), precision), 6931471805599453094172321214581765680755n)
    assert.equal(digits(ln(ratio(10n, 1n), precision), precision), 23025850929940456840179914546843642076011n)
    assert.equal(
      digits(plain(expNegativeRational(ratio(1n, 1n), precision)), precision),
      3678794411714423215955237701614608674458n,
    )
    assert.equal(
      digits(plain(erfcOfSquare(ratio(1n, 1n), precision)), precision),
      1572992070502851306587793649173907407039n,
    )
  })

  it('narrowing moves both ends outwards', () => {
    assert.deepEqual(narrow({ lower: 5n, upper: 5n }, 1), { lower: 2n, upper: 3n })
    assert.deepEqual(narrow({ lower: -5n, upper: -5n }, 1), { lower: -3n, upper: -2n })
  })
})
