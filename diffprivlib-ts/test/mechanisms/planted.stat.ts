// Releases of a whole mechanism that are wrong in ways that mechanisms have been wrong: each check passes for the right one and fails for the
// wrong one beyond 6.1 standard deviations (one-sided 5.3e-10). Seeds are fixed, so a run that passes passes again.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { clampedSum, statedL1 } from '../../src/bounding.ts'
import { integer, ratio } from '../../src/rational.ts'
import { type SeededBits, seededBits, seededMechanisms } from '../../src/testing/index.ts'

const neighbours = 'add-remove'
const draws = 20_000
const limit = 6.1

/** Noise of scale 10 for two coordinates. */
type Release = (values: readonly [number, number], bits: SeededBits) => readonly number[]

const right: Release = (values, bits) => {
  const sensitivity = statedL1({ neighbours, l1: integer(10), because: 'the test says so' })
  return seededMechanisms
    .geometric({ neighbours, sensitivity, epsilon: integer(1), dimension: 2 }, bits)
    .randomiseAll(values)
}

const a = Math.exp(-0.1)
const variance = (2 * a) / (1 - a) ** 2
/** E[X^4] of the discrete Laplace is about 24 scale^4, so Var[X^2] is about 20 scale^4. */
const spread = Math.sqrt(20 * 10 ** 4)

const sample = (
  release: Release,
  seed: number,
  values: readonly [number, number] = [0, 0],
): readonly (readonly number[])[] => {
  const bits = seededBits(seed)
  return Array.from({ length: draws }, () => release(values, bits))
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** How many standard deviations each statistic lies from where the right mechanism has it. */
const statistics: Readonly<Record<string, (release: Release) => number>> = {
  'the mean square': (release) => {
    const squares = sample(release, 1).map(([x = 0]) => x * x)
    return (Math.abs(mean(squares) - variance) / spread) * Math.sqrt(draws)
  },
  'the correlation of two coordinates': (release) => {
    const products = sample(release, 2).map(([x = 0, y = 0]) => x * y)
    return (Math.abs(mean(products)) / variance) * Math.sqrt(draws)
  },
  'the tail beyond 60': (release) => {
    const p = (2 * a ** 61) / (1 + a)
    const beyond = sample(release, 3).filter(([x = 0]) => Math.abs(x) > 60).length
    return Math.abs(beyond - p * draws) / Math.sqrt(draws * p * (1 - p))
  },
  'the low bit': (release) => {
    // P[X even] = (1 - a)/(1 + a) (1 + 2 a^2 / (1 - a^2)).
    const p = ((1 - a) / (1 + a)) * (1 + (2 * a * a) / (1 - a * a))
    const even = sample(release, 4).filter(([x = 0]) => x % 2 === 0).length
    return Math.abs(even - p * draws) / Math.sqrt(draws * p * (1 - p))
  },
  'one more unit, which may move the mean by 10 at the most': (release) => {
    const shift =
      mean(sample(release, 5, [100_000, 0]).map(([x = 0]) => x)) - mean(sample(release, 6).map(([x = 0]) => x))
    return Math.max(0, (shift - 10) / Math.sqrt((2 * variance) / draws))
  },
}

const { clamp } = clampedSum({ neighbours, lower: 0n, upper: 10n })
const clipped: Release = ([x, y], bits) => right([Number(clamp(BigInt(x))), Number(clamp(BigInt(y)))], bits)

const planted: readonly { readonly bug: string; readonly found: string; readonly release: Release }[] = [
  {
    bug: 'half of the scale',
    found: 'the mean square',
    release: (values, bits) => {
      const sensitivity = statedL1({ neighbours, l1: integer(5), because: 'the test says so' })
      return seededMechanisms
        .geometric({ neighbours, sensitivity, epsilon: integer(1), dimension: 2 }, bits)
        .randomiseAll(values)
    },
  },
  {
    bug: 'one noise for both coordinates',
    found: 'the correlation of two coordinates',
    release: ([x, y], bits) => {
      const [noisy = 0] = right([0, 0], bits)
      return [x + noisy, y + noisy]
    },
  },
  {
    bug: 'a tail cut at six scales',
    found: 'the tail beyond 60',
    release: ([x, y], bits) => right([0, 0], bits).map((noise, i) => [x, y][i]! + Math.max(-60, Math.min(60, noise))),
  },
  {
    bug: 'a float sampler on a coarse grid',
    found: 'the low bit',
    release: ([x, y], bits) =>
      [x, y].map((value) => {
        const u = bits.word() / 2 ** 32
        return value + 2 * Math.trunc((u < 0.5 ? Math.log(2 * u + 2 ** -33) : -Math.log(2 - 2 * u)) * 5)
      }),
  },
  {
    bug: 'a sign from a biased uniform, by remainder of two bits',
    found: 'the mean',
    release: (values, bits) =>
      right([0, 0], bits).map(
        (noise, i) => values[i]! + (bits.bits(2) % 3 === 0 ? Math.abs(noise) : -Math.abs(noise) / 2),
      ),
  },
  { bug: 'no clip', found: 'one more unit, which may move the mean by 10 at the most', release: right },
]

describe('releases that are wrong are found, beyond one in 10^9', () => {
  const all = {
    ...statistics,
    'the mean': (release: Release) =>
      (Math.abs(mean(sample(release, 7).map(([x = 0]) => x))) / Math.sqrt(variance)) * Math.sqrt(draws),
  }
  for (const [name, deviations] of Object.entries(all))
    it(`${name} is that of the right mechanism`, () => {
      const found = deviations(clipped)
      assert.ok(found <= limit, `${found} standard deviations`)
    })

  for (const { bug, found, release } of planted)
    it(`${bug}: by ${found}`, () => {
      const deviations = all[found as keyof typeof all](release)
      assert.ok(deviations > limit, `${deviations} standard deviations`)
    })

  it('a grid that is not widened gives the low bits away', () => {
    // Two neighbours 0.3 steps apart around a rounding border differ by one whole step; noise made for 0.3 steps does not hide it.
    const steps = (widened: boolean) => {
      const sensitivity = statedL1({ neighbours, l1: ratio(3n, 10n), because: 'the test says so' })
      const mechanism = seededMechanisms.laplace(
        { neighbours, sensitivity, epsilon: integer(1), grid: integer(1) },
        seededBits(8),
      )
      return widened ? Number(mechanism.facts.parameters['scale']) : 0.3
    }
    const lossOf = (scale: number) => 1 / scale
    assert.ok(lossOf(steps(true)) <= 1)
    assert.ok(lossOf(steps(false)) > 3)
  })
})
