// Directed rounding, held to references of 90 decimal places that share nothing with the code under test: what is claimed lies above the true value
// and by no more than stated. The same check must catch an accountant that rounds to nearest.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { advancedEpsilon, kairouzOhViswanathEpsilon } from '../../src/accounting/approximate.ts'
import { approxDpToMuSquared, gaussianToDelta, gaussianToEpsilon } from '../../src/accounting/gaussian.ts'
import { boundedRangeKl, laplaceRenyi, renyiToDelta, renyiToEpsilon } from '../../src/accounting/renyi.ts'
import { decimal, fromDouble, integer, type Rational, ratio, toNumber } from '../../src/rational.ts'
import { approxDpToRho, zcdpToDelta, zcdpToEpsilon } from '../../src/zcdp.ts'
import {
  divide,
  exp,
  fixed,
  gaussianDelta,
  least,
  ln,
  multiply,
  root,
  unit,
  zcdpEpsilon,
} from '../helpers/fifty-digits.ts'
import { pures } from '../helpers/losses.ts'

/** Units of 10^-90 that a reference may be off; all figures here are above 10^-20. */
const slack = 10n ** 30n

interface Case {
  readonly what: string
  readonly claim: () => Rational
  readonly truth: () => bigint
  /** How far above the truth the claim may be, in bits below it. */
  readonly bits: bigint
}

/** The cases whose claim is below the truth, or further above it than stated. `seen` changes a claim on its way. */
const violations = (cases: readonly Case[], seen: (claim: Rational) => Rational = (claim) => claim): string[] =>
  cases.flatMap(({ what, claim, truth, bits }) => {
    const exact = truth()
    const value = fixed(seen(claim()))
    if (value < exact - slack) return [`${what} is below the truth`]
    return value - exact > slack + (exact >> bits) ? [`${what} is too far above the truth`] : []
  })

const grid = ['1e-4', '0.013', '0.24', '1.7', '9', '40'].flatMap((value) =>
  ['1e-3', '1e-6', '1e-12'].map((delta) => [value, delta] as const),
)

const zcdp: Case[] = grid.map(([rho, delta]) => ({
  what: `epsilon of rho ${rho} at ${delta}`,
  claim: () => zcdpToEpsilon(decimal(rho), decimal(delta)),
  truth: () => {
    const exact = zcdpEpsilon(fixed(decimal(rho)), fixed(decimal(delta)))
    return exact > 0n ? exact : 0n
  },
  bits: 60n,
}))

const gaussian: Case[] = ['0.0001', '0.01', '0.24', '1', '9', '49'].flatMap((muSquared) =>
  ['0', '0.003', '0.1', '1', '4.25', '20'].flatMap((epsilon) => {
    // Further out the figures are below 10^-20, where the reference has not the digits.
    if (Number(epsilon) > 9 * Math.sqrt(Number(muSquared)) + Number(muSquared) / 2) return []
    const truth = () => gaussianDelta(fixed(decimal(muSquared)), fixed(decimal(epsilon)))
    const claim = () => gaussianToDelta(decimal(muSquared), decimal(epsilon))
    return [{ what: `delta of mu^2 ${muSquared} at ${epsilon}`, claim, truth, bits: 60n }]
  }),
)

/** epsilon + ln((1 + r) / (1 + q)) / (a - 1) for randomised response, from its definition as a sum over two outputs. */
const randomisedResponse = (epsilon: Rational, order: number): bigint => {
  const p = divide(exp(fixed(epsilon)), unit + exp(fixed(epsilon)))
  const power = (x: bigint, n: number): bigint => exp(multiply(BigInt(n) * unit, ln(x)))
  const sum =
    multiply(power(p, order), power(unit - p, 1 - order)) + multiply(power(unit - p, order), power(p, 1 - order))
  return ln(sum) / BigInt(order - 1)
}

const renyi: Case[] = ['0.01', '0.5', '3'].flatMap((epsilon) =>
  [2, 5, 32].map((order) => ({
    what: `divergence of randomised response ${epsilon} at order ${order}`,
    claim: () => laplaceRenyi(decimal(epsilon), integer(order)),
    truth: () => randomisedResponse(decimal(epsilon), order),
    bits: 60n,
  })),
)

const formulas: Case[] = [
  ...['0.05', '0.4'].flatMap((epsilon) => {
    const e = fixed(decimal(epsilon))
    const squares = 20n * multiply(e, e)
    const logarithm = ln(1000n * unit)
    const mean = (20n * multiply(e, exp(e) - unit) * unit) / (exp(e) + unit)
    const first = mean + root(2n * multiply(squares, logarithm))
    const second = mean + root(2n * multiply(squares, ln(exp(unit) + 1000n * root(squares))))
    const smaller = (a: bigint, b: bigint) => (a < b ? a : b)
    return [
      {
        what: `Kairouz-Oh-Viswanath of 20 x ${epsilon}`,
        claim: () => kairouzOhViswanathEpsilon(pures(decimal(epsilon), 20n), decimal('0.001')),
        truth: () => smaller(20n * e, smaller(first, second)),
        bits: 60n,
      },
      {
        what: `advanced composition of 20 x ${epsilon}`,
        claim: () => advancedEpsilon(pures(decimal(epsilon), 20n), decimal('0.001')),
        truth: () => smaller(20n * e, squares / 2n + root(2n * multiply(squares, logarithm))),
        bits: 60n,
      },
    ]
  }),
  ...['0.1', '1', '6'].map((range) => ({
    what: `divergence of range ${range}`,
    claim: () => boundedRangeKl(decimal(range)),
    truth: () => {
      const r = fixed(decimal(range))
      const x = divide(r, exp(r) - unit)
      return x - unit - ln(x)
    },
    bits: 60n,
  })),
  {
    what: 'epsilon of a flat curve',
    claim: () => renyiToEpsilon(() => decimal('1.1'), decimal('1e-5'), [integer(32)]).epsilon,
    truth: () => fixed(decimal('1.1')) + ln((31n * unit) / 32n) - ln((32n * unit) / 100_000n) / 31n,
    bits: 60n,
  },
  {
    what: 'delta of a flat curve',
    claim: () => renyiToDelta(() => decimal('1.1'), integer(2), [integer(32)]),
    truth: () => exp(31n * fixed(decimal('-0.9')) + 32n * ln((31n * unit) / 32n)) / 31n,
    bits: 40n,
  },
]

/** The cases with claims and truths worked out once. */
const all = [...zcdp, ...gaussian, ...renyi, ...formulas].map((one): Case => {
  let [claim, truth]: [Rational | undefined, bigint | undefined] = [undefined, undefined]
  return { ...one, claim: () => (claim ??= one.claim()), truth: () => (truth ??= one.truth()) }
})

describe('no figure is below the truth', () => {
  it('zCDP, Gaussian, Rényi and the formulas, at 50 digits', () => assert.deepEqual(violations(all), []))

  it('the epsilon of a Gaussian has a delta within the one asked for, and a slightly smaller one has not', () => {
    for (const [muSquared, delta] of [
      ['0.0001', '1e-6'],
      ['0.24', '1e-6'],
      ['1', '1e-9'],
      ['3.5', '1e-12'],
      ['30', '1e-12'],
    ] as const) {
      const epsilon = fixed(gaussianToEpsilon(decimal(muSquared), decimal(delta)))
      const at = (value: bigint) => gaussianDelta(fixed(decimal(muSquared)), value)
      assert.ok(at(epsilon) <= fixed(decimal(delta)) + slack)
      assert.ok(at(epsilon - (epsilon >> 40n)) > fixed(decimal(delta)) - slack)
    }
  })

  it('what a guarantee allows, rho and mu^2, is rounded down', () => {
    for (const [epsilon, delta] of [
      ['0.1', '1e-6'],
      ['1', '1e-6'],
      ['8', '1e-12'],
    ] as const) {
      const rho = fixed(approxDpToRho(decimal(epsilon), decimal(delta)))
      assert.ok(zcdpEpsilon(rho, fixed(decimal(delta))) <= fixed(decimal(epsilon)) + slack)
      const muSquared = fixed(approxDpToMuSquared(decimal(epsilon), decimal(delta)))
      assert.ok(gaussianDelta(muSquared, fixed(decimal(epsilon))) <= fixed(decimal(delta)) + slack)
    }
  })

  it('the delta of rho-zCDP is above the least over orders', () => {
    for (const [rho, epsilon] of [
      ['0.02', '1'],
      ['0.5', '6'],
    ] as const) {
      const [r, e] = [fixed(decimal(rho)), fixed(decimal(epsilon))]
      const logOf = (logExcess: bigint): bigint => {
        const excess = exp(logExcess)
        const order = excess + unit
        return multiply(excess, multiply(order, r) - e) + multiply(order, ln(divide(excess, order))) - ln(excess)
      }
      const truth = exp(least(logOf, -8n * unit, 8n * unit))
      const claim = fixed(zcdpToDelta(decimal(rho), decimal(epsilon)))
      assert.ok(claim >= truth - slack && claim <= truth + (truth >> 40n) + slack)
    }
  })
})

describe('the same check', () => {
  it('catches an accountant that rounds to the nearest double', () => {
    const nearest = (claim: Rational): Rational => {
      const [low, high] = [toNumber(claim, 'down'), toNumber(claim, 'up')]
      const middle = fixed(fromDouble(low)) + fixed(fromDouble(high))
      return fromDouble(2n * fixed(claim) < middle ? low : high)
    }
    const below = violations(all, nearest).filter((sentence) => sentence.endsWith('below the truth'))
    assert.ok(below.length > all.length / 4, `${below.length} of ${all.length}`)
  })

  it('catches one that is a part in 10^18 too low, and one that is loose', () => {
    const lower = (claim: Rational): Rational => ratio(claim.num * (10n ** 18n - 1n), claim.den * 10n ** 18n)
    const higher = (claim: Rational): Rational => ratio(claim.num * (10n ** 9n + 1n), claim.den * 10n ** 9n)
    const positive = all.filter(({ truth }) => truth() > 0n)
    assert.equal(violations(positive, lower).length, positive.length)
    assert.equal(violations(positive, higher).length, positive.length)
  })
})
