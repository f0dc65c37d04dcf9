import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { rational } from 'diffprivlib-ts'
import { unpackRecords } from '../../../operators/privacy/ledger/packed-records.ts'
import { type NoiseSource, secureNoise } from '../../../operators/privacy/release/noise.ts'
import { drive } from '../../helpers/release-driver.ts'
import { partial, publicCodec, releaseOperator } from '../../helpers/release-fixtures.ts'

/**
 * Noise of every released value of fifteen days without a reading, in units of the sigma that the value states:
 * preliminary values, and what the late increments added.
 */
function draws(noise: NoiseSource): { preliminary: number[]; late: number[] } {
  const partials = [1, 2].flatMap((seq) => {
    const progress = seq === 1 ? '2026-01-01T00:10' : '2026-01-16T06:00'
    return [partial(0, seq, progress), partial(1, seq, progress)]
  })
  const { ledger } = drive({ operator: releaseOperator({ noise, sealsPerStep: 64 }), partials })
  const first = new Map<string, number>()
  const result = { preliminary: [] as number[], late: [] as number[] }
  for (const link of ledger) {
    if (link.kind !== 'seal' || link.date > '2026-01-15') continue
    for (const { key, bytes } of unpackRecords(link.records, link.hash, link.count)) {
      const { rawWh, privacy } = publicCodec.decode(bytes)
      if (rawWh === null) continue
      const name = `${link.window} ${link.channel} ${key}`
      const sigma = Math.sqrt(rational.toNumber(rational.parse(privacy.sigma2), 'up'))
      if (link.phase === 'preliminary') {
        first.set(name, rawWh)
        result.preliminary.push(rawWh / sigma)
      } else result.late.push(((rawWh - first.get(name)!) / sigma) * Math.SQRT2)
    }
  }
  return result
}

/** How far a mean of `n` values lies from what is expected, in standard errors. */
const away = (values: readonly number[], of: (value: number) => number, mean: number, variance: number): number =>
  Math.abs(values.reduce((sum, value) => sum + of(value), 0) / values.length - mean) /
  Math.sqrt(variance / values.length)

// Six standard errors: a false alarm in 5 x 10^8 for each of the figures looked at.
const limit = 6

describe('the noise in released values', () => {
  const { preliminary, late } = draws(secureNoise())

  it('is there in every value: fifteen days, both channels, five groups', () => {
    assert.equal(preliminary.length, 15 * 48 * 2 * 5)
    assert.equal(late.length, preliminary.length)
  })

  for (const [what, values] of [
    ['preliminary values', preliminary],
    ['late increments', late],
  ] as const) {
    it(`has mean 0 and the stated variance in ${what}`, () => {
      assert.ok(away(values, (z) => z, 0, 1) < limit)
      assert.ok(away(values, (z) => z * z, 1, 2) < limit)
    })
  }

  it('is fresh in each phase and each group', () => {
    const products = preliminary.map((z, i) => z * late[i]!)
    assert.ok(away(products, (z) => z, 0, 1) < limit)
    const neighbours = preliminary.slice(1).map((z, i) => z * preliminary[i]!)
    assert.ok(away(neighbours, (z) => z, 0, 1) < limit)
  })

  it('would be found out with 0.9 of the stated sigma', () => {
    const honest = secureNoise()
    const small = draws({
      gaussian: (sigma2) => honest.gaussian(rational.mul(sigma2, rational.parse('81/100'))),
    })
    assert.ok(away(small.preliminary, (z) => z * z, 1, 2) > limit)
  })

  it('would be found out if one draw were used for two values', () => {
    const honest = secureNoise()
    const kept = new Map<string, { readonly value: bigint; uses: number }>()
    const reused = draws({
      gaussian: (sigma2) => {
        const name = rational.format(sigma2)
        let draw = kept.get(name)
        if (!draw || draw.uses === 2) {
          draw = { value: honest.gaussian(sigma2), uses: 0 }
          kept.set(name, draw)
        }
        draw.uses += 1
        return draw.value
      },
    })
    // The two feeders stand next to each other in every window: a fifth of the products is a square, 17 standard errors with a
    // spread of 1.6, so it is missed once in 10^11 times. Longer use would let the other products wander together.
    const neighbours = reused.preliminary.slice(1).map((z, i) => z * reused.preliminary[i]!)
    assert.ok(away(neighbours, (z) => z, 0, 1) > limit)
  })
})
