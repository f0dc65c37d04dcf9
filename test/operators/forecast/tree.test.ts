import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type ParentOf, treeOf } from '../../../operators/forecast/tree.ts'
import { consistencyOf } from '../../../operators/privacy/release/consistent.ts'
import { planDay } from '../../../operators/privacy/release/day-plan.ts'
import { defaultPolicy, resolvePolicy } from '../../../operators/privacy/release/policy.ts'
import type { LoadPublic } from '../../../schemas/load-public.ts'
import { normals, released } from '../../helpers/forecast-fixtures.ts'
import { group } from '../../helpers/release-fixtures.ts'

const groups = [
  group('utility', 'u', null, 60_000),
  group('region', 'r1', 'u', 40_000),
  group('region', 'r2', 'u', 20_000),
  group('substation', 's1', 'r1', 25_000),
  group('substation', 's2', 'r1', 15_000),
  group('feeder', 'f1', 's1', 25_000),
]
const parentOf: ParentOf = ({ group: name }) => groups.find((each) => each.group === name)?.parent
const plan = planDay(resolvePolicy(defaultPolicy), groups)

/** A seal of the plan's groups with these values; `null` withholds one. */
function seal(of: (name: string) => number | null, consistent = true): LoadPublic[] {
  const raw = plan.groups.map(({ group: name }) => of(name))
  const made = raw.includes(null) ? raw : consistencyOf(plan).estimate(raw)
  return plan.groups.map(({ level, group: name, registered }, i) =>
    released(0, raw[i]!, {
      level,
      group: name,
      registered,
      consistentWh: consistent ? (made[i] ?? null) : null,
      privacy: { ...released(0, 0).privacy, sigma2: plan.resolved.levels[level].statement[1].sigma2 },
    }),
  )
}

describe('the tree of a seal', () => {
  it('has wholes before their parts, shares by registered points, and the families that are complete', () => {
    const { nodes, families } = treeOf(
      seal(() => 1_000),
      parentOf,
    )
    assert.deepEqual(
      nodes.map(({ name, whole, share }) => [name, whole === undefined ? null : nodes[whole]!.name, share]),
      [
        ['utility/u', null, 0],
        ['region/r1', 'utility/u', 2 / 3],
        ['region/r2', 'utility/u', 1 / 3],
        ['substation/s1', 'region/r1', 5 / 8],
        ['substation/s2', 'region/r1', 3 / 8],
        ['feeder/f1', 'substation/s1', 1],
      ],
    )
    assert.deepEqual(
      families.map(({ whole, parts }) => [nodes[whole]!.name, parts.map((at) => nodes[at]!.name)]),
      [
        ['utility/u', ['region/r1', 'region/r2']],
        ['region/r1', ['substation/s1', 'substation/s2']],
        ['substation/s1', ['feeder/f1']],
      ],
    )
  })

  it('ties a group to the nearest one above that has a value, and no family that lacks a part', () => {
    const { nodes, families } = treeOf(
      seal((name) => (name === 's1' || name === 'r2' ? null : 1_000)),
      parentOf,
    )
    assert.deepEqual(
      nodes.map(({ name, whole }) => [name, whole === undefined ? null : nodes[whole]!.name]),
      [
        ['utility/u', null],
        ['region/r1', 'utility/u'],
        ['substation/s2', 'region/r1'],
        ['feeder/f1', 'region/r1'],
      ],
    )
    // Feeder f1 is all of the withheld substation, so nothing of region r1 is missing.
    assert.deepEqual(
      families.map(({ whole }) => nodes[whole]!.name),
      ['region/r1'],
    )
  })

  it('is flat where no parents are known', () => {
    const { nodes, families } = treeOf(
      seal(() => 1_000),
      () => undefined,
    )
    assert.ok(nodes.every(({ whole }) => whole === undefined))
    assert.deepEqual(families, [])
  })

  it('knows the noise of what is forecast: of consistent values and of their differences from shares', () => {
    const draws = 4_000
    const normal = normals(29)
    const sigma = plan.groups.map(({ level }) => {
      const [n, d] = plan.resolved.levels[level].statement[1].sigma2.split('/').map(Number)
      return Math.sqrt(n! / (d ?? 1))
    })
    const byName = new Map(plan.groups.map(({ level, group: name }, i) => [`${level}/${name}`, i]))
    const { nodes } = treeOf(
      seal(() => 0),
      parentOf,
    )
    const squares = nodes.map(() => 0)
    for (let draw = 0; draw < draws; draw++) {
      const values = consistencyOf(plan).estimate(sigma.map((each) => Math.round(each * normal()))) as number[]
      nodes.forEach(({ name, whole, share }, i) => {
        const own = values[byName.get(name)!]!
        const above = whole === undefined ? 0 : values[byName.get(nodes[whole]!.name)!]!
        squares[i]! += (own - share * above) ** 2
      })
    }
    nodes.forEach(({ name, noise }, i) => {
      const seen = squares[i]! / draws
      // Six standard errors of a mean of squares, a false alarm in 10^8; rounding adds up to 1 Wh.
      assert.ok(Math.abs(seen - noise) <= 6 * noise * Math.sqrt(2 / draws) + 2, `${name}: ${seen} is not ${noise}`)
    })
  })

  it('takes the noise of raw values where none are consistent', () => {
    const { nodes } = treeOf(
      seal(() => 1_000, false),
      parentOf,
    )
    const [utility, region] = nodes
    const [n, d] = plan.resolved.levels.region.statement[1].sigma2.split('/').map(Number)
    assert.ok(Math.abs(region!.noise / (n! / (d ?? 1) + (2 / 3) ** 2 * utility!.noise) - 1) < 1e-9)
  })
})
