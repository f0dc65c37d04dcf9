import { type Rational, ratio } from '../rational.ts'

const raise = (base: bigint, exponent: bigint): bigint => {
  let result = 1n
  let square = base
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result *= square
    square *= square
  }
  return result
}

/** A fraction to a power that is not negative, exactly. */
export const power = (base: Rational, exponent: bigint): Rational =>
  ratio(raise(base.num, exponent), raise(base.den, exponent))
