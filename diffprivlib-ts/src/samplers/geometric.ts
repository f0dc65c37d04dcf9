import { requireNoiseParameter } from '../limits.ts'
import type { BitSource } from '../random/bit-source.ts'
import type { Rational } from '../rational.ts'
import { integerGeometric } from './canonne-kamath-steinke.ts'
import { lazyExponential } from './lazy/exponential.ts'
import { lazyGeometric, lazyTakes } from './lazy/geometric.ts'
import { isWide, wideGeometric } from './lazy/wide.ts'
import { fromBigints, fromNumbers, type IntegerSampler } from './sampler.ts'

/**
 * A sampler of the geometric on 0, 1, 2, ...: P[k] = (1 - a) a^k with a = exp(-1/scale): lazy where it is proved, else by integers alone; one
 * law either way. Throws ParameterError unless 2^-1024 <= scale <= 2^1024.
 */
export const geometricSampler = (scale: Rational, source: BitSource): IntegerSampler => {
  requireNoiseParameter(scale, 'the scale of a geometric')
  if (isWide(scale)) return fromBigints(wideGeometric(scale, source), false)
  if (!lazyTakes(scale)) return fromBigints(integerGeometric(source, scale), true)
  const exponential = lazyExponential(source)
  const size = lazyGeometric(scale, exponential, source)
  return fromNumbers(() => {
    const value = size()
    exponential.forget()
    return value
  })
}
