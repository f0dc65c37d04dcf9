import { requireNoiseParameter } from '../limits.ts'
import type { BitSource } from '../random/bit-source.ts'
import type { Rational } from '../rational.ts'
import { integerLaplace } from './canonne-kamath-steinke.ts'
import { lazyTakes } from './lazy/geometric.ts'
import { lazyLaplace } from './lazy/laplace.ts'
import { isWide, wideLaplace } from './lazy/wide.ts'
import { fromBigints, fromNumbers, type IntegerSampler } from './sampler.ts'

/**
 * A sampler of the discrete Laplace, P[k] = (1 - a)/(1 + a) a^|k| with a = exp(-1/scale): lazy where it is proved, else by integers alone;
 * one law either way. Throws ParameterError unless 2^-1024 <= scale <= 2^1024.
 */
export const laplaceSampler = (scale: Rational, source: BitSource): IntegerSampler => {
  requireNoiseParameter(scale, 'the scale of a discrete Laplace')
  if (lazyTakes(scale)) return fromNumbers(lazyLaplace(scale, source))
  if (isWide(scale)) return fromBigints(wideLaplace(scale, source), false)
  return fromBigints(integerLaplace(source, scale), true)
}
