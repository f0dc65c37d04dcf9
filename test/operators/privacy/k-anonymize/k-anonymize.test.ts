import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  customerClassHierarchy,
  defaultHierarchies,
  type KAnonymizeOptions,
  kAnonymize,
} from '../../../../operators/privacy/k-anonymize/index.ts'
import type { RegisterEntry } from '../../../../schemas/register-entry.ts'
import { household } from './registers.ts'

const homes = (count: number, name: string, rest: Partial<RegisterEntry> = {}): readonly RegisterEntry[] =>
  Array.from({ length: count }, (_, i) => household(`${name} ${i}`, rest))

const nothing = { area: '*', tariff: '*', heating: '*', dwelling: '*', customerClass: '*' }

describe('kAnonymize', () => {
  it('tells everything as registered where enough are alike', () => {
    const result = kAnonymize(homes(20, 'a'))
    assert.deepEqual(result.of({ connection: 'a 3' }), {
      ...nothing,
      area: 'area-1-1',
      tariff: 'flat',
      heating: 'gas',
      dwelling: 'flat',
    })
    assert.deepEqual(result.zones, [
      {
        zone: 'de',
        homes: 20,
        steps: { area: 0, tariff: 0, heating: 0, dwelling: 0 },
        loss: 0,
        lossOf: { area: 0, tariff: 0, heating: 0, dwelling: 0 },
        discernibility: 400,
        suppressedHomes: 0,
        classes: 1,
        smallestClass: 20,
      },
    ])
  })

  it('tells nothing where fewer than k live', () => {
    const result = kAnonymize(homes(19, 'a'))
    assert.deepEqual(result.of({ connection: 'a 3' }), nothing)
    assert.equal(result.zones[0]!.loss, 1)
    assert.equal(result.zones[0]!.smallestClass, 19)
  })

  it('tells nothing of a connection point that the register does not hold', () => {
    const result = kAnonymize(homes(30, 'a'))
    assert.deepEqual(result.of({ connection: 'b 0' }), nothing)
    assert.equal(result.classOf('b 0'), undefined)
    assert.equal(result.lineageOf('b 0'), undefined)
  })

  it('generalises the attribute that costs least', () => {
    const entries = [
      ...homes(15, 'a', { dwelling: 'semi' }),
      ...homes(15, 'b', { dwelling: 'terrace' }),
      ...homes(30, 'c', { dwelling: 'flat' }),
      ...homes(30, 'd', { dwelling: 'detached' }),
    ]
    const result = kAnonymize(entries)
    assert.deepEqual(result.zones[0]!.steps, { area: 0, tariff: 0, heating: 0, dwelling: 1 })
    assert.equal(result.of({ connection: 'a 0' }).dwelling, 'attached house')
    assert.equal(result.zones[0]!.lossOf.dwelling, 30 / 90 / 3)
  })

  it('rather tells nothing of a few than less of all, up to the cap', () => {
    const entries = [
      ...homes(980, 'a'),
      ...homes(20, 'b', { area: 'area-9-9' }),
      ...homes(19, 'c', { tariff: 'night' }),
    ]
    const capped = (maxSuppressed: number) => kAnonymize(entries, { maxSuppressed })
    assert.equal(capped(0.05).zones[0]!.suppressedHomes, 39)
    assert.deepEqual(capped(0.05).of({ connection: 'c 0' }), nothing)
    assert.equal(capped(0).zones[0]!.suppressedHomes, 0)
  })

  it('treats zones apart, since a zone is told with every record', () => {
    const result = kAnonymize([...homes(50, 'a'), ...homes(5, 'b', { zone: 'at' })])
    assert.deepEqual(
      result.zones.map(({ zone, loss, smallestClass }) => [zone, loss, smallestClass]),
      [
        ['at', 1, 5],
        ['de', 0, 50],
      ],
    )
  })

  it('counts a household once, by its newest entry that is still open', () => {
    const entries = [
      ...homes(20, 'a', { validFrom: 5 }),
      ...homes(20, 'a', { validTo: 5, tariff: 'night' }),
      ...homes(20, 'a', { validFrom: 4, tariff: 'night', point: 'another' }),
    ]
    for (const order of [entries, entries.toReversed()]) {
      const result = kAnonymize(order)
      assert.equal(result.zones[0]!.homes, 20)
      assert.equal(result.of({ connection: 'a 7' }).tariff, 'flat')
    }
  })

  const shares: readonly {
    readonly says: string
    readonly points: readonly number[]
    readonly k: number
    readonly homes: number
    readonly told: boolean
  }[] = [
    { says: '40 points of households of two', points: Array(40).fill(2), k: 20, homes: 20, told: true },
    { says: '40 points of households of two', points: Array(40).fill(2), k: 21, homes: 20, told: false },
    { says: '20 points of one household', points: Array(20).fill(20), k: 1, homes: 20 / 32, told: false },
    { says: '3 points each of 20 households', points: Array(60).fill(3), k: 15, homes: 15, told: true },
    { says: '3 points each of 20 households', points: Array(60).fill(3), k: 16, homes: 15, told: false },
    {
      says: '20 households of any number of points',
      points: [...Array(19).fill(1), 2, 2],
      k: 20,
      homes: 20,
      told: true,
    },
    { says: '20 households but for a point', points: [...Array(19).fill(1), 2], k: 20, homes: 19.5, told: false },
    { says: 'points beyond counting', points: [2 ** 30, 2 ** 53 - 1], k: 1, homes: 2 ** -28, told: false },
  ]
  for (const { says, points, k, homes, told } of shares) {
    it(`counts ${says} as ${homes}, and tells ${told ? 'them' : 'nothing of them'} at ${k}`, () => {
      const entries = points.map((pointsAtConnection, i) => household(`a ${i}`, { pointsAtConnection }))
      const result = kAnonymize(entries, { k })
      assert.equal(result.zones[0]!.homes, homes)
      assert.equal(result.of({ connection: 'a 0' }).tariff, told ? 'flat' : '*')
    })
  }

  it('does not tell of one household of many points in detail', () => {
    const farm = homes(20, 'farm', { tariff: 'farm', heating: 'oil', pointsAtConnection: 20 })
    const { of } = kAnonymize([...homes(400, 'a'), ...farm])
    assert.notEqual(of(farm[0]!).tariff, 'farm')
    assert.deepEqual(of(farm[0]!), of({ connection: 'a 0' }))
  })

  it('tells in one zone nothing of who counts in another', () => {
    const result = kAnonymize([...homes(30, 'a'), ...homes(30, 'b', { zone: 'at' })])
    assert.equal(result.of({ connection: 'a 0', zone: 'de' }).tariff, 'flat')
    assert.deepEqual(result.of({ connection: 'a 0', zone: 'at' }), nothing)
    assert.equal(result.classOf('a 0', 'at'), undefined)
  })

  it('does not let one who changed stand out between two epochs', () => {
    const before = [...homes(40, 'a'), ...homes(40, 'b', { tariff: 'night' })]
    const after = [household('b 0'), ...before.filter(({ connection }) => connection !== 'b 0')]
    const first = kAnonymize(before, { maxSuppressed: 1 })
    const alone = kAnonymize(after, { maxSuppressed: 1 })
    assert.equal(alone.of({ connection: 'b 0' }).tariff, 'flat')
    const joined = kAnonymize(after, { maxSuppressed: 1, previous: first.classOf })
    const pairs = Map.groupBy(after, ({ connection }) => `${first.classOf(connection)} ${joined.classOf(connection)}`)
    for (const members of pairs.values()) assert.ok(members.length >= 20, `${members.length}`)
  })

  it('names the lineage of a household by all epochs that were handed on', () => {
    const first = kAnonymize(homes(20, 'a'))
    const second = kAnonymize(homes(20, 'a'), { previous: first.lineageOf })
    assert.equal(second.lineageOf('a 0'), JSON.stringify([first.lineageOf('a 0'), first.classOf('a 0')]))
  })

  it('asks for l sensitive values', () => {
    const entries = [
      ...homes(30, 'a'),
      ...homes(30, 'b', { heating: 'oil', customerClass: 'commercial' }),
      ...homes(30, 'c', { heating: 'oil' }),
    ]
    const result = kAnonymize(entries, { diversity: { l: 2, of: ({ customerClass }) => customerClass } })
    assert.equal(result.of({ connection: 'a 0' }).heating, 'not electric')
  })

  it('takes the customer class where a hierarchy for it is given', () => {
    const entries = [
      ...homes(30, 'a'),
      ...homes(15, 'b', { customerClass: 'commercial' }),
      ...homes(15, 'c', { customerClass: 'industrial' }),
    ]
    const result = kAnonymize(entries, { hierarchies: [...defaultHierarchies, customerClassHierarchy] })
    assert.equal(result.of({ connection: 'b 0' }).customerClass, 'other')
    assert.equal(result.of({ connection: 'a 0' }).customerClass, 'residential')
  })

  it('has nothing to say of an empty register', () => {
    assert.deepEqual(kAnonymize([]).zones, [])
  })

  const refused: readonly (readonly [string, KAnonymizeOptions, RegExp])[] = [
    ['k below 1', { k: 0 }, /^k must be/],
    ['a broken k', { k: 2.5 }, /^k must be/],
    ['l below 1', { diversity: { l: 0, of: () => '' } }, /^l must be/],
    ['a cap above all', { maxSuppressed: 1.1 }, /^maxSuppressed must be/],
    ['a cap that is no number', { maxSuppressed: Number.NaN }, /^maxSuppressed must be/],
    [
      'two hierarchies of one attribute',
      { hierarchies: [customerClassHierarchy, customerClassHierarchy] },
      /two hierarchies$/,
    ],
  ]
  for (const [what, options, says] of refused) {
    it(`refuses ${what}`, () => assert.throws(() => kAnonymize([], options), { name: 'RangeError', message: says }))
  }
})
