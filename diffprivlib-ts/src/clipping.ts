import { ParameterError } from './errors.ts'
import { integerSqrt } from './numeric/fixed-point.ts'
import { compare, integer, mul, type Rational, sign } from './rational.ts'

const requireRadius = (radius: Rational): void => {
  if (sign(radius) <= 0) throw new ParameterError('the radius of a clip must be greater than 0')
}

const withSign = (like: bigint, size: bigint): bigint => (like < 0n ? -size : size)

/**
 * The vector inside the Euclidean ball of `radius`: as it is when it lies inside, else scaled down, each coordinate cut towards 0, so that its
 * norm never exceeds the radius. Integers in the unit of the query. Throws ParameterError when the radius is not positive.
 */
export const clipL2 = (vector: readonly bigint[], radius: Rational): readonly bigint[] => {
  requireRadius(radius)
  const square = mul(radius, radius)
  const squares = vector.reduce((total, x) => total + x * x, 0n)
  if (compare(integer(squares), square) <= 0) return vector
  // floor(|x| radius / norm) without a root of the norm: the integer root of x^2 radius^2 / norm^2.
  return vector.map((x) => withSign(x, integerSqrt((x * x * square.num) / (squares * square.den))))
}

/**
 * The vector inside the ball of `radius` in the sum of absolute values: as it is when it lies inside, else scaled down, each coordinate cut
 * towards 0. Integers in the unit of the query. Throws ParameterError when the radius is not positive.
 */
export const clipL1 = (vector: readonly bigint[], radius: Rational): readonly bigint[] => {
  requireRadius(radius)
  const size = (x: bigint) => (x < 0n ? -x : x)
  const total = vector.reduce((sum, x) => sum + size(x), 0n)
  if (compare(integer(total), radius) <= 0) return vector
  return vector.map((x) => withSign(x, (size(x) * radius.num) / (total * radius.den)))
}
