// What must hold for every mechanism of the package.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { L1Sensitivity } from '../../src/bounding.ts'
import { statedL1 } from '../../src/bounding.ts'
import { AlreadyReleasedError, ParameterError } from '../../src/errors.ts'
import * as mechanisms from '../../src/mechanisms/index.ts'
import type { SecureBits } from '../../src/random/bit-source.ts'
import { compare, decimal, integer, type Rational, sign, zero } from '../../src/rational.ts'
import { seededBits, seededMechanisms } from '../../src/testing/index.ts'
import { catalogue, sensitivities } from './catalogue.ts'

const neighbours = 'add-remove'
const { l1, l2 } = sensitivities
const grid = decimal('0.01')
const one = integer(1)

describe('every mechanism', () => {
  it('is in the catalogue of these tests, and has a seeded twin', () => {
    const helpers = ['gridForGaussian', 'gridForLaplace', 'snapToGrid', 'staircaseGamma', 'classicGaussianSigma2']
    const names = Object.keys(mechanisms)
      .filter((name) => !helpers.includes(name))
      .sort()
    assert.deepEqual(Object.keys(catalogue).sort(), names)
    assert.deepEqual(Object.keys(seededMechanisms).sort(), names)
  })

  for (const [name, build] of Object.entries(catalogue)) {
    it(`${name} releases once`, () => {
      const mechanism = build()
      mechanism.release()
      assert.throws(mechanism.release, AlreadyReleasedError)
    })

    it(`${name} says what it is as frozen plain data, without the secret`, () => {
      const { facts, loss } = build()
      assert.ok(Object.isFrozen(facts) && Object.isFrozen(facts.parameters) && Object.isFrozen(loss))
      const text = JSON.stringify(facts)
      assert.deepEqual(JSON.parse(text), facts)
      assert.doesNotMatch(text, /7\.25|29\/4/)
      assert.equal(facts.neighbours, loss.neighbours)
      assert.equal(facts.mechanism.replaceAll('-', ''), name.toLowerCase())
    })

    it(`${name} refuses bits that are not the system's`, () =>
      assert.throws(() => build(seededBits(1) as unknown as SecureBits), /secureBits\(\) only/))

    it(`${name} knows its variance and its interval, where they are known`, () => {
      const { variance, interval } = build()
      if (variance) {
        assert.ok(sign(variance.lower) > 0)
        assert.ok(compare(variance.lower, variance.upper) <= 0)
      }
      if (interval) {
        const width = (confidence: string): Rational => {
          const half = interval(decimal(confidence))
          return typeof half === 'bigint' ? integer(half) : half
        }
        assert.ok(compare(width('0.5'), width('0.99')) <= 0)
        for (const wrong of [zero, one, integer(2)]) assert.throws(() => interval(wrong), /strictly between 0 and 1/)
      }
    })
  }
})

describe('refusals say what is wrong, and not the value', () => {
  const other = statedL1({ neighbours: 'replace-one', l1: one, because: 'x' })
  const forced = other as unknown as L1Sensitivity<'add-remove'>
  const laplace = { neighbours, sensitivity: l1, epsilon: one, grid } as const
  const ends = { lower: zero, upper: one }
  const refusals: readonly [what: string, call: () => unknown, sentence: RegExp][] = [
    ['an epsilon of 0', () => mechanisms.laplace({ ...laplace, epsilon: zero }), /epsilon must be greater than 0/],
    ['a negative epsilon', () => mechanisms.laplace({ ...laplace, epsilon: integer(-1) }), /must not be negative/],
    ['a delta of 1', () => mechanisms.laplace({ ...laplace, delta: one }), /less than 1/],
    ['a grid of 0', () => mechanisms.laplace({ ...laplace, grid: zero }), /the grid must be greater than 0/],
    ['a dimension of 0', () => mechanisms.laplace({ ...laplace, dimension: 0 }), /dimension must be an integer/],
    [
      'a sensitivity of the other relation',
      () => mechanisms.laplace({ ...laplace, sensitivity: forced }),
      /not for add-remove/,
    ],
    [
      'a negative sensitivity',
      () => statedL1({ neighbours, l1: integer(-1), because: 'x' }),
      /a sensitivity must be greater than 0/,
    ],
    [
      'a sensitivity past all use',
      () =>
        mechanisms.geometric({
          neighbours,
          sensitivity: statedL1({ neighbours, l1: decimal('1e400'), because: 'x' }),
          epsilon: one,
        }),
      /between 2\^-1024 and 2\^1024/,
    ],
    ['a NaN', () => mechanisms.laplace(laplace).randomise(Number.NaN), /must be a finite number/],
    ['an infinity', () => mechanisms.laplace(laplace).randomise(Infinity), /must be a finite number/],
    ['a vector too long', () => mechanisms.laplace(laplace).randomiseAll([1, 2]), /has 2 coordinates/],
    [
      'bounds off the grid',
      () => mechanisms.laplaceTruncated({ ...laplace, lower: decimal('0.005'), upper: one }),
      /multiple of the grid/,
    ],
    [
      'bounds the wrong way round',
      () => mechanisms.laplaceFolded({ ...laplace, lower: one, upper: zero }),
      /must lie below/,
    ],
    [
      'a domain smaller than the sensitivity',
      () => mechanisms.laplaceBoundedDomain({ ...laplace, lower: zero, upper: decimal('0.5') }),
      /must not be greater than upper - lower/,
    ],
    [
      'a fold at a third',
      () =>
        mechanisms.geometricFolded({ neighbours, sensitivity: l1, epsilon: one, lower: decimal('0.25'), upper: one }),
      /whole or half numbers/,
    ],
    [
      'a classical Gaussian above epsilon 1',
      () => mechanisms.gaussian({ neighbours, sensitivity: l2, epsilon: integer(2), delta: decimal('1e-5'), grid }),
      /use gaussianAnalytic/,
    ],
    [
      'a grid coarser than sigma',
      () => mechanisms.gaussian({ neighbours, sensitivity: l2, sigma2: decimal('1e-6'), grid }),
      /declare a finer grid/,
    ],
    ['a uniform delta above 1/2', () => mechanisms.uniform({ ...laplace, delta: one }), /at most 1\/2/],
    ['a gamma above 1', () => mechanisms.staircase({ ...laplace, gamma: integer(2) }), /between 0 and 1/],
    [
      'a value of neither name',
      () =>
        mechanisms.binary({ neighbours: 'replace-one', epsilon: one, value0: 'a', value1: 'b' }).randomise('c' as 'a'),
      /neither value0 nor value1/,
    ],
    [
      'a pair without a distance',
      () =>
        mechanisms.exponentialCategorical({
          neighbours: 'replace-one',
          epsilon: one,
          utilityList: [
            ['A', 'B', one],
            ['B', 'C', one],
          ],
        }),
      /no distance is given between "A" and "C"/,
    ],
    [
      'leaves at different depths',
      () =>
        mechanisms.exponentialHierarchical({ neighbours: 'replace-one', epsilon: one, hierarchy: ['A', ['B', 'C']] }),
      /must all|all values of a hierarchy/,
    ],
    [
      'a snapping epsilon of 2^-52',
      () => mechanisms.snapping({ ...laplace, ...ends, epsilon: decimal('2e-16') }),
      /2\^-52/,
    ],
  ]
  for (const [what, call, sentence] of refusals)
    it(what, () =>
      assert.throws(call, (error: unknown) => {
        assert.ok(error instanceof ParameterError)
        assert.match(error.message, sentence)
        return true
      }),
    )

  it('a refused value leaves the mechanism unspent', () => {
    const mechanism = mechanisms.laplace(laplace)
    assert.throws(() => mechanism.randomise(Number.NaN), ParameterError)
    mechanism.randomise(0)
  })
})

describe('releases', () => {
  it('of numbers are on the grid, and of fractions exactly', () => {
    for (let i = 0; i < 50; i++) {
      const build = () => mechanisms.laplace({ neighbours, sensitivity: l1, epsilon: one, grid: decimal('0.1') })
      const number = build().randomise(2.7643)
      assert.equal(number, Math.round(number * 10) / 10)
      assert.equal(build().randomise(decimal('2.7643')).den <= 10n, true)
    }
  })

  it('of a domain never leave it', () => {
    const bits = seededBits(5)
    const ends = { lower: decimal('-1'), upper: integer(1) }
    const build = [
      seededMechanisms.laplaceTruncated,
      seededMechanisms.laplaceFolded,
      seededMechanisms.laplaceBoundedDomain,
    ]
    for (const make of build)
      for (let i = 0; i < 100; i++) {
        const value = make({ neighbours, sensitivity: l1, epsilon: one, grid, ...ends }, bits).randomise(50)
        assert.ok(value >= -1 && value <= 1, `${value}`)
      }
  })

  it('draw independent noise for each coordinate', () => {
    const mechanism = seededMechanisms.gaussian(
      { neighbours, sensitivity: l2, sigma2: integer(100), grid: decimal('1e-9'), dimension: 200 },
      seededBits(2),
    )
    assert.equal(new Set(mechanism.randomiseAll(new Array<number>(200).fill(0))).size, 200)
  })
})
