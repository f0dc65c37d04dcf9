// Without noise the household-day can be seen as it is: how far it moves everything that is released, in units of the noise that
// the records state. That is at most sqrt(2 rho), exactly, for any day; planted clips let more through.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Rational, rational } from 'diffprivlib-ts'
import type { AuditParts } from '../../pipelines/simulation/audit-pipelines.ts'
import { auditPolicy } from '../../pipelines/simulation/audit-stage.ts'
import type { ExampleOptions } from '../../pipelines/simulation/audit-world.ts'
import { zeroNoise } from '../helpers/release-fixtures.ts'
import { claimsOf } from './end-to-end/claims.ts'
import { squareOf } from './end-to-end/moves.ts'
import { planted } from './end-to-end/planted.ts'
import { bothWorlds } from './end-to-end/same-noise.ts'

const { mu } = claimsOf(auditPolicy().rhoPerDay)
/** mu^2 of the claim, exactly: 2 rho. */
const claimed = rational.mul(rational.integer(2), rational.parse(auditPolicy().rhoPerDay))

/** mu^2 of the whole release. */
async function squared(
  world: Omit<ExampleOptions, 'present'>,
  parts: () => AuditParts = () => ({}),
): Promise<Rational> {
  const exact = await bothWorlds(world, () => ({ ...parts(), noise: zeroNoise }))
  return squareOf(exact.with.seen, exact.without.seen)
}

const rootOf = (square: Rational): number => Math.sqrt(rational.toNumber(square, 'up'))

describe('one household-day', () => {
  for (const world of [
    { phases: 'preliminary' },
    { phases: 'both' },
    { phases: 'both', wh: 900 },
    { phases: 'both', wh: 29_000 },
    { phases: 'both', feeders: 2, wh: 9_000 },
    { phases: 'preliminary', copies: 4 },
  ] as const) {
    it(`moves a release by no more than its bound: ${JSON.stringify(world)}`, async (t) => {
      const square = await squared(world)
      const moved = rootOf(square)
      t.diagnostic(`${moved.toFixed(4)} of ${mu.toFixed(4)}`)
      assert.ok(rational.compare(square, claimed) <= 0, rational.format(square))
      // The examples are no easy ones: they use nearly all of it.
      assert.ok('wh' in world && world.wh < 1_000 ? moved > 0 : moved > 0.9 * mu, `${moved}`)
    })
  }

  const clips = [
    'no clip',
    'a clip of the sum',
    'a clip that is not',
    'late values',
    'duplicates',
    'a home that is in two',
  ]
  for (const { bug, world, make } of planted.filter((each) => clips.some((name) => each.bug.startsWith(name)))) {
    it(`moves it by more where there is ${bug}`, async (t) => {
      const moved = rootOf(await squared(world, () => make({ noise: zeroNoise, quiet: true }).parts))
      t.diagnostic(`${moved.toFixed(4)} of ${mu.toFixed(4)}`)
      assert.ok(moved > 1.2 * mu, `${moved}`)
    })
  }
})
