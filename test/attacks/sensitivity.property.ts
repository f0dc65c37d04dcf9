// Any household-day, in any world: what it adds to everything that is released, weighed by the noise that the records state, is
// at most what its rho allows, exactly; and nothing else of the public topic tells of it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rational } from 'diffprivlib-ts'
import fc from 'fast-check'
import { auditPolicy, openAuditStage } from '../../pipelines/simulation/audit-stage.ts'
import { undrawnFields } from '../../pipelines/simulation/audit-values.ts'
import {
  type AuditReading,
  type AuditWorld,
  auditedHome,
  exampleWorld,
} from '../../pipelines/simulation/audit-world.ts'
import { zeroNoise } from '../helpers/release-fixtures.ts'
import { inFull } from './effort.ts'
import { squareOf } from './end-to-end/moves.ts'

const claimed = rational.mul(rational.integer(2), rational.parse(auditPolicy().rhoPerDay))
const base = exampleWorld({ present: false, phases: 'both' })

/** Readings of one local day, of lengths that windows may have, received in time, late, or too late; some of them twice. */
const day: fc.Arbitrary<readonly AuditReading[]> = fc
  .record({
    durationSeconds: fc.constantFrom(900, 1_800, 3_600),
    readings: fc.array(
      fc.record({
        slot: fc.integer({ min: 0, max: 95 }),
        channel: fc.constantFrom('import' as const, 'export' as const),
        wh: fc.oneof(fc.integer({ min: 0, max: 2_000 }), fc.integer({ min: 0, max: 100_000 })),
        delayMinutes: fc.oneof(fc.constantFrom(0, 19, 20, 21), fc.integer({ min: 0, max: 1_700 })),
        copies: fc.integer({ min: 1, max: 3 }),
      }),
      { minLength: 1, maxLength: 40 },
    ),
  })
  .map(({ durationSeconds, readings }) =>
    readings.flatMap(({ slot, channel, wh, delayMinutes, copies }) => {
      const start = base.from + Math.floor((slot * 900) / durationSeconds) * durationSeconds * 1_000
      const end = start + durationSeconds * 1_000
      const receivedAt = Math.min(base.until, end + delayMinutes * 60_000)
      return Array.from({ length: copies }, () => ({
        home: auditedHome,
        channel,
        start,
        durationSeconds,
        wh,
        receivedAt,
      }))
    }),
  )

const withDay = (readings: readonly AuditReading[], fuseWhPerHour: number): AuditWorld => ({
  ...base,
  homes: base.homes.map((home) => (home.home === auditedHome ? { ...home, fuseWhPerHour } : home)),
  readings: [...base.readings, ...readings].sort((a, b) => a.receivedAt - b.receivedAt),
})

const rules = ['fuse', 'fuse, at most half of what is left']

async function exact(world: AuditWorld, capRule: string) {
  const policy = { ...auditPolicy(), capRule }
  return (await (await openAuditStage({ world, policy, parts: { noise: zeroNoise } })).run()).seen
}

test('no household-day moves a release by more than its bound, or anything else of it at all', async () => {
  await fc.assert(
    fc.asyncProperty(
      day,
      fc.constantFrom(3_600, 14_000, 200_000),
      fc.constantFrom(...rules),
      async (readings, fuse, rule) => {
        const [there, not] = [await exact(withDay(readings, fuse), rule), await exact(withDay([], fuse), rule)]
        assert.ok(rational.compare(squareOf(there, not), claimed) <= 0)
        const rest = (seen: typeof there) => seen.map(({ record, key, t }) => [undrawnFields(record), key, t])
        assert.deepEqual(rest(there), rest(not))
      },
    ),
    { numRuns: inFull ? 300 : 15 },
  )
})
