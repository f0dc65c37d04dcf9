import { ParameterError } from '../errors.ts'
import type { BitSource } from '../random/bit-source.ts'
import { compare, integer, type Rational, sign } from '../rational.ts'
import { integerLaplace } from './canonne-kamath-steinke.ts'
import { lazyLaplace, lazyTakes } from './lazy/laplace.ts'
import { fromBigints, fromNumbers, type IntegerSampler, numberScaleLimit } from './sampler.ts'

/**
 * A sampler of the discrete Laplace, P[k] = (1 - a)/(1 + a) a^|k| with a = exp(-1/scale): lazy where it is proved, else by integers alone;
 * one law either way. Throws ParameterError unless scale > 0.
 */
export const laplaceSampler = (scale: Rational, source: BitSource): IntegerSampler => {
  if (sign(scale) <= 0) throw new ParameterError('the scale of a discrete Laplace must be greater than 0')
  if (lazyTakes(scale)) return fromNumbers(lazyLaplace(scale, source))
  return fromBigints(integerLaplace(source, scale), compare(scale, integer(numberScaleLimit)) <= 0)
}
