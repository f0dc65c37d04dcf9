import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { defaultPolicy, resolvePolicy } from '../../../../../operators/privacy/release/policy.ts'
import { stepRules, totalOf, twoClasses } from '../../../../../operators/privacy/release/rules/count-rules.ts'
import {
  parseRuleSet,
  type RuleClass,
  type RuleSet,
  RuleSetError,
} from '../../../../../operators/privacy/release/rules/rule-set.ts'
import { shippedRules } from '../../../../../operators/privacy/release/rules/shipped.ts'

const neutral = shippedRules.get('neutral')!
const homes = neutral.classes.residential

describe('a rule set', () => {
  it('comes in four, each of which says who has to sign it and where it is from', () => {
    assert.deepEqual([...shippedRules.keys()], ['neutral', 'us-ca-d1405016', 'us-15-15', 'four-fifty'])
    for (const { notice, source } of shippedRules.values()) {
      assert.match(notice, /lawyer/)
      assert.match(source, /assumptions/)
    }
  })

  it('is what it was after it has been written and read', () => {
    for (const set of shippedRules.values()) assert.deepEqual(parseRuleSet(JSON.parse(JSON.stringify(set))), set)
  })

  const wrong: readonly (readonly [string, unknown, readonly string[]])[] = [
    ['no object', [], ['it must be one JSON object']],
    [
      'a name alone',
      { name: 'x', classes: { residential: null } },
      [
        'version is missing: it must be a whole number from 1 to 1,000,000',
        'describes is missing: it must be a text',
        'jurisdiction is missing: it must be a text',
        'source is missing: it must be a text',
        'notice is missing: it must be a text',
        'classes.residential must be an object of minCount, maxShare and meanWhPerDay',
        ...['commercial', 'industrial', 'large'].map(
          (each) => `classes.${each} is missing: it must be an object of minCount, maxShare and meanWhPerDay`,
        ),
        'largeAboveWhPerHour is missing: it must be a whole number from 1 to 1,000,000,000',
        'largestWhPerHour is missing: it must be a whole number from 1 to 1,000,000,000',
        'mergePath is missing: it must be a list of levels',
        'maxRelativeNoise is missing: it must be a fraction such as "3/20"',
        'coarser is missing: it must be a list of longer windows',
        'membership is missing: it must be "batched" or "free"',
      ],
    ],
    ['a field too many', { ...neutral, note: 1 }, ['note is no field of a rule set']],
    [
      'a class too many',
      { ...neutral, classes: { ...neutral.classes, shops: homes } },
      ['classes.shops is no field of a rule set'],
    ],
    [
      'a count of nobody',
      { ...neutral, classes: { ...neutral.classes, residential: { ...homes, minCount: 0 } } },
      ['classes.residential.minCount must be a whole number from 1 to 1,000,000'],
    ],
    [
      'a share above all',
      { ...neutral, classes: { ...neutral.classes, residential: { ...homes, maxShare: '3/2' } } },
      ['classes.residential.maxShare must be a fraction above 0 and at most 1, such as "3/20"'],
    ],
    [
      'a path from wide to narrow',
      { ...neutral, mergePath: ['utility', 'feeder'] },
      ['mergePath must name each level once, the narrowest first'],
    ],
    [
      'a level that is none',
      { ...neutral, mergePath: ['street'] },
      ['mergePath.0 must be one of utility, region, substation, feeder'],
    ],
    ['a step that is none', { ...neutral, coarser: [{ seconds: 7_200 }] }, ['coarser.0.seconds must be 3600 or 86400']],
    [
      'steps in no order',
      { ...neutral, coarser: [{ seconds: 86_400 }, { seconds: 3_600 }] },
      ['coarser must name each length once, the shortest first'],
    ],
    [
      'longer windows that ask for more, which shorter ones would give away',
      { ...neutral, coarser: [{ seconds: 3_600, minCounts: { residential: 101 } }] },
      ['coarser.0.minCounts.residential must be at most 100, which shorter windows ask for'],
    ],
    [
      'longer windows for a class that it does not name',
      { ...neutral, coarser: [{ seconds: 3_600, minCounts: { agricultural: 10 } }] },
      ['coarser.0.minCounts.agricultural must stand in classes too'],
    ],
    [
      'large users smaller than the others',
      { ...neutral, largestWhPerHour: 1_000 },
      ['largestWhPerHour must be at least largeAboveWhPerHour'],
    ],
    [
      'several things at once',
      { ...neutral, membership: 'loose', maxRelativeNoise: '0/1', notice: '' },
      [
        'notice must be a text',
        'maxRelativeNoise must be a fraction above 0 and at most 1, such as "3/20"',
        'membership must be "batched" or "free"',
      ],
    ],
  ]
  for (const [what, data, problems] of wrong) {
    it(`is refused for ${what}`, () => {
      assert.throws(
        () => parseRuleSet(data),
        (error) => {
          assert.ok(error instanceof RuleSetError)
          assert.deepEqual(error.problems, problems)
          return true
        },
      )
    })
  }
})

const rulesOf = (ruleSet: RuleSet) => stepRules(resolvePolicy({ ...defaultPolicy, ruleSet }))

describe('the largest share as a count', () => {
  const only = (name: RuleClass, points: number) => ({
    ...twoClasses(0, 0),
    [name]: points,
  })
  const cases: readonly (readonly [string, string, ReturnType<typeof only>, number, boolean])[] = [
    // S of a utility is 20 kWh in half an hour, 15 % of which needs 133.3 kWh: 800 homes of 8 kWh a day, or 107 shops of 60.
    ['us-15-15', 'homes that one may dominate', only('residential', 800), 0, false],
    ['us-15-15', 'homes', only('residential', 801), 0, true],
    ['us-15-15', 'shops that one may dominate', only('commercial', 106), 0, false],
    ['us-15-15', 'shops', only('commercial', 107), 0, true],
    ['us-15-15', 'shops of a day', only('commercial', 16), 2, true],
    ['us-15-15', 'shops that one may dominate on a day', only('commercial', 15), 2, false],
    ['us-ca-d1405016', 'homes, for which it has no share', only('residential', 100), 0, true],
    // Whatever they are, the clip bounds what one counts.
    ['us-15-15', 'large users', only('large', 15), 0, true],
    ['us-15-15', 'too few large users', only('large', 14), 0, false],
  ]
  for (const [set, what, counts, step, keeps] of cases) {
    it(`${keeps ? 'lets' : 'does not let'} ${totalOf(counts)} ${what} be shown under ${set}`, () => {
      assert.equal(rulesOf(shippedRules.get(set)!)[step]!.keeps(counts), keeps)
    })
  }

  it('bounds by contract where that is less than the clip', () => {
    const small: RuleSet = { ...shippedRules.get('us-15-15')!, largeAboveWhPerHour: 4_000 }
    // 2 kWh in half an hour at most: a seventh of that needs 13.3 kWh, 80 homes.
    const [{ keeps }] = rulesOf(small) as [ReturnType<typeof rulesOf>[number]]
    assert.deepEqual([keeps(only('residential', 79)), keeps(only('residential', 80))], [false, true])
  })

  it('counts the load of a mixed group together, and asks for the strictest class', () => {
    const [{ keeps, minimum }] = rulesOf(shippedRules.get('us-ca-d1405016')!) as [ReturnType<typeof rulesOf>[number]]
    const mixed = { ...twoClasses(0, 0), residential: 99, commercial: 200 }
    assert.deepEqual([minimum(mixed), keeps(mixed)], [100, true])
    assert.equal(keeps({ ...mixed, commercial: 0 }), false)
    assert.equal(keeps({ ...mixed, residential: 700, commercial: 1 }), false)
    assert.equal(keeps({ ...mixed, residential: 800, commercial: 1 }), true)
  })

  it('takes agricultural points for commercial ones where the set does not name them, in longer windows too', () => {
    const [ca, us] = ['us-ca-d1405016', 'us-15-15'].map((name) => rulesOf(shippedRules.get(name)!))
    for (const rules of [ca!, us!]) {
      for (const points of [14, 15, 16, 106, 107]) {
        const kept = (name: RuleClass) => rules.map(({ keeps }) => keeps(only(name, points)))
        assert.deepEqual(kept('agricultural'), kept('commercial'))
      }
    }
    const set: RuleSet = { ...neutral, coarser: [{ seconds: 3_600, minCounts: { commercial: 4 } }] }
    assert.deepEqual(
      rulesOf(set).map(({ minimum }) => minimum(only('agricultural', 9))),
      [15, 4],
    )
    const own: RuleSet = { ...set, classes: { ...set.classes, agricultural: { ...homes, minCount: 20 } } }
    assert.deepEqual(
      rulesOf(own).map(({ minimum }) => minimum(only('agricultural', 9))),
      [20, 20],
    )
  })

  it('takes the two classes of a policy without a rule set as they are', () => {
    const [own, ...coarser] = stepRules(resolvePolicy(defaultPolicy))
    assert.equal(coarser.length, 0)
    assert.deepEqual(
      [99, 100].map((n) => own!.keeps(only('residential', n))),
      [false, true],
    )
    assert.deepEqual(
      [14, 15].map((n) => own!.keeps(only('industrial', n))),
      [false, true],
    )
  })

  it('has no longer windows than the policy’s own where those are as long', () => {
    const ruleSet = shippedRules.get('us-15-15')!
    const lengths = stepRules(resolvePolicy({ ...defaultPolicy, windowSeconds: 3_600, ruleSet })).map((s) => s.seconds)
    assert.deepEqual(lengths, [3_600, 86_400])
  })
})
