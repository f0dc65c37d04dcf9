import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createFleet } from '../../bench/fleet/index.ts'
import { memoryKeyring } from '../../connectors/keyring/index.ts'
import { memorySchemaRegistry } from '../../connectors/memory/index.ts'
import { registerView } from '../../connectors/register/index.ts'
import { minutes } from '../../operators/contract/clock.ts'
import { defaultPolicy } from '../../operators/privacy/release/policy.ts'
import { allPipelines } from '../../pipelines/index.ts'
import { openWorld } from '../../pipelines/simulation/world.ts'
import type { RegisterEntry } from '../../schemas/register-entry.ts'
import { topics } from '../../schemas/topics.ts'
import { runThrough } from '../helpers/fleet-world.ts'
import { household } from '../operators/privacy/k-anonymize/registers.ts'

const start = Date.UTC(2026, 0, 12)
const alike = { area: 'county-town-1', tariff: 'flat', heating: 'gas', dwelling: 'flat' }

/** What travels with the readings of 19 households that are alike, where the register holds a 20th. */
async function toldBeside(twentieth: Partial<RegisterEntry>): Promise<ReadonlySet<string>> {
  const {
    entries: made,
    keyring,
    ...fleet
  } = createFleet({
    seed: 5,
    homes: 20,
    start,
    partitions: 1,
    profileNames: { described: 'interval-30min', objects: 'interval-30min' },
  })
  const entries = made.map((entry, i) => ({ ...entry, ...alike, ...(i === 19 ? twentieth : {}) }))
  const { zone, timeZone } = entries[0]!
  const register = registerView(entries)
  const world = await openWorld({ entries, register, keyring, zone, timeZone, partitions: 1, start })
  await runThrough(world, fleet, start + minutes(25 * 60))
  return new Set((await world.read(topics.householdReadings)).map(({ tariff }) => tariff))
}

describe('the attributes that [readings] passes on', () => {
  for (const { says, twentieth, told } of [
    { says: 'are told where twenty households are there', twentieth: {}, told: ['flat'] },
    {
      says: 'are not told where one of twenty left before',
      twentieth: { validTo: Date.UTC(2025, 10, 1) },
      told: ['*'],
    },
    { says: 'are not told where one of twenty is yet to come', twentieth: { validFrom: start * 2 }, told: ['*'] },
  ]) {
    it(says, async () => assert.deepEqual([...(await toldBeside(twentieth))], told))
  }
})

/** The bytes that a few hours of six homes leave, the last of which has these rows in the register; none, if undefined. */
async function leftBeside(last: Partial<RegisterEntry> | undefined) {
  const fleet = createFleet({
    seed: 5,
    homes: 6,
    start,
    partitions: 1,
    profileNames: { described: 'interval-30min', objects: 'interval-30min' },
  })
  const { connection } = fleet.entries.at(-1)!
  const entries = fleet.entries.flatMap((entry) => {
    if (entry.connection !== connection) return [entry]
    return last ? [{ ...entry, ...last }] : []
  })
  const { zone, timeZone } = entries[0]!
  const world = await openWorld({
    entries,
    register: registerView(entries),
    keyring: fleet.keyring,
    zone,
    timeZone,
    partitions: 1,
    start,
    noise: { gaussian: () => 0n },
  })
  await runThrough(world, fleet, start + minutes(4 * 60))
  const bytesOf = async (topic: { readonly name: string }): Promise<readonly string[]> =>
    (await world.records(topic, 'read_committed')).map(({ value }) => Buffer.from(value ?? []).toString('hex'))
  return {
    zones: new Set((await world.read(topics.householdReadings)).map((reading) => reading.zone)),
    cells: (await world.read(topics.loadPartials)).flatMap((partial) => partial.cells).length,
    released: { sums: await bytesOf(topics.loadPartials), public: await bytesOf(topics.loadPublic) },
    restricted: await bytesOf(topics.loadRestricted),
    seals: (await world.read(topics.releaseLedger)).filter(({ kind }) => kind === 'seal').length,
    ledger: await bytesOf(topics.releaseLedger),
  }
}

describe('a home of another residency zone', () => {
  const groups = { utility: 'south', region: 'south-1', substation: 'south-1', feeder: 'south-1' }
  for (const { says, other } of [
    { says: 'on the same clock', other: { zone: 'south', groups } },
    { says: 'on another local date', other: { zone: 'south', groups, timeZone: 'America/Los_Angeles' } },
  ]) {
    it(`${says} stands in household.readings, and changes nothing that is summed, sealed or published`, async () => {
      const [without, beside] = [await leftBeside(undefined), await leftBeside(other)]
      assert.deepEqual([...without.zones, ...beside.zones], ['zone-1', 'south', 'zone-1'])
      assert.ok(without.cells > 0 && without.seals > 0 && without.released.public.length > 0)
      assert.deepEqual(beside.released, without.released)
      assert.deepEqual(beside.ledger, without.ledger)
      assert.deepEqual(beside.restricted, without.restricted)
    })
  }
})

describe('a register that is seen by another hour than that of the policy', () => {
  it('is held against the hour of the policy', async () => {
    const midnight = Date.UTC(2026, 0, 15)
    const rest = { timeZone: 'UTC', fuseWhPerHour: 10_000 }
    const entries = [
      { ...household('home', rest), point: 'one', index: 1, systemTitle: '1', validTo: midnight },
      { ...household('home', rest), point: 'two', index: 2, systemTitle: '2', validFrom: midnight + minutes(6 * 60) },
    ]
    const { zone, timeZone } = entries[0]!
    const build = (cutOffHour: number) =>
      allPipelines({
        entries,
        register: registerView(entries),
        keyring: memoryKeyring({}),
        registry: memorySchemaRegistry(),
        domain: { name: zone, zone, timeZone, partitions: 1 },
        policy: { ...defaultPolicy, cutOffHour },
      })
    assert.equal((await build(6)).length, 4)
    await assert.rejects(build(12), { name: 'RegisterError', row: 2, message: /begin this one at 12:00 local time/ })
  })
})
