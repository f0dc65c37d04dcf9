import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { memoryLog } from '../../../connectors/memory/index.ts'
import { compareRegister, readRegisterRows } from '../../../connectors/register/index.ts'
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
