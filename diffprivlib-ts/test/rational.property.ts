import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  add,
  compare,
  decimal,
  div,
  format,
  fromDouble,
  mul,
  parse,
  ratio,
  sub,
  toDecimal,
  toNumber,
} from '../src/rational.ts'

const numRuns = Number(process.env['MV_CASES'] ?? 2_000)
const fraction = fc
  .tuple(fc.bigInt({ min: -(1n << 200n), max: 1n << 200n }), fc.bigInt({ min: 1n, max: 1n << 200n }))
  .map(([num, den]) => ratio(num, den))
const double = fc.double({ noNaN: true, noDefaultInfinity: true })

/** The double after `value`, upwards. */
const next = (value: number): number => {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value === 0 ? 0 : value)
  const bits = view.getBigInt64(0)
  view.setBigInt64(0, value >= 0 ? bits + 1n : bits - 1n)
  return view.getFloat64(0)
}

describe('fractions obey the laws of a field', () => {
  it('addition and multiplication undo', () =>
    fc.assert(
      fc.property(fraction, fraction, (a, b) => {
        assert.equal(compare(sub(add(a, b), b), a), 0)
        if (b.num !== 0n) assert.equal(compare(div(mul(a, b), b), a), 0)
      }),
      { numRuns },
    ))

  it('multiplication distributes', () =>
    fc.assert(
      fc.property(fraction, fraction, fraction, (a, b, c) =>
        assert.deepEqual(mul(a, add(b, c)), add(mul(a, b), mul(a, c))),
      ),
      { numRuns },
    ))
})

describe('conversions keep their side', () => {
  it('every double survives the way to a fraction and back, in either direction', () =>
    fc.assert(
      fc.property(double, (value) => {
        const exact = fromDouble(value)
        assert.equal(toNumber(exact, 'up'), value === 0 ? 0 : value)
        assert.equal(toNumber(exact, 'down'), value === 0 ? 0 : value)
      }),
      { numRuns },
    ))

  it('a fraction lies between its two doubles, which are equal or neighbours', () =>
    fc.assert(
      fc.property(fraction, (r) => {
        const down = toNumber(r, 'down')
        const up = toNumber(r, 'up')
        assert.ok(compare(fromDouble(down), r) <= 0 && compare(r, fromDouble(up)) <= 0)
        assert.ok(up === down || up === next(down))
      }),
      { numRuns },
    ))

  it('a decimal lies on its side and within one unit of its last digit', () =>
    fc.assert(
      fc.property(fraction, fc.nat(40), (r, digits) => {
        const unit = ratio(1n, 10n ** BigInt(digits))
        const up = decimal(toDecimal(r, digits, 'up'))
        const down = decimal(toDecimal(r, digits, 'down'))
        assert.ok(compare(down, r) <= 0 && compare(r, up) <= 0)
        assert.ok(compare(sub(up, down), unit) <= 0)
      }),
      { numRuns },
    ))

  it('the written form is read back', () =>
    fc.assert(
      fc.property(fraction, (r) => assert.deepEqual(parse(format(r)), r)),
      { numRuns },
    ))
})
