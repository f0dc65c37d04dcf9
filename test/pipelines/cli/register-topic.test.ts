import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { createFleet } from '../../../bench/fleet/index.ts'
import { memoryLog, memorySchemaRegistry } from '../../../connectors/memory/index.ts'
import { days } from '../../../operators/contract/clock.ts'
import { type LoadOptions, loadRegister, readRegisterTopic } from '../../../pipelines/cli/register-topic.ts'
import type { RegisterEntry } from '../../../schemas/register-entry.ts'
import { topicSpecs } from '../../../schemas/topics.ts'

const now = Date.UTC(2026, 5, 1)
const { entries } = createFleet({
  seed: 3,
  homes: 4,
  start: Date.UTC(2026, 0, 1),
  timeZone: 'UTC',
  partitions: 2,
  profileNames: { described: 'interval-30min', objects: 'interval-30min' },
})
const [first, ...others] = entries as readonly [RegisterEntry, ...RegisterEntry[]]
const options: LoadOptions = { horizonDays: 14, remove: false, dryRun: false, now }

async function topic(t: TestContext) {
  const log = memoryLog()
  t.after(() => log.close())
  await log.createTopics(topicSpecs(2))
  const registry = memorySchemaRegistry()
  const load = (next: readonly RegisterEntry[], other: Partial<LoadOptions> = {}) =>
    loadRegister(log, registry, next, { ...options, ...other })
  return { log, load, read: async () => await readRegisterTopic(log, registry) }
}
const byPlace = (list: readonly RegisterEntry[]) =>
  list.toSorted((a, b) => a.partition - b.partition || a.index - b.index || a.validFrom - b.validFrom)

describe('loading the register', () => {
  test('makes the topic hold the file, and a second time writes nothing', async (t) => {
    const { log, load, read } = await topic(t)
    assert.equal((await load(entries)).added.length, entries.length)
    assert.deepEqual(byPlace(await read()), byPlace(entries))
    const { end } = await log.bounds('meter.register', 0, 'read_uncommitted')
    assert.equal((await load(entries)).unchanged, entries.length)
    assert.equal((await log.bounds('meter.register', 0, 'read_uncommitted')).end, end)
  })

  test('a dry run tells the same and writes nothing', async (t) => {
    const { load, read } = await topic(t)
    assert.equal((await load(entries, { dryRun: true })).added.length, entries.length)
    assert.deepEqual(await read(), [])
  })

  test('entries vanish only when asked for, and only once no sum that they were in can be read', async (t) => {
    const { load, read } = await topic(t)
    const endedAt = now - days(409)
    await load([{ ...first, validTo: endedAt + 1 }, ...others])
    await assert.rejects(load(others), /^CliError: The file lacks 1 of the entries that the topic holds\.$/)
    await assert.rejects(load(others, { remove: true }), /1 of the entries to remove ended less than 409 days ago/)
    assert.equal((await read()).length, entries.length)
    await load([{ ...first, validTo: endedAt }, ...others])
    assert.equal((await load(others, { remove: true })).removed.length, 1)
    assert.deepEqual(byPlace(await read()), byPlace(others))
  })

  test('an exchanged meter stays known, however long ago: its point would seem to have joined', async (t) => {
    const { load } = await topic(t)
    const at = now - days(500)
    const after = { ...first, systemTitle: 'FFFFFFFFFFFFFFFF', validFrom: at }
    await load([{ ...first, validTo: at }, after, ...others])
    await assert.rejects(
      load([after, ...others], { remove: true }),
      /^CliError: 1 of the entries to remove are of measuring/,
    )
  })

  test('a register that contradicts itself is refused before anything is written', async (t) => {
    const { load, read } = await topic(t)
    await assert.rejects(load([first, first, ...others]), { name: 'RegisterError' })
    assert.deepEqual(await read(), [])
  })

  test('a load that another overtook writes nothing', async (t) => {
    const { log, load, read } = await topic(t)
    const slow: typeof log = {
      ...log,
      open: async (...args) => {
        const transactor = await log.open(...args)
        await load(others)
        return transactor
      },
    }
    await assert.rejects(loadRegister(slow, memorySchemaRegistry(), entries, options), { code: 'fenced' })
    assert.deepEqual(byPlace(await read()), byPlace(others))
  })

  const midnight = Date.UTC(2026, 5, 1)
  const hours = (count: number) => midnight + count * 3_600_000
  const another = (validFrom: number) => ({ ...first, point: 'new', index: 9, systemTitle: 'AB', validFrom })
  const within: readonly {
    readonly says: string
    readonly next: readonly RegisterEntry[]
    readonly cutOffHour?: number
    readonly message: RegExp
  }[] = [
    {
      says: 'more points of a connection in place',
      next: [{ ...first, pointsAtConnection: 2 }, ...others],
      message:
        /^row 1 of the register changes the number of points of an entry in place, though values of 2026-06-01 count/,
    },
    {
      says: 'an end the evening before that is told today, and another point since 06:00',
      next: [{ ...first, validTo: midnight }, ...others, another(hours(6))],
      message: /^row 5 of the register puts another measuring point at a connection, though values of 2026-06-01 count/,
    },
    {
      says: 'another point at 06:00 where the policy closes days at noon',
      next: [{ ...first, validTo: hours(24) }, ...others, another(hours(30))],
      cutOffHour: 12,
      message: /^row 5 of the register puts another measuring point .* begin this one at 12:00 local time/,
    },
  ]
  for (const { says, next, cutOffHour, message } of within) {
    test(`a household-day cannot count twice by ${says}: nothing is written`, async (t) => {
      const { load, read } = await topic(t)
      await load(entries)
      const loading = { now: hours(18), ...(cutOffHour === undefined ? {} : { cutOffHour }) }
      for (const dryRun of [true, false]) {
        await assert.rejects(load(next, { ...loading, dryRun }), { name: 'RegisterError', message })
      }
      assert.deepEqual(byPlace(await read()), byPlace(entries))
    })
  }

  test('the same change from the local day after is taken', async (t) => {
    const { load } = await topic(t)
    await load(entries)
    const changes = await load([{ ...first, validTo: hours(24) }, ...others, another(hours(30))], { now: hours(18) })
    assert.deepEqual([changes.added.length, changes.changed.length, changes.ended], [1, 1, 1])
  })
})
