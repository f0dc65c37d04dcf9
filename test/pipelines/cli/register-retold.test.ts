import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { memoryLog, memorySchemaRegistry } from '../../../connectors/memory/index.ts'
import { compareRegister } from '../../../connectors/register/register-log.ts'
import { mayRetell, retoldHomes } from '../../../pipelines/cli/register-retold.ts'
import { type LoadOptions, loadRegister, readRegisterTopic } from '../../../pipelines/cli/register-topic.ts'
import type { RegisterEntry } from '../../../schemas/register-entry.ts'
import { topicSpecs, topics } from '../../../schemas/topics.ts'
import { household } from '../../operators/privacy/k-anonymize/registers.ts'

const now = Date.parse('2026-01-20T12:00+01:00')
const telling = { rules: {}, timeZone: 'Europe/Berlin', since: '2025-12' }
const options: LoadOptions = { horizonDays: 14, remove: false, dryRun: false, now, telling }
const home = (index: number, rest: Partial<RegisterEntry> = {}): RegisterEntry => ({
  ...household(`home ${index}`, rest),
  index,
  systemTitle: `${index}-${rest.validFrom ?? 0}`,
  keyRef: 'k',
})
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)
/** 30 homes of one price, and 40 of two. */
const flat = range(0, 30).map((index) => home(index))
const night = range(30, 70).map((index) => home(index, { tariff: 'night' }))
const there = [...flat, ...night]

async function loaded(t: TestContext, entries: readonly RegisterEntry[]) {
  const log = memoryLog()
  t.after(() => log.close())
  await log.createTopics(topicSpecs(1))
  const registry = memorySchemaRegistry()
  await loadRegister(log, registry, entries, { ...options, now: Date.parse('2025-11-01') })
  return {
    load: (next: readonly RegisterEntry[], other: Partial<LoadOptions> = {}) =>
      loadRegister(log, registry, next, { ...options, ...other }),
    read: async () => new Set(await readRegisterTopic(log, registry)),
  }
}

/** The first `count` homes, changed by `change`, and all others. */
const changing = (count: number, change: (entry: RegisterEntry) => readonly RegisterEntry[]) => [
  ...there.slice(0, count).flatMap(change),
  ...there.slice(count),
]
const fromNow = (entry: RegisterEntry) => [
  { ...entry, validTo: now },
  { ...entry, validFrom: now, tariff: 'night', systemTitle: `${entry.systemTitle} new` },
]
const inPlace = (entry: RegisterEntry) => [{ ...entry, tariff: 'night' }]

const cases: readonly {
  readonly says: string
  readonly next: readonly RegisterEntry[]
  readonly retold: number
  readonly other?: Partial<LoadOptions>
}[] = [
  { says: 'the same register', next: there, retold: 0 },
  { says: 'one tariff in place', next: changing(1, inPlace), retold: 1 },
  { says: 'so many in place that those who are left are too few', next: changing(11, inPlace), retold: 70 },
  { says: 'as many from now on', next: changing(11, fromNow), retold: 0 },
  {
    says: 'so many taken out before the month began that those who are left are too few',
    next: changing(11, (entry) => [{ ...entry, validTo: Date.parse('2025-12-31T12:00Z') }]),
    retold: 59,
  },
  {
    says: 'as many taken out since',
    next: changing(11, (entry) => [{ ...entry, validTo: Date.parse('2026-01-01T12:00Z') }]),
    retold: 0,
  },
  { says: 'homes that are added from now on', next: [...there, home(70, { validFrom: now })], retold: 0 },
  {
    says: 'homes that are added as if they had been there',
    next: [...there, ...range(70, 90).map((index) => home(index, { validFrom: 1, tariff: 'dynamic' }))],
    retold: 0,
  },
  {
    says: 'homes that are added to another month as if they had been there, where their being few matters',
    next: [...there, ...range(70, 79).map((index) => home(index, { validFrom: 1, tariff: 'dynamic' }))],
    retold: 70,
  },
  {
    says: 'a change in place before attributes are told',
    next: changing(11, inPlace),
    other: { telling: { ...telling, since: '2026-02' } },
    retold: 0,
  },
  {
    says: 'a change in place where attributes are not told',
    next: changing(11, inPlace),
    other: { telling: undefined },
    retold: 0,
  },
  {
    says: 'a change in place under a rule by which nothing is told',
    next: changing(11, inPlace),
    other: { telling: { ...telling, rules: { k: 100 } } },
    retold: 0,
  },
]

describe('homes that a load lets be told anew in months that have begun', () => {
  for (const { says, next, retold, other } of cases) {
    test(`${says}: ${retold}`, async (t) => {
      const { load, read } = await loaded(t, there)
      const before = await read()
      assert.equal((await load(next, { ...other, dryRun: true })).retold, retold)
      assert.deepEqual(await read(), before)
      if (retold === 0) assert.equal((await load(next, other)).retold, 0)
      else {
        await assert.rejects(load(next, other), {
          name: 'CliError',
          message: `${retold} home${retold === 1 ? '' : 's'} would be told anew in months that have begun.`,
          action: 'Date the change from now on (end the entry, and add one), or add --retell.',
          exitCode: 2,
        })
        assert.deepEqual(await read(), before)
        assert.equal((await load(next, { ...other, retell: true })).retold, retold)
      }
      assert.deepEqual(await read(), new Set(next))
    })
  }

  const [came, later] = ['2026-01-15', '2026-01-25'].map((date) => Date.parse(`${date}T00:00+01:00`))
  const ended = Date.parse('2025-12-20T00:00+01:00')
  const moved = (tariff: string, zone: string) => [
    { ...night[0]!, validTo: came! },
    { ...night[0]!, validFrom: came!, zone, tariff, systemTitle: 'moved' },
  ]
  const othersIn = (zone: string) => range(70, 100).map((index) => home(index, { zone }))
  const changes: readonly {
    readonly says: string
    readonly before: readonly RegisterEntry[]
    readonly after: readonly RegisterEntry[]
    readonly retold: number
  }[] = [
    {
      says: 'one that came, dated back to before it with another tariff',
      before: [home(70, { validFrom: came! })],
      after: [
        home(70, { validFrom: came! }),
        home(70, { validFrom: came! - 1, validTo: came!, tariff: 'night', systemTitle: 'x' }),
      ],
      retold: 1,
    },
    {
      says: 'one that is still to come, corrected in place',
      before: [home(70, { validFrom: later! })],
      after: [home(70, { validFrom: later!, tariff: 'night' })],
      retold: 0,
    },
    {
      says: 'one that was gone before the month, coming back',
      before: [home(70, { validTo: ended })],
      after: [home(70, { validTo: ended }), home(70, { validFrom: later!, tariff: 'night' })],
      retold: 0,
    },
    {
      says: 'one whose coming back is still to come, corrected in place',
      before: [home(70, { validTo: ended }), home(70, { validFrom: later! })],
      after: [home(70, { validTo: ended }), home(70, { validFrom: later!, tariff: 'night' })],
      retold: 0,
    },
    {
      says: 'one that moved to another zone, where what is told is that of most',
      before: [...moved('flat', 'at'), ...othersIn('at')],
      after: [...moved('night', 'at'), ...othersIn('at')],
      retold: 0,
    },
    {
      says: 'one that moved to a zone, corrected to another one',
      before: [...moved('flat', 'at'), ...othersIn('at')],
      after: [...moved('flat', 'ch'), ...othersIn('at')],
      retold: 1,
    },
    {
      says: 'as many homes as there are, each of them a point of two',
      before: range(70, 90).map((index) => home(index, { tariff: 'dynamic' })),
      after: range(70, 90).map((index) => home(index, { tariff: 'dynamic', pointsAtConnection: 2 })),
      retold: 90,
    },
  ]
  for (const { says, before, after, retold } of changes) {
    test(`${says}: ${retold}`, () => {
      const all = (own: readonly RegisterEntry[]) => [
        ...there.filter(({ connection }) => own.every((entry) => entry.connection !== connection)),
        ...own,
      ]
      const keyOf = (entry: RegisterEntry) => topics.meterRegister.key(entry) ?? ''
      const [was, is] = [all(before), all(after)]
      const present = new Map(was.map((entry) => [keyOf(entry), entry]))
      const found = retoldHomes(was, is, { telling, now, horizonDays: 14 })
      assert.equal(found, retold)
      const may = mayRetell(present, compareRegister(present, is, keyOf), keyOf, { timeZone: telling.timeZone, now })
      assert.ok(may || retold === 0)
    })
  }

  test('in the month before too, while readings of it can still come', async (t) => {
    const gone = (tariff: string) =>
      changing(5, (entry) => [{ ...entry, tariff, validTo: Date.parse('2025-11-30T12:00+01:00') }])
    const { load } = await loaded(t, gone('flat'))
    const early = { now: Date.parse('2025-12-02T12:00+01:00'), telling: { ...telling, since: '2025-11' } }
    // In December those that are left are enough by either register.
    assert.equal((await load(gone('dynamic'), { ...early, dryRun: true, horizonDays: 14 })).retold, 70)
    assert.equal((await load(gone('dynamic'), { ...early, horizonDays: 1 })).retold, 0)
  })

  test('a first load tells nobody anew', async (t) => {
    const { load } = await loaded(t, [])
    assert.equal((await load(there)).retold, 0)
  })
})
