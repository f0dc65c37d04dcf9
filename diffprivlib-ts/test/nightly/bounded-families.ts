// Families whose values stay inside a domain, and the ends of what the samplers take.
import { discreteGaussianLaw } from '../../src/laws/discrete-gaussian-law.ts'
import { discreteLaplaceLaw } from '../../src/laws/discrete-laplace-law.ts'
import { roundedGaussianLaw } from '../../src/laws/rounded-gaussian-law.ts'
import { staircaseLaw } from '../../src/laws/staircase-law.ts'
import { keepAttempt } from '../../src/mechanisms/binary.ts'
import { clampSteps, foldSteps } from '../../src/mechanisms/domain.ts'
import { decimal, integer, mul, ratio } from '../../src/rational.ts'
import { bernoulliExp } from '../../src/samplers/bernoulli.ts'
import { gaussianSampler } from '../../src/samplers/discrete-gaussian.ts'
import { laplaceSampler } from '../../src/samplers/discrete-laplace.ts'
import { geometricSampler } from '../../src/samplers/geometric.ts'
import { untilAccepted } from '../../src/samplers/rejection.ts'
import { roundedGaussianSampler } from '../../src/samplers/rounded-gaussian.ts'
import { staircaseSampler } from '../../src/samplers/staircase.ts'
import { truncatedLaplaceSampler } from '../../src/samplers/truncated-laplace.ts'
import { uniformBelow } from '../../src/samplers/uniform.ts'
import { among, belowOf, cellsOf, type Family, numbers, runs } from './family.ts'

const domain = { lower: integer(0), upper: integer(40) }
const start = 12n
const ten = integer(10)
const laplaceBelow = belowOf(discreteLaplaceLaw(ten))
const weightAt = (k: number, scale: number): number => Math.exp(-Math.abs(k) / scale)

/** Of a value reflected at 0 and 40: k + 80 m and -k + 80 m. */
const foldedMasses = Array.from({ length: 41 }, (_, value) => {
  const images = new Set<number>()
  for (let m = -10; m <= 10; m++) for (const image of [80 * m + value, 80 * m - value]) images.add(image)
  return [...images].reduce((sum, image) => sum + weightAt(image - Number(start), 10), 0)
})

const inDomain = { from: 0, width: 1, cells: 41, lowBits: false }

const domains: readonly Family[] = [
  {
    name: 'discrete Laplace of scale 10 around 12, clamped to 0 .. 40',
    sampler: (source) => {
      const { next } = laplaceSampler(ten, source)
      return () => Number(clampSteps(start + next(), domain))
    },
    below: (x) => (x < 0 ? 0 : x >= 40 ? 1 : laplaceBelow(x - Number(start))),
    ...inDomain,
  },
  {
    name: 'discrete Laplace of scale 10 around 12, folded into 0 .. 40',
    sampler: (source) => {
      const { next } = laplaceSampler(ten, source)
      return () => Number(foldSteps(start + next(), domain))
    },
    below: among(foldedMasses),
    ...inDomain,
  },
]

/** A discrete Laplace drawn again until it lands in an uneven interval. */
const uneven = (scale: number, below: number, above: number): Family => {
  const masses = Array.from({ length: below + above + 1 }, (_, i) => weightAt(i - below, scale))
  const upTo = among(masses)
  return {
    name: `discrete Laplace of scale ${scale} kept to -${below} .. ${above}`,
    sampler: numbers((source) =>
      truncatedLaplaceSampler(integer(scale), { below: BigInt(below), above: BigInt(above) }, source),
    ),
    below: (x) => upTo(x + below),
    from: -below,
    width: 1,
    cells: masses.length,
    lowBits: false,
  }
}

/** Of a scale whose draws are bigints. */
const wide = (scale: string): readonly Family[] => {
  const sigma2 = mul(decimal(scale), decimal(scale))
  return [
    {
      name: `discrete Laplace of scale ${scale}`,
      sampler: (source) => {
        const { next } = laplaceSampler(decimal(scale), source)
        return () => Number(next())
      },
      below: belowOf(discreteLaplaceLaw(decimal(scale))),
      ...cellsOf(Number(scale)),
      lowBits: true,
    },
    {
      name: `discrete Gaussian of sigma ${scale}`,
      sampler: (source) => {
        const { next } = gaussianSampler(sigma2, source)
        return () => Number(next())
      },
      below: belowOf(discreteGaussianLaw(sigma2)),
      ...cellsOf(Number(scale), 7),
      lowBits: true,
    },
  ]
}

const stairs = { epsilon: ratio(1n, 10n), width: 1_000_000n, riser: 400_000n }
const sixteenths = 3 * 2 ** 40

const ends: readonly Family[] = [
  {
    name: 'rounded Gaussian of sigma 1.5',
    sampler: numbers((source) => roundedGaussianSampler(decimal('2.25'), source)),
    below: belowOf(roundedGaussianLaw(decimal('2.25'))),
    ...cellsOf(1.5, 7),
    lowBits: false,
  },
  {
    name: 'staircase of epsilon 0.1, width 1,000,000, riser 400,000',
    sampler: numbers((source) => staircaseSampler(stairs, source)),
    below: belowOf(staircaseLaw(stairs)),
    ...cellsOf(10_000_000),
    lowBits: true,
  },
  {
    name: 'geometric of scale 100,000',
    sampler: numbers((source) => geometricSampler(integer(100_000), source)),
    below: (x) => -Math.expm1(-(x + 1) / 100_000),
    from: 0,
    width: 1_000,
    cells: 2_000,
    lowBits: false,
  },
  {
    name: 'uniform below 3 * 2^40',
    sampler: (source) => () => Number(uniformBelow(source, BigInt(sixteenths))),
    below: (x) => (x + 1) / sixteenths,
    from: 0,
    width: sixteenths / 1024,
    cells: 1024,
    lowBits: true,
  },
  runs('a randomised response of epsilon 1', 1 / (1 + Math.exp(-1)), (source) =>
    untilAccepted(() =>
      keepAttempt(
        () => source.bits(1) === 1,
        () => bernoulliExp(source, integer(1)),
      ),
    ),
  ),
]

/** All of them. */
export const boundedFamilies: readonly Family[] = [
  ...domains,
  uneven(100, 20, 500),
  uneven(100, 5, 150),
  ...ends,
  ...wide('1e12'),
]
