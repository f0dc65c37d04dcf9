import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encloseRational, ln } from '../../src/numeric/fixed-point.ts'
import { wideBits } from '../../src/random/bit-source.ts'
import { decimal, format, fromDouble, ratio } from '../../src/rational.ts'
import { lazyGaussian } from '../../src/samplers/lazy/gaussian.ts'
import { lazyTakes } from '../../src/samplers/lazy/geometric.ts'
import { lazyLaplace } from '../../src/samplers/lazy/laplace.ts'
import { logarithmError, negativeLogarithm, prepareLogarithm } from '../../src/samplers/lazy/logarithm.ts'
import { seededBits } from '../../src/testing/seeded-bits.ts'
import { deepFaults, gaussianFaults, laplaceFaults } from './word-coupling.ts'

const cases = Number(process.env['MV_CASES'] ?? 2_000)

/** The largest distance of `log` from -ln U over random words and both ends of the bits not drawn, in units of 2^-100. */
const worstError = (log: typeof negativeLogarithm, count: number): number => {
  const bits = seededBits(11)
  let worst = 0n
  for (let i = 0; i < count; i++) {
    const j = 1 + (bits.word() % 43)
    // Every 1/128 has its ends tried, where the polynomial is furthest from its node.
    const end = i % 4 === 0 ? 0n : i % 4 === 1 ? (1n << 45n) - 1n : wideBits(bits, 45)
    const mantissa = (BigInt(i % 128) << 45n) | end
    const computed = log(j, Number(mantissa >> 32n), Number(mantissa & 0xffffffffn))
    const scaled = encloseRational(fromDouble(computed), 100).lower
    for (const rest of [0n, 1n]) {
      const u = ratio((1n << 52n) + mantissa + rest, 1n << BigInt(52 + j))
      const { lower } = ln(u, 100)
      const distance = scaled + lower
      const size = distance < 0n ? -distance : distance
      if (size > worst) worst = size
    }
  }
  return Number(worst)
}

describe('the logarithm in doubles', () => {
  it('stays within its proved error of -ln U, whatever the bits not drawn', () => {
    prepareLogarithm()
    assert.ok(worstError(negativeLogarithm, cases) * 2 ** -100 <= logarithmError)
  })

  it('would be caught with one term of its series left out', () => {
    const short = (j: number, high: number, low: number) => {
      const node = 1 + ((high >>> 13) + 0.5) / 128
      const r = (1 + high / 2 ** 20 + low / 2 ** 52 - node) / node
      return negativeLogarithm(j, high, low) + r ** 5 / 5 - r ** 6 / 6
    }
    assert.ok(worstError(short, cases) * 2 ** -100 > logarithmError)
  })
})

describe('the lazy samplers on hostile bits', () => {
  for (const scale of ['0.001', '0.3', '1', '1.5', '10', '12345.678', '1e6', '1e9', '6e10'].map(decimal))
    it(`discrete Laplace of scale ${format(scale)} agrees with the bigint decision around every boundary`, () => {
      assert.ok(lazyTakes(scale))
      assert.deepEqual(laplaceFaults(lazyLaplace, scale, cases / 4, 1).slice(0, 5), [])
    })

  for (const sigma2 of [
    '0.0625',
    '0.3',
    '0.49',
    '1',
    '2.25',
    '10',
    '1e4',
    '1e10',
    '123456789012.3',
    '1e18',
    '4e21',
  ].map(decimal))
    it(`discrete Gaussian of sigma^2 ${format(sigma2)} agrees with the bigint decision around every boundary`, () => {
      assert.deepEqual(gaussianFaults(lazyGaussian, sigma2, cases / 4, 2).slice(0, 5), [])
    })

  for (const scale of [2n, 100n, 1_000_003n])
    it(`both agree with it on numbers below 2^-43, at scale ${scale}`, () =>
      assert.deepEqual(deepFaults(lazyLaplace, lazyGaussian, scale, 100).slice(0, 5), []))
})
