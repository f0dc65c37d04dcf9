// Every sampler family with its law as a distribution function in doubles. Cells are integers of equal width; what lies outside them falls into
// one cell on either side.
import { boundedNoiseLaw } from '../../src/laws/bounded-noise-law.ts'
import { discreteGaussianLaw } from '../../src/laws/discrete-gaussian-law.ts'
import { discreteLaplaceLaw } from '../../src/laws/discrete-laplace-law.ts'
import { roundedGaussianLaw } from '../../src/laws/rounded-gaussian-law.ts'
import { staircaseLaw } from '../../src/laws/staircase-law.ts'
import { decimal, integer, mul, type Rational, ratio, zero } from '../../src/rational.ts'
import { bernoulli, bernoulliExp } from '../../src/samplers/bernoulli.ts'
import { integerGaussian, integerLaplace } from '../../src/samplers/canonne-kamath-steinke.ts'
import { gaussianSampler } from '../../src/samplers/discrete-gaussian.ts'
import { laplaceSampler } from '../../src/samplers/discrete-laplace.ts'
import { geometricSampler } from '../../src/samplers/geometric.ts'
import { roundedGaussianSampler } from '../../src/samplers/rounded-gaussian.ts'
import { flipSampler, selectionSampler } from '../../src/samplers/selection.ts'
import { snappedSampler } from '../../src/samplers/snapped-laplace.ts'
import { sphericalSampler } from '../../src/samplers/spherical-laplace.ts'
import { staircaseSampler } from '../../src/samplers/staircase.ts'
import { truncatedLaplaceSampler } from '../../src/samplers/truncated-laplace.ts'
import { uniformBelow } from '../../src/samplers/uniform.ts'
import { boundedFamilies } from './bounded-families.ts'
import { among, belowOf, cellsOf, type Family, numbers, runs } from './family.ts'

const square = (text: string): Rational => mul(decimal(text), decimal(text))

const laplace = (scale: string): Family => ({
  name: `discrete Laplace of scale ${scale}`,
  sampler: numbers((source) => laplaceSampler(decimal(scale), source)),
  below: belowOf(discreteLaplaceLaw(decimal(scale))),
  ...cellsOf(Number(scale)),
  lowBits: Number(scale) >= 10_000,
})

const gaussian = (sigma: string): Family => ({
  name: `discrete Gaussian of sigma ${sigma}`,
  sampler: numbers((source) => gaussianSampler(square(sigma), source)),
  below: belowOf(discreteGaussianLaw(square(sigma))),
  ...cellsOf(Number(sigma), 7),
  lowBits: Number(sigma) >= 10_000,
})

const integers: readonly Family[] = [
  {
    name: 'discrete Laplace of scale 25, integers alone',
    sampler: (source) => {
      const next = integerLaplace(source, integer(25))
      return () => Number(next())
    },
    below: belowOf(discreteLaplaceLaw(integer(25))),
    ...cellsOf(25),
    lowBits: false,
  },
  {
    name: 'discrete Gaussian of sigma 25, integers alone',
    sampler: (source) => {
      const next = integerGaussian(source, integer(625))
      return () => Number(next())
    },
    below: belowOf(discreteGaussianLaw(integer(625))),
    ...cellsOf(25, 7),
    lowBits: false,
  },
  {
    name: 'rounded Gaussian of sigma 100,000',
    sampler: numbers((source) => roundedGaussianSampler(decimal('1e10'), source)),
    below: belowOf(roundedGaussianLaw(decimal('1e10'))),
    ...cellsOf(100_000, 7),
    lowBits: true,
  },
]

const stairs = { epsilon: integer(1), width: 10n, riser: 4n }
const kept = (scale: bigint, reach: bigint): Family => ({
  name: `discrete Laplace of scale ${scale} kept within ${reach}`,
  sampler: numbers((source) => truncatedLaplaceSampler(integer(scale), { below: reach, above: reach }, source)),
  below: belowOf(boundedNoiseLaw(integer(scale), reach)),
  from: -Number(reach),
  width: 1,
  cells: 2 * Number(reach) + 1,
  lowBits: false,
})

/** A Laplace and its like on the reals, rounded to integers: `tail` is P[|X| > x], x > 0. */
const rounded = (tail: (x: number) => number): ((x: number) => number) => {
  return (x) => (x < 0 ? tail(-x - 0.5) / 2 : 1 - tail(x + 0.5) / 2)
}

const others: readonly Family[] = [
  {
    name: 'staircase of epsilon 1, width 10, riser 4',
    sampler: numbers((source) => staircaseSampler(stairs, source)),
    below: belowOf(staircaseLaw(stairs)),
    ...cellsOf(10),
    lowBits: false,
  },
  kept(100n, 30n),
  kept(10n, 200n),
  {
    name: 'Laplace of scale 30 rounded to integers',
    sampler: (source) => {
      const noisy = snappedSampler(integer(30), source)
      return () => Number(noisy(zero))
    },
    below: rounded((x) => Math.exp(-x / 30)),
    ...cellsOf(30),
    lowBits: false,
  },
  {
    name: 'a coordinate of a spherical Laplace of scale 50 in three dimensions',
    sampler: (source) => {
      const noisy = sphericalSampler(3, integer(50), source)
      const centre = [zero, zero, zero]
      return () => Number(noisy(centre)[0])
    },
    // The marginal is (1 + |x|) e^-|x| / 4 for scale 1.
    below: rounded((x) => ((2 + x / 50) * Math.exp(-x / 50)) / 2),
    ...cellsOf(50),
    lowBits: false,
  },
  {
    name: 'geometric of scale 3',
    sampler: numbers((source) => geometricSampler(integer(3), source)),
    below: (x) => -Math.expm1(-(x + 1) / 3),
    from: 0,
    width: 1,
    cells: 80,
    lowBits: false,
  },
  {
    name: 'uniform below 1,000',
    sampler: (source) => () => Number(uniformBelow(source, 1000n)),
    below: (x) => (x + 1) / 1000,
    from: 0,
    width: 1,
    cells: 1000,
    lowBits: false,
  },
]

const twoThirds = ratio(2n, 3n)
const twoFifths = ratio(2n, 5n)
const coins: readonly Family[] = [
  runs('a coin of bias 2/3', 2 / 3, (source) => bernoulli(source, twoThirds)),
  runs('a coin of bias exp(-0.4)', Math.exp(-0.4), (source) => bernoulliExp(source, twoFifths)),
]

const exponents = Array.from({ length: 14 }, (_, i) => ratio(BigInt(i), 5n))
const weights = exponents.map((_, i) => BigInt(1 + ((i * 5) % 7)))

/**
 * P[i] of permute-and-flip: i stands at a uniform place u of the order, and each before it, with probability u, was refused; the polynomial in
 * u is integrated term by term.
 */
const flipMasses = (chances: readonly number[]): readonly number[] =>
  chances.map((own, i) => {
    let terms: readonly number[] = [1]
    chances.forEach((chance, j) => {
      if (j !== i) terms = [...terms, 0].map((term, k) => term - chance * (terms[k - 1] ?? 0))
    })
    return own * terms.reduce((sum, term, k) => sum + term / (k + 1), 0)
  })

const choices: readonly Family[] = [
  {
    name: 'a choice by weight among 14',
    sampler: (source) =>
      selectionSampler(
        exponents.map((exponent, i) => ({ exponent, weight: weights[i]! })),
        source,
      ),
    below: among(weights.map((weight, i) => Number(weight) * Math.exp(-i / 5))),
    from: 0,
    width: 1,
    cells: 14,
    lowBits: false,
  },
  {
    name: 'permute-and-flip among 14',
    sampler: (source) => flipSampler(exponents, source),
    below: among(flipMasses(exponents.map((_, i) => Math.exp(-i / 5)))),
    from: 0,
    width: 1,
    cells: 14,
    lowBits: false,
  },
]

/** All of them. */
export const families: readonly Family[] = [
  laplace('1e5'),
  laplace('3.5'),
  laplace('1e9'),
  gaussian('1e5'),
  gaussian('3.5'),
  gaussian('1e9'),
  gaussian('0.7'),
  ...integers,
  ...others,
  ...coins,
  ...choices,
  ...boundedFamilies,
]
