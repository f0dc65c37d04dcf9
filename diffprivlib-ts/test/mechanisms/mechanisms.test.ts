import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pldToEpsilon } from '../../src/accounting/pld.ts'
import { tallyOf } from '../../src/accounting/tally.ts'
import { clampedSum, clippedVectorSum, countOnce, type L2Sensitivity } from '../../src/bounding.ts'
import { AlreadyReleasedError, ParameterError } from '../../src/errors.ts'
import { discreteGaussianMechanism } from '../../src/mechanisms/discrete-gaussian.ts'
import { discreteLaplaceMechanism } from '../../src/mechanisms/discrete-laplace.ts'
import type { SecureBits } from '../../src/random/bit-source.ts'
import { decimal, format, integer, one, ratio, toNumber } from '../../src/rational.ts'
import { discreteGaussian, discreteLaplace } from '../../src/samplers/index.ts'
import { seededBits, seededGaussianMechanism, seededLaplaceMechanism } from '../../src/testing/index.ts'
import { composed, discreteLaplaceLosses, epsilonOf } from '../helpers/loss-references.ts'

const neighbours = 'add-remove'
const load = clippedVectorSum({ neighbours, radius: integer(10_000), signs: 'non-negative' })
const count = countOnce({ neighbours })

describe('the discrete Gaussian mechanism', () => {
  it('takes sigma^2 from rho exactly, and rho from sigma^2', () => {
    const byRho = discreteGaussianMechanism({ neighbours, sensitivity: load.l2, rho: ratio(1n, 200n) })
    assert.equal(byRho.facts.sigma2, '10000000000')
    const bySigma = discreteGaussianMechanism({ neighbours, sensitivity: load.l2, sigma2: decimal('1e10') })
    assert.equal(format(bySigma.rho), '1/200')
  })

  it('says all that a release may publish, as plain data', () => {
    const { facts } = discreteGaussianMechanism({ neighbours, sensitivity: load.l2, rho: ratio(1n, 300n) })
    assert.deepEqual(JSON.parse(JSON.stringify(facts)), {
      mechanism: 'discrete-gaussian',
      version: 1,
      neighbours: 'add-remove',
      bound: 'each unit adds one non-negative vector clipped to a Euclidean norm of 10000',
      l2Squared: '100000000',
      sigma2: '15000000000',
      rho: '1/300',
    })
  })

  it('knows its variance and its intervals', () => {
    const mechanism = discreteGaussianMechanism({ neighbours, sensitivity: load.l2, sigma2: decimal('1e10') })
    assert.equal(format(mechanism.variance), '10000000000')
    assert.equal(mechanism.interval(decimal('0.95')), 195_996n)
    assert.equal(mechanism.interval(decimal('0.5')), 67_449n)
  })
})

describe('the discrete Laplace mechanism', () => {
  const bound = clampedSum({ neighbours: 'replace-one', lower: 0n, upper: 100n })

  it('takes its scale from epsilon exactly, and epsilon from its scale', () => {
    const byEpsilon = discreteLaplaceMechanism({
      neighbours: 'replace-one',
      sensitivity: bound.l1,
      epsilon: ratio(1n, 3n),
    })
    assert.deepEqual([byEpsilon.facts.scale, byEpsilon.facts.epsilon, byEpsilon.facts.rho], ['300', '1/3', '1/18'])
    const byScale = discreteLaplaceMechanism({ neighbours: 'replace-one', sensitivity: bound.l1, scale: integer(50) })
    assert.deepEqual([byScale.facts.epsilon, byScale.facts.rho], ['2', '2'])
  })

  it('knows its variance and its intervals', () => {
    const mechanism = discreteLaplaceMechanism({ neighbours, sensitivity: count.l1, scale: one })
    assert.ok(Math.abs(toNumber(mechanism.variance, 'up') - 1.841347188415585) < 1e-12)
    assert.equal(mechanism.interval(decimal('0.95')), 3n)
  })
})

describe('the discrete Laplace mechanism built for one coordinate', () => {
  const bound = clampedSum({ neighbours, lower: 0n, upper: 40n })
  const options = { neighbours, sensitivity: bound.l1, epsilon: ratio(1n, 10n) } as const

  it('tells accounts how many steps its query moves', () => {
    const { loss } = discreteLaplaceMechanism({ ...options, dimension: 1 })
    assert.deepEqual(loss, { kind: 'laplace', neighbours, epsilon: ratio(1n, 10n), steps: 40n })
    for (const dimension of [undefined, 2])
      assert.deepEqual(
        discreteLaplaceMechanism(dimension === undefined ? options : { ...options, dimension }).loss,
        { kind: 'laplace', neighbours, epsilon: ratio(1n, 10n) },
        `${dimension}`,
      )
  })

  it('composes more tightly than one for vectors, and not below the exact composition of its law', () => {
    const spent = (dimension?: number) => {
      const { loss } = discreteLaplaceMechanism(dimension === undefined ? options : { ...options, dimension })
      return toNumber(pldToEpsilon(tallyOf([[loss, 100n]]), decimal('1e-6')), 'up')
    }
    assert.ok(spent(1) < spent(), `${spent(1)} with steps, ${spent()} without`)
    const exact = epsilonOf(composed(discreteLaplaceLosses(0.1, 40), 100), 1e-6)
    assert.ok(spent(1) >= exact * (1 - 1e-9) && spent(1) <= exact * (1 + 1e-3), `${spent(1)}, exact ${exact}`)
  })

  it('refuses a vector of two, releasing nothing, and takes one of one', () => {
    const mechanism = discreteLaplaceMechanism({ ...options, dimension: 1 })
    assert.throws(() => mechanism.releaseAll([1, 2]), /the vector has 2 coordinates, the mechanism was built for 1/)
    assert.equal(mechanism.releaseAll([1]).length, 1)
    for (const dimension of [0, -1, 1.5, Number.NaN])
      assert.throws(() => discreteLaplaceMechanism({ ...options, dimension }), ParameterError)
  })
})

describe('a release', () => {
  const build = () => discreteGaussianMechanism({ neighbours, sensitivity: load.l2, sigma2: decimal('1e10') })
  const releases: readonly [string, (m: ReturnType<typeof build>) => unknown][] = [
    ['release of a number', (m) => m.release(1)],
    ['release of a bigint', (m) => m.release(1n)],
    ['releaseAll', (m) => m.releaseAll([1, 2, 3])],
  ]
  for (const [first, one] of releases)
    for (const [second, two] of releases)
      it(`happens once: ${second} after ${first} is refused`, () => {
        const mechanism = build()
        one(mechanism)
        assert.throws(() => two(mechanism), AlreadyReleasedError)
      })

  it('keeps the kind of the value and adds integer noise', () => {
    assert.ok(Number.isSafeInteger(build().release(12_345)))
    assert.equal(typeof build().release(1n << 90n), 'bigint')
    assert.equal(build().releaseAll([1, 2, 3]).length, 3)
    assert.equal(build().releaseAll([]).length, 0)
  })

  for (const value of [0.5, Number.NaN, Infinity, 2 ** 53])
    it(`refuses ${value} without spending itself or saying the value`, () => {
      const mechanism = build()
      for (const call of [() => mechanism.release(value), () => mechanism.releaseAll([1, value])])
        assert.throws(call, (error: unknown) => {
          assert.ok(error instanceof ParameterError)
          assert.match(error.message, /integer of magnitude at most 2\^52/)
          assert.ok(!error.message.includes(String(value)))
          return true
        })
      mechanism.release(0)
    })

  it('of numbers is refused at a scale whose noise may not be a safe integer, and bigints are not', () => {
    const wide = discreteGaussianMechanism({ neighbours, sensitivity: load.l2, sigma2: decimal('1e24') })
    assert.throws(() => wide.release(5), /the scale is above 2\^36/)
    const noisy = wide.release(5n)
    assert.ok(noisy > -(10n ** 15n) && noisy < 10n ** 15n)
  })

  it('draws independent noise for each coordinate', () => {
    const mechanism = seededGaussianMechanism(
      { neighbours, sensitivity: load.l2, sigma2: decimal('1e10') },
      seededBits(1),
    )
    assert.equal(new Set(mechanism.releaseAll(new Array<number>(200).fill(0))).size, 200)
  })

  it('with seeded bits is the same on every machine', () => {
    const gaussian = seededGaussianMechanism(
      { neighbours, sensitivity: load.l2, sigma2: decimal('1e10') },
      seededBits(7),
    )
    assert.deepEqual(gaussian.releaseAll([0, 0, 0]), [-130_844, -7_223, 241_805])
    const laplace = seededLaplaceMechanism({ neighbours, sensitivity: count.l1, scale: integer(1000) }, seededBits(7))
    assert.deepEqual(laplace.releaseAll([0, 0, 0]), [2_909, 175, -1_308])
  })
})

describe('what the types refuse, forced past them', () => {
  const forced = <T>(value: unknown): T => value as T

  it('is refused at run time: a sensitivity bounded for the other relation', () => {
    const other = clippedVectorSum({ neighbours: 'replace-one', radius: one, signs: 'signed' })
    const sensitivity = forced<L2Sensitivity<'add-remove'>>(other.l2)
    assert.throws(() => discreteGaussianMechanism({ neighbours, sensitivity, rho: one }), /not for add-remove/)
    const l1 = forced<typeof count.l1>(clampedSum({ neighbours: 'replace-one', lower: 0n, upper: 1n }).l1)
    assert.throws(() => discreteLaplaceMechanism({ neighbours, sensitivity: l1, epsilon: one }), /not for add-remove/)
  })

  it('is refused at run time: seeded bits, for a mechanism and for a sampler', () => {
    const bits = forced<SecureBits>(seededBits(1))
    const refusals = [
      () => discreteGaussianMechanism({ neighbours, sensitivity: count.l2, rho: one }, bits),
      () => discreteLaplaceMechanism({ neighbours, sensitivity: count.l1, epsilon: one }, bits),
      () => discreteGaussian(one, bits),
      () => discreteLaplace(one, bits),
    ]
    for (const call of refusals) assert.throws(call, /secureBits\(\) only/)
  })
})

describe('parameters', () => {
  const refusals: readonly [string, () => unknown, RegExp][] = [
    [
      'rho 0',
      () => discreteGaussianMechanism({ neighbours, sensitivity: load.l2, rho: integer(0) }),
      /rho must be greater than 0/,
    ],
    [
      'a negative rho',
      () => discreteGaussianMechanism({ neighbours, sensitivity: load.l2, rho: integer(-1) }),
      /rho must be greater than 0/,
    ],
    [
      'sigma^2 0',
      () => discreteGaussianMechanism({ neighbours, sensitivity: load.l2, sigma2: integer(0) }),
      /sigma\^2 must be greater than 0/,
    ],
    [
      'epsilon 0',
      () => discreteLaplaceMechanism({ neighbours, sensitivity: count.l1, epsilon: integer(0) }),
      /must be greater than 0/,
    ],
    [
      'a negative scale',
      () => discreteLaplaceMechanism({ neighbours, sensitivity: count.l1, scale: integer(-1) }),
      /must be greater than 0/,
    ],
    [
      'a sampler of scale 0',
      () => discreteLaplace(integer(0)),
      /the scale of a discrete Laplace must be greater than 0/,
    ],
    [
      'a sampler of sigma^2 -1',
      () => discreteGaussian(integer(-1)),
      /sigma\^2 of a discrete Gaussian must be greater than 0/,
    ],
  ]
  const enormous: readonly [string, () => unknown, RegExp][] = [
    ['a huge scale', () => discreteLaplace(decimal('1e400')), /between 2\^-1024 and 2\^1024/],
    ['a vanishing scale', () => discreteLaplace(decimal('1e-400')), /between 2\^-1024 and 2\^1024/],
    ['a huge sigma^2', () => discreteGaussian(decimal('1e400')), /between 2\^-1024 and 2\^1024/],
    [
      'a sigma^2 of endless digits',
      () => discreteGaussian(ratio(1n + (1n << 40_000n), 1n << 40_000n)),
      /at most 65,536 bits/,
    ],
    [
      'a tiny rho',
      () => discreteGaussianMechanism({ neighbours, sensitivity: load.l2, rho: decimal('1e-400') }),
      /between 2\^-1024/,
    ],
  ]
  for (const [what, call, sentence] of [...refusals, ...enormous])
    it(`refuses ${what}`, () => assert.throws(call, sentence))

  it('from tiny to huge have a variance and an interval', () => {
    for (const text of ['1e-300', '1e-9', '0.001', '1e12', '1e300']) {
      const scale = decimal(text)
      const laplace = discreteLaplaceMechanism({ neighbours, sensitivity: count.l1, scale })
      const gaussian = discreteGaussianMechanism({ neighbours, sensitivity: count.l2, sigma2: scale })
      for (const mechanism of [laplace, gaussian]) {
        assert.ok(mechanism.variance.num > 0n)
        assert.equal(mechanism.interval(decimal('0.95')) > 0n, Number(text) > 1)
      }
    }
  })

  it('from tiny to huge are answered', () => {
    for (const scale of ['1e-30', '0.001', '1', '1e9', '1e12', '1e30'].map(decimal)) {
      assert.equal(typeof discreteLaplace(scale).next(), 'bigint')
      assert.equal(typeof discreteGaussian(scale).next(), 'bigint')
    }
    assert.ok(Math.abs(discreteLaplace(decimal('1e9')).nextNumber()) < 1e12)
    assert.equal(discreteLaplace(decimal('1e-30')).next(), 0n)
    assert.equal(discreteGaussian(decimal('1e-6')).next(), 0n)
  })
})
