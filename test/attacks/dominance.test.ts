// The attack: one home uses far more than all others together, so that a sum is nearly its own load.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { rational } from 'diffprivlib-ts'
import { resolvePolicy } from '../../operators/privacy/release/policy.ts'
import type { AuditParts } from '../../pipelines/simulation/audit-pipelines.ts'
import { auditPolicy, openAuditStage, type SeenRecord } from '../../pipelines/simulation/audit-stage.ts'
import { type AuditWorld, auditedHome, exampleWorld } from '../../pipelines/simulation/audit-world.ts'
import { drive } from '../helpers/release-driver.ts'
import { cell, partial, policyWith, releaseOperator, zeroNoise } from '../helpers/release-fixtures.ts'
import { planted } from './end-to-end/planted.ts'

/** The home's day with as much use as the fuse lets through in every window. */
function large(present: boolean): AuditWorld {
  const world = exampleWorld({ present, phases: 'preliminary' })
  const full = { ...world, homes: world.homes.map((home) => ({ ...home, fuseWhPerHour: 200_000 })) }
  return {
    ...full,
    readings: full.readings.map((reading) => (reading.home === auditedHome ? { ...reading, wh: 190_000 } : reading)),
  }
}

async function seen(present: boolean, parts: AuditParts): Promise<readonly SeenRecord[]> {
  return (await (await openAuditStage({ world: large(present), parts })).run()).seen
}

/** How far the home's day stands out of the noise that the records of a level state: in standard deviations of the best estimate. */
async function standsOut(parts: AuditParts): Promise<ReadonlyMap<string, number>> {
  const [there, not] = [await seen(true, parts), await seen(false, parts)]
  const sums = new Map<string, number>()
  there.forEach(({ record }, i) => {
    const adds = record.rawWh! - not[i]!.record.rawWh!
    const sigma2 = rational.toNumber(rational.parse(record.privacy.sigma2), 'up')
    sums.set(record.level, (sums.get(record.level) ?? 0) + adds ** 2 / sigma2)
  })
  return new Map([...sums].map(([level, sum]) => [level, Math.sqrt(sum)]))
}

describe('a home that outweighs all others', () => {
  const { levels } = resolvePolicy(auditPolicy())

  it('stands out of the noise by no more than any other home may', async () => {
    for (const [level, deviations] of await standsOut({ noise: zeroNoise })) {
      const rho = rational.toNumber(levels[level as keyof typeof levels].rho, 'up')
      assert.ok(deviations <= Math.sqrt(2 * rho), `${level}: ${deviations}`)
      assert.ok(deviations > 0.9 * Math.sqrt(2 * rho), `${level}: the day does not use its bound, ${deviations}`)
    }
  })

  it('would stand out by far without the clip', async () => {
    const { parts } = planted.find(({ bug }) => bug === 'no clip')!.make({ noise: zeroNoise, quiet: true })
    for (const deviations of (await standsOut(parts)).values()) assert.ok(deviations > 1, `${deviations}`)
  })

  /** The exact sums of a window in which one of 3,000 homes has nearly everything. */
  const restricted = (rules: Parameters<typeof policyWith>[0]) => {
    const window = '2026-01-15T10:00'
    const whole = { boundedWh: 0, exactWh: 1_000_000, count: 3_000, largestWh: 990_000, secondWh: 100 }
    const cells = (
      [
        ['utility', 'utility-1'],
        ['region', 'region-1'],
        ['substation', 'substation-1'],
        ['feeder', 'feeder-1'],
      ] as const
    ).map(([level, group]) => {
      const { boundedWh: _, ...rest } = whole
      return cell(window, 0, { level, group, ...rest })
    })
    const partials = [
      ...[0, 1].map((source) => partial(source, 1, '2026-01-15T00:10')),
      partial(0, 2, '2026-01-15T12:00', cells),
      partial(1, 2, '2026-01-15T12:00'),
    ]
    const log = drive({ operator: releaseOperator({ noise: zeroNoise, policy: policyWith(rules) }), partials })
    return log.restricted.filter(({ energyWh, group }) => group === 'utility-1' && energyWh !== null && energyWh > 0)
  }

  it('is read off the exact sum to one percent where no rule is kept', () => {
    const off = { restricted: { maxShareOfTwo: null, protection: null } }
    const [shown] = restricted(off)
    assert.ok(Math.abs(shown!.energyWh! - 990_000) / 990_000 < 0.011)
  })

  it('takes the exact sum off the restricted topic', () => {
    assert.deepEqual(restricted({}), [])
  })
})
