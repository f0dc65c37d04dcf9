import { requireNoiseParameter } from '../limits.ts'
import type { BitSource } from '../random/bit-source.ts'
import { compare, integer, type Rational } from '../rational.ts'
import { integerGeometric } from './canonne-kamath-steinke.ts'
import { fromBigints, type IntegerSampler, numberScaleLimit } from './sampler.ts'

/**
 * A sampler of the geometric on 0, 1, 2, ...: P[k] = (1 - a) a^k with a = exp(-1/scale), by integers alone. Throws ParameterError unless
 * 2^-1024 <= scale <= 2^1024.
 */
export const geometricSampler = (scale: Rational, source: BitSource): IntegerSampler => {
  requireNoiseParameter(scale, 'the scale of a geometric')
  return fromBigints(integerGeometric(source, scale), compare(scale, integer(numberScaleLimit)) <= 0)
}
