import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { before, describe, test } from 'node:test'
import { createFleet } from '../../bench/fleet/index.ts'
import { minutes } from '../../operators/contract/clock.ts'
import { openWorld, type World } from '../../pipelines/simulation/world.ts'
import type { HouseholdReading } from '../../schemas/household-reading.ts'
import type { RegisterEntry } from '../../schemas/register-entry.ts'
import { topics } from '../../schemas/topics.ts'
import { runThrough } from '../helpers/fleet-world.ts'

const start = Date.UTC(2026, 0, 12)
const fleet = createFleet({
  seed: 3,
  homes: 30,
  start,
  partitions: 2,
  profileNames: { described: 'interval-30min', objects: 'interval-30min' },
})
let world: World

before(async () => {
  const { entries, register, keyring } = fleet
  const { zone, timeZone } = entries[0]!
  world = await openWorld({ entries, register, keyring, zone, timeZone, partitions: 2, start })
  await runThrough(world, fleet, start + minutes(30.5 * 60))
})

describe('guessing a pseudonym', () => {
  /** What someone without the key can compute of an identifier that they can enumerate. */
  const guesses = (identifier: string, date: string): Buffer[] => {
    const texts = [
      identifier,
      `${identifier}${date}`,
      `${date}${identifier}`,
      `${identifier}/${date}`,
      `${identifier}|${date}`,
    ]
    const hashed = ['sha256', 'sha512', 'sha1', 'md5'].flatMap((name) =>
      texts.map((text) => createHash(name).update(text).digest()),
    )
    const keyed = ['', date, 'pseudonym', 'meterveil'].flatMap((key) =>
      texts.map((text) => createHmac('sha256', key).update(text).digest()),
    )
    return [...hashed, ...keyed].map((digest) => digest.subarray(0, 16))
  }

  /** How many records an attacker names who knows every identifier there is, but no key. */
  function named(records: readonly HouseholdReading[], entries: readonly RegisterEntry[]): number {
    const dates = new Set(records.map(({ date }) => date))
    const known = new Set<string>()
    for (const date of dates) {
      for (const { connection, point, systemTitle } of entries) {
        for (const identifier of [connection, point, systemTitle])
          for (const guess of guesses(identifier, date)) known.add(guess.toString('hex'))
      }
    }
    return records.filter(({ pseudonym }) => known.has(Buffer.from(pseudonym).toString('hex'))).length
  }

  test('names no record, although every connection, point and title can be enumerated', async () => {
    const records = await world.read(topics.householdReadings)
    assert.ok(records.length > 1_000)
    assert.equal(named(records, fleet.entries), 0)
  })

  test('names every record of a planted pseudonym that is a plain hash', async () => {
    const [record] = await world.read(topics.householdReadings)
    const planted = fleet.entries.map(({ connection }) => ({
      ...record!,
      pseudonym: createHash('sha256').update(connection).digest().subarray(0, 16),
    }))
    assert.equal(named(planted, fleet.entries), planted.length)
  })
})

describe('what names a household', () => {
  const clear = new Set<string>([topics.meterFrames.name, topics.meterRegister.name, topics.meterAccepted.name])

  /** The identifiers of a household in the forms in which they might slip out. */
  const canaries = fleet.entries.flatMap(({ connection, point, systemTitle, keyRef }) => {
    const title = Buffer.from(systemTitle, 'hex')
    const texts = [connection, point, systemTitle.toLowerCase(), systemTitle.toUpperCase(), keyRef]
    const bytes = texts.flatMap((text) => [
      Buffer.from(text),
      Buffer.from(text, 'utf16le'),
      Buffer.from(Buffer.from(text).toString('base64')),
    ])
    return [...bytes, title, Buffer.from(title.toString('base64'))].filter((one) => one.length >= 8)
  })

  function leaks(bytes: Uint8Array): boolean {
    const haystack = Buffer.from(bytes)
    return canaries.some((canary) => haystack.includes(canary))
  }

  for (const topic of Object.values(topics).filter(({ name }) => !clear.has(name))) {
    test(`is not in ${topic.name}, not in an aborted record, a key or a header either`, async () => {
      for (const { key, value, headers } of await world.records(topic, 'read_uncommitted')) {
        assert.ok(!leaks(value ?? new Uint8Array()) && !leaks(key ?? new Uint8Array()))
        assert.ok(!leaks(Buffer.from(JSON.stringify(headers))))
      }
    })
  }

  test('is found where it is: the scan finds identifiers in the frames', async () => {
    const records = await world.records(topics.meterFrames, 'read_committed')
    assert.ok(records.every(({ value }) => leaks(value!)))
  })
})
