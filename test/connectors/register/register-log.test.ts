import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { memoryLog } from '../../../connectors/memory/index.ts'
import { checkReload } from '../../../connectors/register/check-households.ts'
import { registerView } from '../../../connectors/register/index.ts'
import { compareRegister, readRegisterRows } from '../../../connectors/register/register-log.ts'
import { type RegisterEntry, registerEntryCodec } from '../../../schemas/register-entry.ts'
import { topics } from '../../../schemas/topics.ts'

const entry = (index: number, other: Partial<RegisterEntry> = {}): RegisterEntry => ({
  point: `point-${index}`,
  connection: `connection-${index}`,
  systemTitle: `4D5654000000000${index}`,
  validFrom: 0,
  validTo: null,
  direction: 'import',
  partition: 0,
  index,
  groups: { utility: 'u', region: 'r', substation: 's', feeder: 'f' },
  customerClass: 'residential',
  area: 'a',
  tariff: 't',
  heating: 'h',
  dwelling: 'd',
  timeZone: 'Europe/Berlin',
  zone: 'main',
  profile: 'p',
  protection: 'authenticated-encrypted',
  keyRef: 'k',
  fuseWhPerHour: 13_800,
  pointsAtConnection: 1,
  ...other,
})
const keyOf = (one: RegisterEntry) => topics.meterRegister.key(one) ?? ''
const rows = (...entries: readonly RegisterEntry[]) => new Map(entries.map((one) => [keyOf(one), one]))
const topic = { name: 'meter.register', decode: registerEntryCodec.decode }

async function logOf(
  records: readonly { readonly key: string | null; readonly entry?: RegisterEntry }[],
  cleanup: 'compact' | 'delete' = 'compact',
) {
  const log = memoryLog()
  await log.createTopics([{ name: topic.name, partitions: 1, timestamps: 'append', cleanup, retentionMs: null }])
  await log.append(
    records.map(({ key, entry: value }) => ({
      topic: topic.name,
      partition: 0,
      key: key === null ? null : Buffer.from(key),
      value: value ? registerEntryCodec.encode(value) : null,
    })),
  )
  return log
}

describe('the register in a topic', () => {
  test('is the newest row of each key, without those that were taken out', async () => {
    const [first, second] = [entry(0), entry(1)]
    const changed = entry(0, { tariff: 'night' })
    const log = await logOf([
      { key: keyOf(first), entry: first },
      { key: keyOf(second), entry: second },
      { key: keyOf(first), entry: changed },
      { key: keyOf(second) },
    ])
    assert.deepEqual(await readRegisterRows(log, topic), rows(changed))
  })

  test('is empty in an empty topic', async () => {
    assert.deepEqual(await readRegisterRows(await logOf([]), topic), new Map())
  })

  test('is read whole, however little a poll brings', async () => {
    const many = Array.from({ length: 25 }, (_, index) => entry(index, { systemTitle: `T${index}` }))
    const log = await logOf(many.map((one) => ({ key: keyOf(one), entry: one })))
    let empty = 0
    const slow: typeof log = {
      ...log,
      read: async (...place) => {
        const reader = await log.read(...place)
        let turn = 0
        let next = place[2]
        return {
          ...reader,
          poll: async (options) => {
            turn += 1
            if (turn % 2 === 1) {
              empty += 1
              return { records: [], next }
            }
            const fetched = await reader.poll({ ...options, maxRecords: 2 })
            next = fetched.next
            return fetched
          },
        }
      },
    }
    assert.deepEqual(await readRegisterRows(slow, topic), rows(...many))
    assert.ok(empty > 5)
  })

  test('holds no record without a key', async () => {
    const log = await logOf([{ key: null, entry: entry(0) }], 'delete')
    await assert.rejects(readRegisterRows(log, topic), { code: 'corrupt' })
  })
})

describe('a new register beside the one that is there', () => {
  const present = rows(entry(0), entry(1))

  test('adds, changes, ends, keeps and lacks rows', () => {
    const ended = entry(1, { validTo: 5 })
    const next = [ended, entry(1, { validFrom: 5, systemTitle: 'NEW' }), entry(2)]
    const changes = compareRegister(present, next, keyOf)
    assert.deepEqual(changes, {
      added: [next[1], next[2]],
      changed: [ended],
      ended: 1,
      unchanged: 0,
      removed: [[keyOf(entry(0)), entry(0)]],
    })
  })

  test('that is the same changes nothing', () => {
    const changes = compareRegister(present, [entry(0), entry(1)], keyOf)
    assert.deepEqual(changes, { added: [], changed: [], ended: 0, unchanged: 2, removed: [] })
  })

  const refused: readonly (readonly [string, readonly RegisterEntry[], RegExp])[] = [
    [
      'gives a place to another point',
      [entry(1), entry(0, { point: 'point-9', validFrom: 7 })],
      /^row 2 of the register has the partition and index of another measuring point in the topic: assign a new index$/,
    ],
    [
      'moves a point to a new place',
      [entry(0, { index: 5 })],
      /^row 1 of the register has another partition or index than its measuring point has in the topic: keep that$/,
    ],
  ]
  for (const [says, next, message] of refused) {
    test(`that ${says} is refused by row`, () => {
      assert.throws(() => compareRegister(present, next, keyOf), { name: 'RegisterError', message })
    })
  }
})

describe('a register that is loaded within a day', () => {
  const midnight = Date.parse('2026-01-14T23:00Z')
  const hours = (count: number) => midnight + count * 3_600_000
  const noon = hours(12)
  const old = entry(0)
  const another = (validFrom: number) => entry(1, { connection: old.connection, systemTitle: 'NEW', validFrom })
  const cases: readonly {
    readonly name: string
    readonly present?: readonly RegisterEntry[]
    readonly next: readonly RegisterEntry[]
    readonly cutOffHour?: number
    readonly says?: RegExp
  }[] = [
    {
      name: 'another number of points in place',
      next: [entry(0, { pointsAtConnection: 2 })],
      says: /^row 1 of the register changes the number of points of an entry in place, though values of 2026-01-15 count by the entry as it was: leave it so, end it at a local midnight to come, and begin another entry at 06:00 local time of the day after 2026-01-15 or later$/,
    },
    {
      name: 'an end in the past, and another point since',
      next: [entry(0, { validTo: midnight }), another(hours(6))],
      says: /^row 2 of the register puts another measuring point at a connection, though values of 2026-01-15 count by the entry that is there: begin it at 06:00 local time of the day after 2026-01-15 or later$/,
    },
    {
      name: 'an end in the past, and another point before today is closed',
      next: [entry(0, { validTo: midnight }), another(hours(30) - 1)],
      says: /row 2 of the register puts another measuring point/,
    },
    {
      name: 'an end in the past, and another point as soon as today is closed',
      next: [entry(0, { validTo: midnight }), another(hours(30))],
    },
    {
      name: 'an end in the past, and another point as soon as a policy with a later hour lets it',
      next: [entry(0, { validTo: midnight }), another(hours(30))],
      cutOffHour: 7,
      says: /at 07:00 local time of the day after 2026-01-15/,
    },
    {
      name: 'another connection in place, and another point at the one before',
      next: [entry(0, { connection: 'elsewhere' }), another(hours(1))],
      says: /row 2 of the register puts another measuring point/,
    },
    {
      name: 'an end in the past, and another meter of the same point since',
      next: [entry(0, { validTo: midnight }), entry(0, { systemTitle: 'NEW', validFrom: midnight })],
    },
    {
      name: 'an end now, and more points from the day after',
      next: [
        entry(0, { validTo: hours(24) }),
        entry(0, { systemTitle: 'NEW', validFrom: hours(30), pointsAtConnection: 2 }),
      ],
    },
    {
      name: 'an end that was told before, and another point since',
      present: [entry(0, { validTo: midnight })],
      next: [entry(0, { validTo: midnight }), another(hours(6))],
    },
    {
      name: 'an end that was told before, moved within its day, and another point since',
      present: [entry(0, { validTo: midnight })],
      next: [entry(0, { validTo: midnight - 3_600_000 }), another(hours(6))],
    },
    {
      name: 'more points in place of an entry that begins and ends beyond all calendars',
      present: [entry(0, { validFrom: -9e15, validTo: 9e15 })],
      next: [entry(0, { validFrom: -9e15, validTo: 9e15, pointsAtConnection: 2 })],
      says: /^row 1 of the register changes the number of points of an entry in place/,
    },
    { name: 'another tariff in place', next: [entry(0, { tariff: 'night' })] },
    {
      name: 'more points in place before the entry has begun',
      present: [entry(0, { validFrom: hours(13) })],
      next: [entry(0, { validFrom: hours(13), pointsAtConnection: 2 })],
    },
    {
      name: 'what was to come taken back, and another point after the one before it',
      present: [entry(0, { validTo: hours(24) }), another(hours(30))],
      next: [entry(0), entry(1, { systemTitle: 'NEW', validFrom: hours(30) })],
    },
  ]
  for (const { name, present = [old], next, cutOffHour = 6, says } of cases) {
    test(`${says ? 'refuses' : 'takes'} ${name}`, () => {
      for (const order of [next, next.toReversed()]) {
        const check = () => checkReload(rows(...present), order, keyOf, { now: noon, cutOffHour })
        registerView(next, { cutOffHour })
        if (!says) check()
        else if (order === next) assert.throws(check, { name: 'RegisterError', message: says })
        else assert.throws(check, { name: 'RegisterError' })
      }
    })
  }
})
