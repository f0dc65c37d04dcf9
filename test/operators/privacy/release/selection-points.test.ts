import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { limitGroups, partitionSelection, type Rational, rational } from 'diffprivlib-ts'
import type { GroupSelector } from '../../../../operators/privacy/release/noise.ts'
import { PolicyError, type ReleasePolicy, resolvePolicy } from '../../../../operators/privacy/release/policy.ts'
import { mostPointsAtConnection } from '../../../../operators/privacy/release/reporting.ts'
import { canSelect, pointTerms, type SelectionOf } from '../../../../operators/privacy/release/selection-terms.ts'
import type { PartialCell } from '../../../../schemas/load-partial.ts'
import { drive, rowsOf } from '../../../helpers/release-driver.ts'
import {
  cell,
  collector,
  context,
  countingNoise,
  envelope,
  groups,
  partial,
  registerOf,
  releaseOperator,
} from '../../../helpers/release-fixtures.ts'
import { partials, type Reported, selecting, selection } from '../../../helpers/selection-fixtures.ts'

type Counts = ReadonlyMap<string, number>
interface Asked {
  readonly terms: SelectionOf
  readonly counts: Counts
}

/** The delta by which what is selected in one world may differ from the other, at this epsilon: over every outcome. */
function deltaOf([one, other]: readonly [Asked, Asked], epsilon: Rational): number {
  const chances = ({ terms, counts }: Asked): readonly number[] => {
    const { groups: limit } = limitGroups({ neighbours: 'add-remove', most: 1 })
    const { keepProbability } = partitionSelection({ neighbours: 'add-remove', groups: limit, ...terms })
    return [...counts.values()].map((count) => rational.toNumber(keepProbability(count), 'up'))
  }
  const [p, q] = [chances(one), chances(other)]
  const most = Math.exp(rational.toNumber(epsilon, 'up'))
  const chanceOf = (each: readonly number[], outcome: number): number =>
    each.reduce((all, chance, i) => all * ((outcome >> i) & 1 ? chance : 1 - chance), 1)
  const outcomes = Array.from({ length: 2 ** p.length }, (_, outcome) => [chanceOf(p, outcome), chanceOf(q, outcome)])
  const beyond = (a: number, b: number): number => Math.max(0, a - most * b)
  return Math.max(
    outcomes.reduce((sum, [a, b]) => sum + beyond(a!, b!), 0),
    outcomes.reduce((sum, [a, b]) => sum + beyond(b!, a!), 0),
  )
}

const within = (delta: number, promised: Rational): boolean => delta <= rational.toNumber(promised, 'up') * (1 + 1e-9)

/** All ways to put up to `points` points into `left` groups. */
function splits(points: number, left: number): readonly (readonly number[])[] {
  if (left === 0) return [[]]
  return Array.from({ length: points + 1 }, (_, here) => here).flatMap((here) =>
    splits(points - here, left - 1).map((rest) => [here, ...rest]),
  )
}

describe('the selection of groups: a household of several points', () => {
  const household = { epsilon: rational.ratio(1n, 4n), delta: rational.ratio(1n, 20n), preThreshold: 3 }

  /** The worst delta over the ways a household of `points` points can lie in three groups, and over what else is there. */
  const worst = (points: number, ask: (counts: readonly number[]) => Asked): number => {
    let found = 0
    for (const moved of splits(points, 3)) {
      for (let base = 0; base < 8 * points; base++) {
        const counts = [base, base, base + 1]
        const worlds = [ask(counts.map((count, i) => count + moved[i]!)), ask(counts)] as const
        found = Math.max(found, deltaOf(worlds, household.epsilon))
      }
    }
    return found
  }
  const named = (counts: readonly number[]): Counts => new Map(counts.map((count, i) => [`feeder/${i}`, count]))

  for (const points of [1, 2, 3]) {
    it(`costs its epsilon and delta at most, in whatever groups its ${points} points are`, () => {
      const terms = pointTerms(household, points)
      const delta = worst(points, (counts) => ({ terms, counts: named(counts) }))
      assert.ok(within(delta, household.delta), `${delta}`)
    })
  }

  it('would cost more if its points were counted as one household in each group', () => {
    const divided = (counts: readonly number[]) => ({
      terms: household,
      counts: named(counts.map((count) => Math.floor(count / 2))),
    })
    assert.ok(worst(2, divided) > 1.9 * rational.toNumber(household.delta, 'up'))
    const whole = (counts: readonly number[]) => ({ terms: household, counts: named(counts) })
    assert.ok(!within(worst(2, whole), household.delta))
  })

  it('never lets fewer households than the threshold through, and shows a group at as many households as before', () => {
    const { selection: terms } = resolvePolicy(selecting())
    const { groups: limit } = limitGroups({ neighbours: 'add-remove', most: 1 })
    const halfOf = (points: number): number => {
      const own = pointTerms({ ...terms!, preThreshold: 100 }, points)
      const { keepProbability } = partitionSelection({ neighbours: 'add-remove', groups: limit, ...own })
      assert.equal(rational.sign(keepProbability(99 * points)), 0)
      let count = 0
      while (rational.toNumber(keepProbability(count), 'up') < 0.5) count += points
      return count / points
    }
    const [one, ...more] = [1, 2, 4].map(halfOf)
    for (const households of more) assert.ok(Math.abs(households - one!) <= 3, `${one} and ${households}`)
  })

  it('is refused where its terms are too small for the counts to be told apart', () => {
    const of = (points: number): Partial<ReleasePolicy> => ({ selection: { ...selection, pointsAtConnection: points } })
    resolvePolicy(selecting(of(20)))
    assert.throws(
      () => resolvePolicy(selecting(of(1_000))),
      (error) => error instanceof PolicyError && /pointsAtConnection/.test(error.message),
    )
    const small = pointTerms({ ...resolvePolicy(selecting()).selection!, preThreshold: 1 }, 100)
    assert.ok(canSelect(small))
    const { groups: limit } = limitGroups({ neighbours: 'add-remove', most: 1 })
    const { keepProbability } = partitionSelection({ neighbours: 'add-remove', groups: limit, ...small })
    assert.equal(rational.format(keepProbability(1_000_000)), '1')
  })
})

/** Asks as the operator does, and remembers what it was asked for feeders. */
function listening() {
  const asked: Asked[] = []
  const select: GroupSelector = (terms, counts) => {
    if ([...counts.keys()].every((name) => name.startsWith('feeder/'))) asked.push({ terms, counts })
    return []
  }
  return { select, asked }
}

describe('the selection of groups: what a household of several points is charged', () => {
  const twoPoints = selecting({ selection: { ...selection, pointsAtConnection: 2 } })
  const { selection: charged } = resolvePolicy(twoPoints)

  const asks = (reported: readonly Reported[]): Asked => {
    const { select, asked } = listening()
    drive({
      operator: releaseOperator({ policy: twoPoints, noise: { ...countingNoise(), select } }),
      partials: partials(reported),
    })
    return asked[0]!
  }

  for (const [what, household] of [
    ['two feeders', ['feeder-1', 'feeder-2']],
    ['one feeder', ['feeder-1', 'feeder-1']],
  ] as const) {
    it(`is what its day paid for, with its points at ${what}`, () => {
      for (const base of [197, 198, 199]) {
        const others = ['feeder-1', 'feeder-2'].map((group) => ({ count: base, group }))
        const added = household.map((group) => ({ count: 1, group }))
        const both = [asks([...others, ...added]), asks(others)] as const
        const delta = deltaOf(both, charged!.epsilon)
        assert.ok(within(delta, charged!.delta), `${base} others: ${delta}`)
      }
    })
  }
})

describe('the selection of groups: a register in which a connection gets another point', () => {
  const [two, three] = [2, 3].map((pointsAtConnection) =>
    selecting({ selection: { ...selection, pointsAtConnection } }),
  )
  const none = selecting({ selection: null })

  /** What is asked of a day on which so many reported, if the settings changed at 06:00 and, perhaps, on the next day. */
  function askedAfter(
    counts: readonly [first: number, second: number],
    [after, later = after]: readonly [Partial<ReleasePolicy>, Partial<ReleasePolicy>?],
    pointsAtConnection?: number,
  ): Asked {
    const { select, asked } = listening()
    const rows = new Map<string, Uint8Array>()
    const ledger: never[] = []
    const cells = counts.map((count, i) => cell('2026-01-15T12:00', 0, { count, group: `feeder-${i + 1}` }))
    const steps: readonly (readonly [at: string, cells: readonly PartialCell[], policy: Partial<ReleasePolicy>])[] = [
      ['2026-01-15T00:10', [], two!],
      ['2026-01-15T06:00', [], two!],
      ['2026-01-15T12:55', cells, after],
      ['2026-01-16T07:00', [], later],
      ['2026-01-17T07:00', [], later],
      ['2026-01-17T12:00', [], later],
    ]
    for (const [n, [at, own, policy]] of steps.entries()) {
      const register = { ...registerOf(groups), ...(n > 1 && pointsAtConnection ? { pointsAtConnection } : {}) }
      const settings = policy as ReleasePolicy
      const operator = releaseOperator({ policy: settings, register, noise: { ...countingNoise(), select } })
      const state = operator.restore(rowsOf(rows), ledger)
      let batch = [partial(0, n + 1, at, own), partial(1, n + 1, at)].map((one) => envelope(one))
      for (let more = true; more; batch = []) {
        const out = collector<{ readonly to: string; readonly record: unknown }>()
        more = operator.process(batch, state, out as never, context) === 'more'
        for (const { to, record } of out.values) if (to === 'ledger') ledger.push(record as never)
        for (const { row, body } of operator.changed(state)) {
          if (body) rows.set(row, body)
          else rows.delete(row)
        }
      }
    }
    return asked[0]!
  }

  const { selection: charged } = resolvePolicy(two!)
  const changes: readonly (readonly [string, Parameters<typeof askedAfter>[1], number?])[] = [
    ['with the setting', [three!]],
    ['with the setting, which is taken back the next day', [three!, two!]],
    ['with a setting that is high already', [two!], 3],
    ['while the selection is turned off', [none, two!], 3],
  ]
  for (const [what, policies, inRegister] of changes) {
    it(`counts it on the day that is open ${what}`, () => {
      const terms = pointTerms({ ...charged!, preThreshold: 100 }, 3)
      for (const base of [297, 298]) {
        const both = [
          askedAfter([base + 2, base + 1], policies, inRegister),
          askedAfter([base, base], policies, inRegister),
        ] as const
        assert.ok(within(deltaOf(both, charged!.epsilon), charged!.delta), `${base}`)
        assert.deepEqual(both[0].terms.preThreshold, terms.preThreshold)
      }
    })
  }

  it('is known by the most points of any entry', () => {
    assert.equal(mostPointsAtConnection([{ pointsAtConnection: 1 }, { pointsAtConnection: 4 }]), 4)
    assert.equal(mostPointsAtConnection([]), 1)
  })
})
