import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { coinRenyi, impliedEpsilon, impliedMu, impliedRho } from '../../src/audit/divergence.ts'
import { clopperPearsonLower, clopperPearsonUpper } from '../../src/audit/index.ts'
import { incompleteBeta, lnGamma, normalQuantile, normalTail } from '../../src/audit/special.ts'
import { ParameterError } from '../../src/errors.ts'
import { exp, ln, sine, squareRoot } from '../../src/numeric/double.ts'

const near = (actual: number, expected: number, relative = 1e-12) =>
  assert.ok(Math.abs(actual - expected) <= relative * Math.abs(expected), `${actual} is not ${expected}`)

describe('elementary functions in doubles', () => {
  const values = [1e-300, 1e-9, 0.1, 0.5, 0.75, 1.5, 2, Math.PI, 10, 12345.678, 1e15, 1e300]
  it('agree with the host to 1e-15', () => {
    for (const x of values) {
      near(ln(x), Math.log(x), 4e-16)
      near(squareRoot(x), Math.sqrt(x), 3e-16)
    }
    for (const x of [-700, -20, -1, -1e-9, 0, 1e-9, 0.3, 1, 20, 700]) near(exp(x), Math.exp(x), 3e-15)
    for (const x of [1e-9, 0.1, 1, 1.5, Math.PI / 2]) near(sine(x), Math.sin(x), 4e-16)
  })

  it('know their ends', () => {
    assert.deepEqual([ln(0), ln(1), exp(-800), exp(800), exp(0), squareRoot(0)], [-Infinity, 0, 0, Infinity, 1, 0])
    assert.throws(() => ln(-1), ParameterError)
    assert.throws(() => squareRoot(-1), ParameterError)
  })
})

describe('distribution functions', () => {
  it('have the values of the tables', () => {
    near(lnGamma(0.5), Math.log(Math.PI) / 2)
    near(lnGamma(11), Math.log(3_628_800))
    near(normalTail(1), 0.15865525393145705)
    near(normalTail(6), 9.865876450376981e-10)
    near(normalTail(-2), 0.9772498680518208)
    // The two-sided 1e-5 point, as in the known answers test_thresholds-02.
    assert.ok(Math.abs(normalQuantile(1 - 5e-6) - 4.41717) < 1e-5)
    near(incompleteBeta(0.3, 2, 3), 0.3483, 1e-12)
    near(incompleteBeta(0.5, 500, 500), 0.5)
  })

  it('bound a probability as Clopper and Pearson do', () => {
    near(clopperPearsonLower(10, 100, 0.025), 0.04900468898, 1e-8)
    near(clopperPearsonUpper(10, 100, 0.025), 0.17622259774, 1e-8)
    assert.equal(clopperPearsonLower(0, 100, 0.025), 0)
    // None of n: 1 - miss^(1/n).
    near(clopperPearsonUpper(0, 100, 0.025), 1 - 0.025 ** 0.01, 1e-12)
    near(clopperPearsonUpper(0, 10_000, 1e-7), 1 - 1e-7 ** 1e-4, 1e-9)
    assert.equal(clopperPearsonUpper(100, 100, 0.025), 1)
    assert.throws(() => clopperPearsonLower(3, 2, 0.1), ParameterError)
    assert.throws(() => clopperPearsonLower(1, 2, 0), ParameterError)
  })

  it('miss no more often than they say, whatever the probability', () => {
    const [trials, miss] = [40, 0.01]
    const bounds = Array.from({ length: trials + 1 }, (_, k) => clopperPearsonLower(k, trials, miss))
    for (let p = 0.01; p < 1; p += 0.01) {
      let [missed, mass] = [0, (1 - p) ** trials]
      for (let k = 0; k <= trials; k++) {
        if (bounds[k]! > p) missed += mass
        mass *= ((trials - k) / (k + 1)) * (p / (1 - p))
      }
      assert.ok(missed <= miss * (1 + 1e-9), `${p}: ${missed}`)
    }
  })
})

describe('what an event implies', () => {
  it('of epsilon, mu, rho and Renyi divergence', () => {
    near(impliedEpsilon(0.5, 0.25, 0), Math.LN2)
    near(impliedEpsilon(0.6, 0.25, 0.1), Math.LN2)
    assert.equal(impliedEpsilon(0.2, 0.25, 0), 0)
    assert.equal(impliedEpsilon(0.2, 0, 0.1), Infinity)
    near(impliedMu(normalTail(-0.5), normalTail(0.5)), 1, 1e-9)
    assert.equal(impliedMu(0.1, 0.2), 0)
    near(coinRenyi(0.75, 0.25, 1), 0.5 * Math.log(3))
    near(coinRenyi(0.75, 0.25, 2), Math.log(0.75 ** 2 / 0.25 + 0.25 ** 2 / 0.75))
    assert.equal(coinRenyi(0.5, 0, 2), Infinity)
    near(coinRenyi(1, 0.5, 8), Math.LN2)
  })

  it('of rho is never more than a Gaussian has, and over half of it', () => {
    for (const mu of [0.1, 0.5, 1, 2]) {
      const best = [-1, -0.5, 0, 0.5, 1].reduce(
        (most, cut) => Math.max(most, impliedRho(normalTail(cut - mu / 2), normalTail(cut + mu / 2))),
        0,
      )
      assert.ok(best <= mu ** 2 / 2 && best > mu ** 2 / 4, `${mu}: ${best}`)
    }
  })
})
