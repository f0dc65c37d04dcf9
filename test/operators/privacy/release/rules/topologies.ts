import fc from 'fast-check'
import { type DayPlan, planDay } from '../../../../../operators/privacy/release/day-plan.ts'
import {
  defaultPolicy,
  type ReleasePolicy,
  type ResolvedPolicy,
  resolvePolicy,
} from '../../../../../operators/privacy/release/policy.ts'
import { groupName } from '../../../../../operators/privacy/release/restricted/group-name.ts'
import type { CountedGroup } from '../../../../../operators/privacy/release/rules/groups.ts'
import { type ClassCounts, type RuleSet, ruleClasses } from '../../../../../operators/privacy/release/rules/rule-set.ts'
import { shippedRules } from '../../../../../operators/privacy/release/rules/shipped.ts'
import { type Level, levels } from '../../../../../schemas/register-entry.ts'

/** One feeder of a random register: where it hangs, who is registered, and whether its members changed by too few. */
interface RandomFeeder {
  readonly substation: number
  readonly classes: ClassCounts
  readonly unsteady: boolean
}

/** A random tree under a random rule set. */
export interface Topology {
  readonly policy: ResolvedPolicy
  readonly groups: readonly CountedGroup[]
  readonly unsteady: ReadonlySet<string>
  readonly [fc.toStringMethod]: () => string
}

const some = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: fc.nat(6) },
  { weight: 2, arbitrary: fc.nat(60) },
  { weight: 1, arbitrary: fc.nat(600) },
)
const rare = fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.nat(8))

const feeders: fc.Arbitrary<RandomFeeder> = fc.record({
  substation: fc.nat(3),
  classes: fc.record({
    residential: some,
    commercial: rare,
    industrial: rare,
    agricultural: rare,
    large: fc.constant(0),
  }),
  unsteady: fc.constantFrom(false, false, false, false, true),
})

const rule = fc.record({
  minCount: fc.integer({ min: 1, max: 12 }),
  maxShare: fc.constantFrom(null, null, '1/2', '3/20'),
  meanWhPerDay: fc.constantFrom(8_000, 60_000),
})

const base = shippedRules.get('neutral')!

/** Rule sets small enough for small trees, with and without longer windows. */
const ruleSets: fc.Arbitrary<RuleSet> = fc
  .record({
    classes: fc.record(
      { residential: rule, commercial: rule, industrial: rule, agricultural: rule, large: rule },
      { requiredKeys: ['residential', 'commercial', 'industrial', 'large'] },
    ),
    mergePath: fc.constantFrom<readonly Level[]>(
      ['feeder', 'substation', 'region', 'utility'],
      ['feeder', 'substation', 'region', 'utility'],
      ['substation', 'utility'],
      ['feeder', 'region'],
    ),
    maxRelativeNoise: fc.constantFrom('1/1', '1/3'),
    membership: fc.constantFrom('batched' as const, 'free' as const),
    lengths: fc.constantFrom<readonly (3_600 | 86_400)[]>([], [3_600], [86_400], [3_600, 86_400]),
    less: fc.nat(4),
  })
  .map(({ lengths, less, ...given }): RuleSet => {
    const counts = (by: number) =>
      Object.fromEntries(
        Object.entries(given.classes).map(([name, { minCount }]) => [name, Math.max(1, minCount - by)]),
      )
    return {
      ...base,
      ...given,
      largeAboveWhPerHour: 2_000,
      largestWhPerHour: 40_000,
      coarser: lengths.map((seconds, i) => ({ seconds, minCounts: counts(less * (i + 1)) })),
    }
  })

/** With little noise, so that rules decide; with more, so that usefulness does. */
const policyOf = (ruleSet: RuleSet, clip: number): ReleasePolicy => ({
  ...defaultPolicy,
  clipWhPerHalfHour: { utility: clip, region: clip, substation: clip, feeder: clip },
  ruleSet,
})

/** Random registers: up to twelve feeders under up to four substations and two regions. */
export const topologies: fc.Arbitrary<Topology> = fc
  .tuple(
    fc.array(feeders, { minLength: 1, maxLength: 12 }),
    fc.array(fc.nat(1), { minLength: 4, maxLength: 4 }),
    ruleSets,
    fc.constantFrom(1, 20, 400),
    fc.constantFrom<ClassCounts | undefined>(undefined, undefined, undefined, {
      residential: 0,
      commercial: 0,
      industrial: 0,
      agricultural: 0,
      large: 3,
    }),
  )
  .map(([made, regions, ruleSet, clip, large]): Topology => {
    const paths = made.map(
      ({ substation }, i): Readonly<Record<Level, string>> => ({
        utility: 'u',
        region: `r${regions[substation]}`,
        substation: `s${substation}`,
        feeder: `f${i}`,
      }),
    )
    const all = made.map(({ classes }) => classes)
    if (large) {
      paths.push({ utility: 'u', region: 'large', substation: 'large', feeder: 'large' })
      all.push(large)
    }
    const unsteady = new Set(made.flatMap(({ unsteady: is }, i) => (is ? [groupName('feeder', `f${i}`)] : [])))
    const groups = groupsOf(paths, all)
    const told = () =>
      [
        `${JSON.stringify({ ...ruleSet, describes: '', source: '', notice: '' })}, S ${clip}, unsteady ${[...unsteady]}`,
        ...groups.map(
          ({ level, group, parent, classes }) => `${level} ${group} in ${parent}: ${Object.values(classes!)}`,
        ),
      ].join('\n')
    return { policy: resolvePolicy(policyOf(ruleSet, clip)), groups, unsteady, [fc.toStringMethod]: told }
  })

function groupsOf(paths: readonly Readonly<Record<Level, string>>[], all: readonly ClassCounts[]): CountedGroup[] {
  return levels.flatMap((level, depth) => {
    const above = levels[depth - 1]
    const groups = new Map<string, CountedGroup>()
    paths.forEach((path, i) => {
      const { residential = 0, other = 0, classes } = groups.get(path[level]) ?? {}
      const own = all[i]!
      groups.set(path[level], {
        level,
        group: path[level],
        parent: above === undefined ? null : path[above],
        zone: 'de',
        timeZone: 'Europe/Berlin',
        residential: residential + own.residential,
        other: other + own.commercial + own.industrial + own.agricultural + own.large,
        classes: Object.fromEntries(
          ruleClasses.map((each) => [each, (classes?.[each] ?? 0) + own[each]]),
        ) as unknown as ClassCounts,
      })
    })
    return [...groups.values()]
  })
}

export const planOf = ({ policy, groups, unsteady }: Topology): DayPlan => planDay(policy, groups, unsteady)
