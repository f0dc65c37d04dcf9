import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  add,
  bitLength,
  compare,
  decimal,
  div,
  format,
  fromDouble,
  integer,
  mul,
  parse,
  powerOfTwo,
  type Rounding,
  ratio,
  sub,
  toDecimal,
  toInteger,
  toNumber,
} from '../src/rational.ts'

describe('a fraction', () => {
  it('is in lowest terms with the sign above', () => {
    assert.deepEqual(ratio(-6n, -4n), { num: 3n, den: 2n })
    assert.deepEqual(ratio(6n, -4n), { num: -3n, den: 2n })
    assert.deepEqual(ratio(0n, -4n), { num: 0n, den: 1n })
  })

  it('cannot have a zero denominator', () => {
    assert.throws(() => ratio(1n, 0n), /denominator other than zero/)
    assert.throws(() => div(integer(1), integer(0)), /denominator other than zero/)
  })

  it('is computed with exactly', () => {
    assert.equal(format(add(ratio(1n, 6n), ratio(1n, 10n))), '4/15')
    assert.equal(format(sub(ratio(1n, 6n), ratio(1n, 10n))), '1/15')
    assert.equal(format(mul(ratio(-2n, 3n), ratio(9n, 4n))), '-3/2')
    assert.equal(format(div(ratio(-2n, 3n), ratio(-4n, 9n))), '3/2')
    assert.equal(compare(ratio(1n, 3n), decimal('0.3333333333333333')), 1)
  })
})

describe('reading a fraction', () => {
  const decimals: readonly [string, string][] = [
    ['0.02435597', '2435597/100000000'],
    ['1e-6', '1/1000000'],
    ['-12.50', '-25/2'],
    ['+3', '3'],
    ['2.5E3', '2500'],
    ['0', '0'],
    ['-0.0', '0'],
  ]
  for (const [text, wanted] of decimals)
    it(`takes the decimal ${text} exactly`, () => assert.equal(format(decimal(text)), wanted))

  for (const text of ['', '.', '1.', '.5', '1e', '0x10', 'NaN', 'Infinity', '1 2', '1e999999', '1_000', '١'])
    it(`refuses ${JSON.stringify(text)} as a decimal`, () =>
      assert.throws(() => decimal(text), /expected a decimal such as/))

  it('takes a double for what it exactly is', () => {
    assert.equal(format(fromDouble(0.1)), '3602879701896397/36028797018963968')
    assert.equal(format(fromDouble(-2.5)), '-5/2')
    assert.equal(format(fromDouble(2 ** 80)), String(2n ** 80n))
    assert.deepEqual(fromDouble(Number.MIN_VALUE), ratio(1n, 1n << 1074n))
    assert.deepEqual(fromDouble(-0), integer(0))
  })

  for (const value of [Number.NaN, Infinity, -Infinity])
    it(`refuses ${value} as a double`, () => assert.throws(() => fromDouble(value), /expected a finite number/))

  for (const value of [0.5, 2 ** 53, Number.NaN, Infinity])
    it(`refuses ${value} as an integer`, () => assert.throws(() => integer(value), /expected a safe integer/))

  it('reads back what it writes', () => {
    for (const text of ['3/8', '-3/8', '0', '17']) assert.equal(format(parse(text)), text)
    assert.equal(format(parse('6/16')), '3/8')
    for (const text of ['', '1/0', '1/-2', '1.5', '1/2/3', 'a']) assert.throws(() => parse(text))
  })
})

describe('rounding a fraction', () => {
  const cases: readonly [string, number, Rounding, string][] = [
    ['1/3', 4, 'down', '0.3333'],
    ['1/3', 4, 'up', '0.3334'],
    ['-1/3', 4, 'down', '-0.3334'],
    ['-1/3', 4, 'up', '-0.3333'],
    ['-1/3', 0, 'up', '0'],
    ['1/4', 2, 'up', '0.25'],
    ['1/4', 2, 'down', '0.25'],
    ['999/1000', 2, 'up', '1.00'],
    ['7', 3, 'up', '7.000'],
    ['-1/1000', 2, 'up', '0.00'],
  ]
  for (const [text, digits, rounding, wanted] of cases)
    it(`writes ${text} to ${digits} digits ${rounding} as ${wanted}`, () =>
      assert.equal(toDecimal(parse(text), digits, rounding), wanted))

  for (const digits of [-1, 1.5, Number.NaN, 1e9])
    it(`refuses ${digits} digits`, () =>
      assert.throws(() => toDecimal(integer(1), digits, 'up'), /digits must be an integer/))

  it('goes to the next integer on the side asked for', () => {
    assert.equal(toInteger(ratio(-7n, 2n), 'down'), -4n)
    assert.equal(toInteger(ratio(-7n, 2n), 'up'), -3n)
    assert.equal(toInteger(ratio(7n, 2n), 'up'), 4n)
    assert.equal(toInteger(integer(-4), 'up'), -4n)
  })

  it('goes to the neighbouring doubles of a fraction between them', () => {
    const third = ratio(1n, 3n)
    assert.equal(toNumber(third, 'up'), 0.33333333333333337)
    assert.equal(toNumber(third, 'down'), 0.3333333333333333)
    assert.equal(toNumber(ratio(-1n, 3n), 'up'), -0.3333333333333333)
    assert.equal(toNumber(integer(2n ** 53n + 1n), 'down'), 2 ** 53)
    assert.equal(toNumber(integer(2n ** 53n + 1n), 'up'), 2 ** 53 + 2)
    assert.equal(toNumber(integer(2n ** 54n - 1n), 'up'), 2 ** 54)
  })

  it('keeps to the right side past the smallest and the largest double', () => {
    const tiny = ratio(1n, 1n << 2000n)
    const huge = integer(1n << 2000n)
    assert.equal(toNumber(tiny, 'up'), Number.MIN_VALUE)
    assert.equal(toNumber(tiny, 'down'), 0)
    assert.equal(toNumber(huge, 'up'), Infinity)
    assert.equal(toNumber(huge, 'down'), Number.MAX_VALUE)
    assert.equal(toNumber(ratio(3n, 1n << 1075n), 'down'), Number.MIN_VALUE)
    assert.equal(toNumber(ratio(3n, 1n << 1075n), 'up'), 2 * Number.MIN_VALUE)
  })
})

describe('powers and lengths', () => {
  it('are exact', () => {
    assert.equal(powerOfTwo(-1022), 2.2250738585072014e-308)
    assert.equal(powerOfTwo(1023) / powerOfTwo(1022), 2)
    assert.deepEqual([0n, 1n, -8n, 255n, 256n, 1n << 100n].map(bitLength), [0, 1, 4, 8, 9, 101])
  })
})
