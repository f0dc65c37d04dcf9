import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { rational } from 'diffprivlib-ts'
import type { RegisteredGroup } from '../../../../operators/contract/register.ts'
import { unpackRecords } from '../../../../operators/privacy/ledger/packed-records.ts'
import { consistencyOf } from '../../../../operators/privacy/release/consistent.ts'
import { planDay } from '../../../../operators/privacy/release/day-plan.ts'
import { defaultPolicy, resolvePolicy } from '../../../../operators/privacy/release/policy.ts'
import type { LedgerSeal } from '../../../../schemas/ledger-record.ts'
import type { LoadPublic } from '../../../../schemas/load-public.ts'
import { drive } from '../../../helpers/release-driver.ts'
import { group, partial, policyWith, publicCodec, releaseOperator } from '../../../helpers/release-fixtures.ts'

const big = 100_000

/** Equal bounds, so that every level has the same variance. */
const level = policyWith({ clipWhPerHalfHour: { utility: 9_000, region: 9_000, substation: 9_000, feeder: 9_000 } })
const plan = (groups: readonly RegisteredGroup[], policy = level) => planDay(resolvePolicy(policy), groups)

const chain = [
  group('utility', 'u', null, big),
  group('region', 'r', 'u', big),
  group('substation', 's', 'r', big),
  group('feeder', 'f', 's', big),
]
const two = [...chain.slice(0, 3), group('feeder', 'f1', 's', big), group('feeder', 'f2', 's', big)]

describe('consistent values', () => {
  const cases: readonly (readonly [string, readonly RegisteredGroup[], (number | null)[], (number | null)[]])[] = [
    ['are the mean where one group stands for four levels', chain, [10, 20, 30, 40], [25, 25, 25, 25]],
    ['spread over two feeders what their sum lacks', two, [12, 12, 12, 3, 3], [11, 11, 11, 6, 5]],
    ['keep negative values', two, [-7, -7, -7, -3, -4], [-7, -7, -7, -3, -4]],
    [
      'pass over a part without a single point',
      [...two, group('feeder', 'f3', 's', 0)],
      [12, 12, 12, 3, 3, null],
      [11, 11, 11, 6, 5, null],
    ],
    [
      'are the raw ones where a withheld part leaves the rest open',
      [...chain.slice(0, 3), group('feeder', 'f1', 's', big), group('feeder', 'f2', 's', 600)],
      [10, 10, 40, 3, null],
      [20, 20, 20, 3, null],
    ],
    [
      'go through a withheld whole whose parts are all known, and give none for it',
      [
        group('utility', 'u', null, big),
        group('region', 'r', 'u', 600),
        group('substation', 's', 'r', big),
        group('feeder', 'f', 's', big),
      ],
      [10, null, 20, 30],
      [20, null, 20, 20],
    ],
    [
      'leave parts alone below a withheld whole that is not known',
      [
        group('utility', 'u', null, big),
        group('region', 'r', 'u', 600),
        group('substation', 's1', 'r', big),
        group('substation', 's2', 'r', 600),
        group('feeder', 'f1', 's1', big),
        group('feeder', 'f2', 's2', 600),
      ],
      [10, null, 20, null, 30, null],
      [10, null, 25, null, 25, null],
    ],
    ['are none where everything is withheld', [group('utility', 'u', null, 3)], [null], [null]],
    [
      'join a part without a parent to the only group above',
      [group('utility', 'u', null, big), group('region', 'r', null, big)],
      [10, 20],
      [15, 15],
    ],
    [
      'keep trees without a common whole apart',
      [group('region', 'r1', null, big), group('region', 'r2', null, big), group('substation', 's', 'r2', big)],
      [10, 20, 40],
      [10, 30, 30],
    ],
  ]
  for (const [what, groups, raw, expected] of cases) {
    it(what, () => {
      const made = plan(groups)
      // Noise withholds the groups of 600, whatever is left of the ones above.
      assert.deepEqual(
        made.groups.map(({ withheld }) => withheld !== null),
        raw.map((value) => value === null),
      )
      assert.deepEqual(consistencyOf(made).estimate(raw), expected)
    })
  }

  it('weigh by variance: the tighter bound counts for more', () => {
    const policy = policyWith({ clipWhPerHalfHour: { utility: 20_000, region: 10_000, substation: 1, feeder: 1 } })
    const made = plan([group('utility', 'u', null, big), group('region', 'r', 'u', big)], policy)
    assert.deepEqual(consistencyOf(made).estimate([0, 100]), [80, 80])
    const own = rational.toNumber(made.resolved.levels.region.sigma2, 'down')
    assert.ok(Math.abs(consistencyOf(made).variances[1]! / own - 0.8) < 1e-9)
  })

  it('are worked out once for a plan', () => {
    const made = plan(two)
    assert.equal(consistencyOf(made), consistencyOf(made))
  })

  it('stand beside the raw values in every sealed record, in both phases', () => {
    const partials = [1, 2].flatMap((seq) => {
      const progress = seq === 1 ? '2026-01-15T00:10' : '2026-01-16T06:00'
      return [partial(0, seq, progress), partial(1, seq, progress)]
    })
    const { ledger } = drive({ operator: releaseOperator({ sealsPerStep: 64 }), partials })
    const seals = ledger.flatMap((link) => (link.kind === 'seal' && link.date === '2026-01-15' ? [opened(link)] : []))
    assert.equal(seals.length, 2 * 2 * 48)
    const made = planDay(
      resolvePolicy(defaultPolicy),
      seals[0]!.map(({ level, group: name, registered }) => group(level, name, parents.get(name) ?? null, registered)),
    )
    for (const records of seals) {
      const raw = records.map(({ rawWh }) => rawWh)
      assert.deepEqual(
        records.map(({ consistentWh }) => consistentWh),
        consistencyOf(made).estimate(raw),
      )
    }
  })
})

const opened = (seal: LedgerSeal): LoadPublic[] =>
  unpackRecords(seal.records, seal.hash, seal.count).map(({ bytes }) => publicCodec.decode(bytes))

const parents = new Map([
  ['region-1', 'utility-1'],
  ['substation-1', 'region-1'],
  ...[1, 2, 3, 4].map((n) => [`feeder-${n}`, 'substation-1'] as const),
])
