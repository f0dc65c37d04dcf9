import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { RegisterError, registerView } from '../../../connectors/register/index.ts'
import type { RegisterEntry } from '../../../schemas/register-entry.ts'

const groups = { utility: 'U', region: 'R', substation: 'S', feeder: 'F1' } as const
const base: RegisterEntry = {
  point: 'point-1',
  connection: 'connection-1',
  systemTitle: '4d4d4d0000000001',
  validFrom: 1_000,
  validTo: null,
  direction: 'both',
  partition: 0,
  index: 0,
  groups,
  customerClass: 'residential',
  area: 'A1',
  tariff: 'day',
  heating: 'gas',
  dwelling: 'flat',
  timeZone: 'Europe/London',
  zone: 'north',
  profile: 'standard',
  protection: 'authenticated-encrypted',
  keyRef: 'key-1',
  fuseWhPerHour: 13_800,
  pointsAtConnection: 1,
}

/** The n-th other point, alike but for what must differ. */
const other = (n: number, change: Partial<RegisterEntry> = {}): RegisterEntry => ({
  ...base,
  point: `point-${n}`,
  connection: `connection-${n}`,
  systemTitle: `4d4d4d000000000${n}`,
  index: n,
  ...change,
})

/** The same point after a meter exchange at 5,000. */
const exchanged: readonly RegisterEntry[] = [
  { ...base, validTo: 5_000 },
  { ...base, systemTitle: '4d4d4d00000000ff', validFrom: 5_000 },
]

describe('registerView', () => {
  const at: readonly { readonly name: string; readonly at: number; readonly title: string | undefined }[] = [
    { name: 'nothing before the first validity', at: 999, title: undefined },
    { name: 'the first meter from its first instant', at: 1_000, title: base.systemTitle },
    { name: 'the first meter up to the exchange', at: 4_999, title: base.systemTitle },
    { name: 'the second meter from the exchange', at: 5_000, title: '4d4d4d00000000ff' },
    { name: 'the second meter for ever after', at: 1e14, title: '4d4d4d00000000ff' },
  ]
  for (const { name, at: instant, title } of at) {
    test(`finds ${name}, in whatever order the entries came`, () => {
      for (const entries of [exchanged, exchanged.toReversed()]) {
        const register = registerView(entries)
        assert.equal(register.byConnection('connection-1', instant)?.systemTitle, title)
      }
    })
  }

  test('finds by system title only while that meter is installed, in either case of the hex digits', () => {
    const register = registerView(exchanged)
    assert.equal(register.byTitle(base.systemTitle.toUpperCase(), 4_999)?.point, 'point-1')
    assert.equal(register.byTitle(base.systemTitle, 5_000), undefined)
    assert.equal(register.byTitle('4D4D4D00000000FF', 5_000)?.point, 'point-1')
    assert.equal(register.byTitle('0000000000000000', 5_000), undefined)
    assert.equal(register.byConnection('connection-9', 5_000), undefined)
  })

  test('agrees with a scan of all entries, at any time', () => {
    const lengths = fc.array(fc.record({ gap: fc.nat(3), length: fc.integer({ min: 1, max: 5 }) }), { maxLength: 8 })
    fc.assert(
      fc.property(lengths, fc.nat(60), (periods, instant) => {
        let from = 0
        const entries = periods.map(({ gap, length }, i) => {
          const entry = { ...base, systemTitle: `${i}`, validFrom: from + gap, validTo: from + gap + length }
          from = entry.validTo
          return entry
        })
        const scanned = entries.find(({ validFrom, validTo }) => validFrom <= instant && instant < validTo)
        assert.equal(registerView(entries).byConnection('connection-1', instant), scanned)
      }),
      { numRuns: Math.ceil(Number(process.env['MV_CASES'] ?? 20000) / 10) },
    )
  })

  test('lists the groups of a level by name, with installed points per class, also empty ones', () => {
    const gone = { ...groups, feeder: 'F0' }
    const register = registerView([
      other(2, { groups: { ...groups, feeder: 'F2' }, customerClass: 'commercial' }),
      ...exchanged,
      other(3),
      other(4, { groups: gone, validTo: 2_000 }),
    ])
    const place = { level: 'feeder', parent: 'S', zone: 'north', timeZone: 'Europe/London' }
    assert.deepEqual(register.groups('feeder'), [
      { group: 'F0', ...place, residential: 0, other: 0 },
      { group: 'F1', ...place, residential: 2, other: 0 },
      { group: 'F2', ...place, residential: 0, other: 1 },
    ])
    assert.deepEqual(
      register.groups('utility').map(({ group, residential, other: rest }) => [group, residential, rest]),
      [['U', 2, 1]],
    )
  })

  const refused: readonly {
    readonly name: string
    readonly entries: readonly RegisterEntry[]
    readonly row: number
    readonly says: RegExp
  }[] = [
    {
      name: 'a place given to two points',
      entries: [base, other(2, { index: 0 })],
      row: 2,
      says: /index of row 1, another measuring point: assign/,
    },
    {
      name: 'a place used again later',
      entries: [{ ...base, validTo: 2_000 }, other(2, { index: 0, validFrom: 9_000 })],
      row: 2,
      says: /assign a new index/,
    },
    {
      name: 'a point with two places',
      entries: [
        { ...base, validTo: 2_000 },
        { ...base, validFrom: 3_000, index: 7 },
      ],
      row: 2,
      says: /another partition or index than row 1/,
    },
    {
      name: 'a point on two partitions',
      entries: [
        { ...base, validTo: 2_000 },
        { ...base, validFrom: 3_000, partition: 7 },
      ],
      row: 2,
      says: /another partition or index than row 1/,
    },
    {
      name: 'two meters of a point at once',
      entries: [base, other(2), { ...base, systemTitle: 'ff', connection: 'c', validFrom: 2_000 }],
      row: 3,
      says: /overlaps in time with row 1, the same measuring point: end the older one first$/,
    },
    {
      name: 'two points of a connection at once',
      entries: [base, other(2, { connection: 'connection-1' })],
      row: 2,
      says: /row 1, the same connection: end the older one first where its meter is gone; another point that stays needs a connection name of its own, and pointsAtConnection on both$/,
    },
    {
      name: 'one meter at two points at once',
      entries: [base, other(2, { systemTitle: base.systemTitle.toUpperCase() })],
      row: 2,
      says: /the same system title/,
    },
    {
      name: 'a period inside another',
      entries: [
        { ...base, validTo: 9_000 },
        { ...base, systemTitle: 'f', validFrom: 2_000, validTo: 3_000 },
      ],
      row: 2,
      says: /overlaps/,
    },
    {
      name: 'an end before the beginning',
      entries: [other(2), { ...base, validTo: 1_000 }],
      row: 2,
      says: /correct validTo/,
    },
    { name: 'a fraction of an index', entries: [{ ...base, index: 0.5 }], row: 1, says: /whole number/ },
    { name: 'a negative partition', entries: [{ ...base, partition: -1 }], row: 1, says: /whole number/ },
    { name: 'an unknown time zone', entries: [{ ...base, timeZone: 'Europe/Nowhere' }], row: 1, says: /IANA name/ },
    { name: 'a site without a fuse', entries: [{ ...base, fuseWhPerHour: 0 }], row: 1, says: /no fuse/ },
    {
      name: 'no point at the connection',
      entries: [{ ...base, pointsAtConnection: 0 }],
      row: 1,
      says: /pointsAtConnection/,
    },
    {
      name: 'a group in two time zones',
      entries: [base, other(2, { timeZone: 'America/New_York' })],
      row: 2,
      says: /another time zone than row 1/,
    },
    {
      name: 'a group under two groups of the level above',
      entries: [base, other(2, { groups: { ...groups, substation: 'S2' } })],
      row: 2,
      says: /another substation than row 1/,
    },
    {
      name: 'a group in two residency zones',
      entries: [base, other(2, { zone: 'south' })],
      row: 2,
      says: /another residency zone than row 1/,
    },
  ]
  for (const { name, entries, row, says } of refused) {
    test(`refuses ${name}, naming the row and no meter`, () => {
      assert.throws(
        () => registerView(entries),
        (error: Error) => {
          assert.ok(error instanceof RegisterError)
          assert.equal(error.row, row)
          assert.match(error.message, says)
          for (const secret of ['point-', 'connection-', '4d4d4d', 'key-1'])
            assert.equal(error.message.includes(secret), false)
          return true
        },
      )
    })
  }

  test('takes two points of a home at once, each with a connection name of its own', () => {
    const [first, second] = [{ ...base, pointsAtConnection: 2 }, other(2, { pointsAtConnection: 2 })]
    const register = registerView([first, second])
    assert.equal(register.byConnection(first.connection, 1_500), first)
    assert.equal(register.byConnection(second.connection, 1_500), second)
  })

  /** When somebody else, or another meter, follows at a connection whose first entry ended on 15 January or later. */
  const noon = Date.parse('2026-01-15T12:00Z')
  const midnight = Date.parse('2026-01-16T00:00Z')
  const opened = Date.parse('2026-01-16T06:00Z')
  const newPoint = { ...other(2), connection: 'connection-1' }
  const twoPoints = { ...base, systemTitle: 'ff', pointsAtConnection: 2 }
  const follows: readonly {
    readonly name: string
    readonly next: RegisterEntry
    readonly ended: number
    readonly from: number
    readonly first?: Partial<RegisterEntry>
    readonly says?: RegExp
  }[] = [
    { name: 'another point at once at noon', next: newPoint, ended: noon, from: noon, says: /another measuring point/ },
    { name: 'another point at once at midnight', next: newPoint, ended: midnight, from: midnight, says: /row 1 while/ },
    { name: 'another point just before 06:00', next: newPoint, ended: midnight, from: opened - 1, says: /midnight/ },
    { name: 'another point at 06:00', next: newPoint, ended: midnight, from: opened },
    { name: 'another point at 06:00 after an end at noon', next: newPoint, ended: noon, from: opened },
    {
      name: 'another point at 06:00 of the day of an end just after midnight',
      next: newPoint,
      ended: midnight + 1,
      from: opened,
      says: /06:00 local time after it or later/,
    },
    {
      name: 'more points at midnight',
      next: twoPoints,
      ended: midnight,
      from: midnight,
      says: /another number of points/,
    },
    { name: 'more points at 06:00', next: twoPoints, ended: midnight, from: opened },
    {
      name: 'fewer points at noon',
      first: { pointsAtConnection: 2 },
      next: { ...base, systemTitle: 'ff' },
      ended: noon,
      from: noon,
      says: /another number of points/,
    },
    { name: 'another meter of the point at noon', next: { ...base, systemTitle: 'ff' }, ended: noon, from: noon },
    {
      name: 'another point at 06:00 UTC of another time zone',
      first: { timeZone: 'America/New_York' },
      next: { ...newPoint, timeZone: 'America/New_York' },
      ended: midnight + 5 * 3_600_000,
      from: opened,
      says: /06:00 local time/,
    },
  ]
  for (const { name, first, next, ended, from, says } of follows) {
    test(`${says ? 'refuses' : 'takes'} ${name}, whatever the order`, () => {
      const entries = [
        { ...base, ...first, validTo: ended },
        { ...next, validFrom: from },
      ]
      if (!says) {
        for (const order of [entries, entries.toReversed()]) registerView(order)
        return
      }
      assert.throws(() => registerView(entries), { name: 'RegisterError', row: 2, message: says })
      assert.throws(() => registerView(entries.toReversed()), { name: 'RegisterError', row: 1 })
    })
  }

  test('holds a change at a connection against the hour at which the policy closes a day', () => {
    const entries = [
      { ...base, validTo: midnight },
      { ...newPoint, validFrom: opened },
    ]
    registerView(entries, { cutOffHour: 6 })
    assert.throws(() => registerView(entries, { cutOffHour: 12 }), {
      name: 'RegisterError',
      row: 2,
      message: /begin this one at 12:00 local time after it or later$/,
    })
    registerView([entries[0]!, { ...newPoint, validFrom: opened + 6 * 3_600_000 }], { cutOffHour: 12 })
  })
})
