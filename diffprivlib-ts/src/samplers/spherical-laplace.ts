// A vector b on the reals with density proportional to exp(-|b| / scale), |b| its Euclidean length, around a centre and rounded to integers:
// the length is a sum of `dimension` exponentials, the direction that of independent normals.
import type { BitSource } from '../random/bit-source.ts'
import type { Rational } from '../rational.ts'
import { exponentialReal, halfNormalReal, uniformReal } from './lazy/real.ts'
import { lazySpherical, lazyTakesSpherical } from './lazy/spherical.ts'
import { type SphericalParts, sphericalOf } from './lazy/spherical-parts.ts'

/** A sampler of vectors by their centre; both `scale` and the centre are in steps of the grid. */
export const sphericalSampler = (
  dimension: number,
  scale: Rational,
  source: BitSource,
): ((centre: readonly Rational[]) => readonly bigint[]) => {
  if (lazyTakesSpherical(dimension, scale)) return lazySpherical(dimension, scale, source)
  return (centre) => {
    const parts: SphericalParts = {
      exponentials: centre.map(() => exponentialReal(uniformReal(source))),
      coordinates: centre.map(() => ({ size: halfNormalReal(source), negative: source.bits(1) === 1 })),
    }
    return sphericalOf(parts, centre, scale)
  }
}
