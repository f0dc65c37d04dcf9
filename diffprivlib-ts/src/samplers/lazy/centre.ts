import { divide, type Rational } from '../../rational.ts'
import { nearDouble } from './exp-coin.ts'

/** A centre for rounding: the whole part of centre + 1/2, and what is left of it, at least 0 and below 1, as a double within 2^-53. */
export interface Centre {
  readonly whole: bigint
  readonly rest: number
}

/** floor(centre + 1/2 + x) is whole + floor(rest + x). */
export const centreOf = ({ num, den }: Rational): Centre => {
  if (den === 1n) return { whole: num, rest: 0.5 }
  const twice = 2n * num + den
  const whole = divide(twice, 2n * den, 'down')
  return { whole, rest: nearDouble({ num: twice - whole * 2n * den, den: 2n * den }) }
}
