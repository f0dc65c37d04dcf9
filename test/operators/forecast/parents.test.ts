// What is part of what: forecasts that add up over the hierarchy that load.public itself tells.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type ForecastOptions, forecast } from '../../../operators/forecast/index.ts'
import type { ForecastPublic } from '../../../schemas/forecast-public.ts'
import type { LoadPublic } from '../../../schemas/load-public.ts'
import { monday, normals, released, shape, withNoise } from '../../helpers/forecast-fixtures.ts'
import { collector, context, envelope } from '../../helpers/release-fixtures.ts'

const halfHour = 1_800_000
const timeZone = 'Etc/UTC'
const sigma = 20_000

type Place = Pick<LoadPublic, 'level' | 'group' | 'parent' | 'registered'>
const tree: readonly Place[] = [
  { level: 'utility', group: 'u', parent: null, registered: 9_000 },
  { level: 'region', group: 'r1', parent: 'u', registered: 6_000 },
  { level: 'region', group: 'r2', parent: 'u', registered: 3_000 },
  { level: 'substation', group: 's1', parent: 'r1', registered: 2_000 },
  { level: 'substation', group: 's2', parent: 'r1', registered: 4_000 },
  { level: 'substation', group: 's3', parent: 'r2', registered: 3_000 },
]
/** The tree after s1 became a part of r2. */
const moved: readonly Place[] = [
  { level: 'utility', group: 'u', parent: null, registered: 9_000 },
  { level: 'region', group: 'r1', parent: 'u', registered: 4_000 },
  { level: 'region', group: 'r2', parent: 'u', registered: 5_000 },
  { level: 'substation', group: 's1', parent: 'r2', registered: 2_000 },
  { level: 'substation', group: 's2', parent: 'r1', registered: 4_000 },
  { level: 'substation', group: 's3', parent: 'r2', registered: 3_000 },
]

const loadOf = (n: number, { registered }: Place): number => (shape(monday + n * halfHour, 0.9) * registered) / 9_000

/** Half hours of these places from the `from`th on. */
function recordsOf(places: readonly Place[], from: number, to: number, seed: number): LoadPublic[] {
  const normal = normals(seed)
  return Array.from({ length: to - from }, (_, i) =>
    places.map((place) =>
      withNoise(released(from + i, Math.round(loadOf(from + i, place) + sigma * normal()), place), `${sigma ** 2}`),
    ),
  ).flat()
}

/** The same as an older release wrote them. */
const older = (records: readonly LoadPublic[]): LoadPublic[] => records.map((record) => ({ ...record, parent: null }))

function made(records: readonly LoadPublic[], options: Partial<ForecastOptions> = {}): ForecastPublic[] {
  const operator = forecast({ timeZone, ...options })
  const out = collector<ForecastPublic>()
  operator.process(records.map(envelope), operator.restore([], []), out, context)
  return out.values
}

const fromRegister: Pick<ForecastOptions, 'parentOf'> = {
  parentOf: ({ group }) => tree.find((place) => place.group === group)?.parent,
}

/** Checks that each whole is the sum of its parts at every step; answers how many sums were compared. */
function addsUp(forecasts: readonly ForecastPublic[], places: readonly Place[]): number {
  let compared = 0
  for (const each of Map.groupBy(forecasts, ({ start }) => start).values()) {
    const of = (name: string) => each.find(({ group }) => group === name)?.quantilesWh
    for (const whole of new Set(places.flatMap(({ parent }) => parent ?? []))) {
      const parts = places.filter(({ parent }) => parent === whole).map(({ group }) => of(group))
      of(whole)?.forEach((step, n) => {
        const sum = parts.reduce((total, part) => total + part![n]![2]!, 0)
        assert.equal(sum, step[2])
        compared += 1
      })
    }
  }
  return compared
}

describe('forecasts over the hierarchy of load.public', () => {
  const records = recordsOf(tree, 0, 9 * 48, 31)
  const alone = made(records)

  it('have medians that add up at every step, with nothing known but the records', () => {
    assert.ok(addsUp(alone, tree) > 2 * 72 * 150)
  })

  it('are those that are made with the register', () => {
    assert.deepEqual(made(records, fromRegister), alone)
  })

  it('are made of records that do not tell, adding up where the register does', () => {
    assert.deepEqual(made(older(records), fromRegister), alone)
    const flat = made(older(records))
    assert.equal(flat.length, alone.length)
    assert.throws(() => addsUp(flat, tree), assert.AssertionError)
  })

  it('go by the records where those say something else than the register of today', () => {
    assert.deepEqual(made(records, { parentOf: () => 'r2' }), alone)
  })

  it('add up a day after records begin to tell', () => {
    const forecasts = made([...older(records.slice(0, 5 * 48 * tree.length)), ...records.slice(5 * 48 * tree.length)])
    const wholes = forecasts.filter(({ group }) => group === 'u')
    assert.equal(wholes.length, 8 * 24 + 1)
    assert.ok(
      addsUp(
        forecasts.filter(({ start }) => start >= monday + 6 * 86_400_000),
        tree,
      ) > 0,
    )
  })
})

describe('a group that moves to another whole at midnight', () => {
  const [before, after] = [7 * 48, 12 * 48]
  const finals = recordsOf(tree, before - 48, before, 43).map((record) => ({
    ...record,
    phase: 'final' as const,
    ledgerSeq: record.ledgerSeq + 10_000,
  }))
  const forecasts = made([
    ...recordsOf(tree, 0, before, 37),
    ...recordsOf(moved, before, before + 12, 41),
    // The final values of the day before come after the move, and tell of the tree of their own day.
    ...finals,
    ...recordsOf(moved, before + 12, after, 47),
  ])
  const day = monday + (before / 48) * 86_400_000

  it('is forecast in every hour, with the sums of its old whole before and of its new one after', () => {
    assert.equal(forecasts.length, (11 * 24 + 1) * tree.length)
    assert.ok(
      addsUp(
        forecasts.filter(({ start }) => start <= day),
        tree,
      ) > 0,
    )
    assert.ok(
      addsUp(
        forecasts.filter(({ start }) => start > day),
        moved,
      ) > 0,
    )
  })

  it('is forecast about as well on the day of the move as before', () => {
    const missOf = (from: number, to: number): number => {
      const misses = forecasts
        .filter(({ group, start }) => group === 's1' && start > from && start <= to)
        .flatMap(({ start, quantilesWh }) =>
          quantilesWh.slice(0, 12).map((step, n) => {
            const truth = loadOf((start - monday) / halfHour + n, moved[3]!)
            return Math.abs(step[2]! / truth - 1)
          }),
        )
      return misses.reduce((sum, miss) => sum + miss, 0) / misses.length
    }
    const [usual, then] = [missOf(day - 2 * 86_400_000, day), missOf(day, day + 86_400_000)]
    assert.ok(then < 1.5 * usual + 0.01, `${then} after ${usual}`)
  })
})
