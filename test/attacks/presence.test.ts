// The attack: look at everything but the values. Two worlds, with and without one home's day, are run under the same noise, so
// that nothing may differ but the values themselves, and those by what the home adds under its clip.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { NoiseSource } from '../../operators/privacy/release/noise.ts'
import type { AuditParts } from '../../pipelines/simulation/audit-pipelines.ts'
import { type AuditRun, releaseName, type SeenRecord } from '../../pipelines/simulation/audit-stage.ts'
import { drawnValues, undrawnFields } from '../../pipelines/simulation/audit-values.ts'
import type { ExampleOptions } from '../../pipelines/simulation/audit-world.ts'
import { zeroNoise } from '../helpers/release-fixtures.ts'
import { planted } from './end-to-end/planted.ts'
import { bothWorlds, once, sameNoise } from './end-to-end/same-noise.ts'

/** Bytes that Avro takes for a whole number; doubles are of one size. */
function lengthOf(value: number | null): number {
  if (value === null) return 0
  let rest = BigInt(value) < 0n ? -BigInt(value) * 2n - 1n : BigInt(value) * 2n
  let length = 1
  for (; rest > 0x7fn; rest >>= 7n) length += 1
  return length
}

/** All that is seen of a record but its values, and what follows from them: the room they take, the hash of the link. */
function rest({ record, key, bytes, t, attempt }: SeenRecord) {
  const values = drawnValues(record)
  const room = values.reduce((sum, [name, value]) => sum + (/^raw|Half/.test(name) ? lengthOf(value) : 0), 0)
  const shown = values.map(([, value]) => value !== null)
  const { ledgerSeq, ledgerHash } = record
  const size = bytes.length - room
  return {
    about: releaseName(record),
    ...undrawnFields(record),
    key,
    t,
    attempt,
    shown,
    size,
    ledgerSeq,
    hash: ledgerHash.length,
  }
}

type Worlds = Awaited<ReturnType<typeof bothWorlds>>
const restsOf = ({ with: one, without: other }: Worlds) => [one.seen.map(rest), other.seen.map(rest)] as const

for (const world of [
  { phases: 'both', feeders: 1 },
  { phases: 'both', feeders: 2 },
  { phases: 'preliminary', feeders: 2, copies: 3 },
] as const satisfies readonly Omit<ExampleOptions, 'present'>[]) {
  describe(`one home, there or not: ${JSON.stringify(world)}`, () => {
    it('changes no record, key, flag, count, size, timestamp or order of the public topic', async () => {
      const [one, other] = restsOf(await bothWorlds(world))
      assert.ok(one.length >= 96)
      assert.deepEqual(one, other)
    })

    it('changes values by what its clip lets through, and by nothing else', async () => {
      const noisy = await bothWorlds(world)
      const exact = await bothWorlds(world, () => ({ noise: zeroNoise }))
      const added = ({ with: one, without: other }: Worlds) =>
        one.seen.map(({ record }, i) => [releaseName(record), record.rawWh! - other.seen[i]!.record.rawWh!])
      assert.deepEqual(added(noisy), added(exact))
      assert.ok(added(exact).some(([, wh]) => wh !== 0))
    })
  })
}

describe('the public topic', () => {
  it('is a function of the noisy values alone: worlds in which they come out the same cannot be told apart', async () => {
    const world = { phases: 'both', feeders: 2 } as const
    const exact = await bothWorlds(world, () => ({ noise: zeroNoise }))
    // What the household-day adds to each draw, in the order of the draws: that of the log.
    const preliminary = new Map<string, number>()
    const adds = exact.with.seen.map(({ record }, i) => {
      const wh = record.rawWh! - exact.without.seen[i]!.record.rawWh!
      const name = `${record.level}/${record.group}/${record.channel}/${record.window}`
      const before = preliminary.get(name) ?? 0
      preliminary.set(name, wh)
      return record.phase === 'final' ? wh - before : wh
    })
    const there = await once({ world: { ...world, present: true }, parts: { noise: sameNoise() } })
    const noise = sameNoise()
    let draw = 0
    const shifted: NoiseSource = { gaussian: (sigma2) => noise.gaussian(sigma2) + BigInt(adds[draw++]!) }
    const not = await once({ world: { ...world, present: false }, parts: { noise: shifted } })
    assert.equal(draw, adds.length)
    assert.ok(adds.filter((wh) => wh !== 0).length > 40)
    // The hash of a link also covers the keyed digest of the sealed sums, which says nothing without the key.
    const withoutHash = ({ seen }: AuditRun) =>
      seen.map(({ bytes, key, t }) => [Buffer.from(bytes).subarray(0, -32).toString('hex'), key, t])
    assert.deepEqual(withoutHash(there), withoutHash(not))
  })
})

describe('one home, there or not, in a planted release', () => {
  for (const name of ['empty groups that are left out', 'a minimum count held against', 'an exact count in a flag']) {
    it(`shows at once: ${name}`, async () => {
      const bug = planted.find((each) => each.bug.startsWith(name))!
      const parts = (): AuditParts => {
        const { noise: _, ...others } = bug.make({ noise: zeroNoise, quiet: true }).parts
        return others
      }
      const [one, other] = restsOf(await bothWorlds(bug.world, parts))
      assert.notDeepEqual(one, other)
    })
  }
})
