// The known answers that the mechanisms of this folder compute, each at its stated tolerance.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gaussianToDelta, gaussianToEpsilon } from '../../src/accounting/gaussian.ts'
import { statedL1, statedL2 } from '../../src/bounding.ts'
import { classicGaussianSigma2 } from '../../src/mechanisms/gaussian.ts'
import { gaussianAnalytic } from '../../src/mechanisms/gaussian-analytic.ts'
import { gridForGaussian, gridForLaplace, snapToGrid } from '../../src/mechanisms/grid.ts'
import { laplace } from '../../src/mechanisms/laplace.ts'
import { laplaceBoundedDomain } from '../../src/mechanisms/laplace-bounded-domain.ts'
import { snappingBound, snappingEpsilon } from '../../src/mechanisms/snapping.ts'
import { staircaseGamma } from '../../src/mechanisms/staircase.ts'
import { uniform } from '../../src/mechanisms/uniform.ts'
import { decimal, div, integer, mul, parse, type Rational, ratio, toNumber } from '../../src/rational.ts'
import { agrees, type Vector, vectorsOf } from '../helpers/vectors.ts'

/** ln 3 to 50 digits. */
const ln3 = '1.0986122886681096913952452369225257046474905578227'

/** An input as it is written: a decimal, a fraction, or ln3. */
const read = (vector: Vector, name: string): Rational => {
  const text = String(vector.inputs[name])
  return text === 'ln3' ? decimal(ln3) : text.includes('/') ? parse(text) : decimal(text)
}

const number = (value: Rational): number => toNumber(value, 'down')

const check = (vector: Vector, actual: number): void =>
  assert.ok(
    agrees(vector, actual, Number(vector.expected)),
    `${vector.id}: got ${actual}, expected ${JSON.stringify(vector.expected)}`,
  )

describe('the exact delta of the Gaussian', () => {
  for (const vector of vectorsOf('gaussian_delta'))
    it(vector.id, () => {
      const [sigma, linf] = [read(vector, 'sigma'), read(vector, 'linf')]
      const l2Squared = mul(read(vector, 'l0'), mul(linf, linf))
      check(vector, number(gaussianToDelta(div(l2Squared, mul(sigma, sigma)), read(vector, 'epsilon'))))
    })
})

describe('the analytic Gaussian', () => {
  for (const vector of vectorsOf('gaussian_sigma'))
    it(vector.id, () => {
      const delta = read(vector, 'delta')
      if (vector.inputs['output'] === 'epsilon') {
        const sigma = vector.inputs['rho'] === undefined ? read(vector, 'sigma') : undefined
        const muSquared = sigma ? div(integer(1), mul(sigma, sigma)) : mul(integer(2), read(vector, 'rho'))
        return check(vector, number(gaussianToEpsilon(muSquared, delta)))
      }
      const l2 = read(vector, 'l2')
      const mechanism = gaussianAnalytic({
        neighbours: 'add-remove',
        sensitivity: statedL2({ neighbours: 'add-remove', l2Squared: mul(l2, l2), because: 'the vector says so' }),
        epsilon: read(vector, 'epsilon'),
        delta,
        grid: ratio(1n, 1n << 20n),
      })
      const sigma2 = number(parse(mechanism.facts.parameters['sigma2']!))
      check(vector, vector.inputs['output'] === 'sigma^2' ? sigma2 : Math.sqrt(sigma2))
    })
})

describe('closed forms of diffprivlib', () => {
  const neighbours = 'replace-one'
  const sensitivity = statedL1({ neighbours, l1: integer(1), because: 'the vector says so' })
  const fine = ratio(1n, 1n << 45n)
  const forms: Readonly<Record<string, (vector: Vector) => number>> = {
    Laplace: (vector) => {
      const epsilon = read(vector, 'epsilon')
      return number(laplace({ neighbours, sensitivity, epsilon, grid: gridForLaplace(integer(1)) }).variance().lower)
    },
    'Gaussian (classic)': (vector) =>
      Math.sqrt(number(classicGaussianSigma2(integer(1), read(vector, 'epsilon'), read(vector, 'delta')))),
    Staircase: (vector) => number(staircaseGamma(read(vector, 'epsilon'))),
    LaplaceBoundedDomain: (vector) => {
      const [lower, upper] = [read(vector, 'lower'), read(vector, 'upper')]
      const epsilon = read(vector, 'epsilon')
      return number(
        laplaceBoundedDomain({ neighbours, sensitivity, epsilon, lower, upper, grid: fine }).effectiveEpsilon,
      )
    },
    Uniform: (vector) =>
      number(uniform({ neighbours, sensitivity, delta: read(vector, 'delta'), grid: fine }).variance().lower),
  }
  for (const vector of vectorsOf('diffprivlib_closed_forms'))
    it(`${vector.id}: ${vector.inputs['mechanism']}`, () =>
      check(vector, forms[String(vector.inputs['mechanism'])]!(vector)))
})

describe('grids and snapping', () => {
  const power = (k: number): Rational => (k >= 0 ? ratio(1n << BigInt(k), 1n) : ratio(1n, 1n << BigInt(-k)))
  const rules: readonly [start: string, figure: (vector: Vector) => number][] = [
    [
      'round to the nearest multiple',
      (vector) => number(snapToGrid(read(vector, 'x'), power(Number(vector.inputs['k'])))),
    ],
    ['Laplace granularity', (vector) => number(gridForLaplace(div(read(vector, 'l1'), read(vector, 'epsilon'))))],
    ['Gaussian granularity', (vector) => number(gridForGaussian(read(vector, 'sigma')))],
    [
      'snapping: symmetric scaled bound',
      (vector) => number(snappingBound(read(vector, 'lower'), read(vector, 'upper'), read(vector, 'sensitivity'))),
    ],
    ['snapping: effective epsilon', (vector) => number(snappingEpsilon(read(vector, 'epsilon'), read(vector, 'B')))],
  ]
  for (const vector of vectorsOf('grid_and_snapping'))
    it(vector.id, () => {
      const rule = rules.find(([start]) => String(vector.inputs['rule']).startsWith(start))
      assert.ok(rule, `no rule ${vector.inputs['rule']}`)
      check(vector, rule[1](vector))
    })
})
