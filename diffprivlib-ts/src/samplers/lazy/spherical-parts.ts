import {
  dividePositive,
  type Enclosure,
  encloseRational,
  sqrtOfEnclosure,
  timesPositive,
  timesRational,
} from '../../numeric/fixed-point.ts'
import type { Rational } from '../../rational.ts'
import type { Real } from './coin.ts'

/** The real numbers that one draw is made of. */
export interface SphericalParts {
  /** As many exponentials of mean 1 as there are coordinates. */
  readonly exponentials: readonly Real[]
  readonly coordinates: readonly { readonly size: Real; readonly negative: boolean }[]
}

const sum = (terms: readonly Enclosure[]): Enclosure =>
  terms.reduce((total, { lower, upper }) => ({ lower: total.lower + lower, upper: total.upper + upper }), {
    lower: 0n,
    upper: 0n,
  })

const widths = 64

/** The rounded vector that the parts stand for, computed as finely as the roundings need. */
export const sphericalOf = (
  { exponentials, coordinates }: SphericalParts,
  centre: readonly Rational[],
  scale: Rational,
): readonly bigint[] => {
  for (let precision = 128; ; precision += widths) {
    const at = (real: Real): Enclosure => real(precision)
    const length = timesRational(sum(exponentials.map(at)), scale)
    const sizes = coordinates.map(({ size }) => at(size))
    const norm = sqrtOfEnclosure(sum(sizes.map((size) => timesPositive(size, size, precision))), precision)
    if (norm.lower <= 0n) continue
    const half = 1n << BigInt(precision - 1)
    const ends = sizes.map((size, i) => {
      const part = dividePositive(timesPositive(length, size, precision), norm, precision)
      const middle = encloseRational(centre[i]!, precision)
      const [low, high] = coordinates[i]!.negative ? [-part.upper, -part.lower] : [part.lower, part.upper]
      const floor = (value: bigint): bigint => (value + half) >> BigInt(precision)
      return [floor(middle.lower + low), floor(middle.upper + high)] as const
    })
    if (ends.every(([low, high]) => low === high)) return ends.map(([low]) => low)
  }
}
