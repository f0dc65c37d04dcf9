import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { rational, zcdpToEpsilon } from 'diffprivlib-ts'
import { HaltError } from '../../../../operators/contract/halt.ts'
import { dayNamed, gridSeals } from '../../../../operators/privacy/release/day-grid.ts'
import { type GroupSelector, selectGroups } from '../../../../operators/privacy/release/noise.ts'
import { PolicyError, type ReleasePolicy, resolvePolicy } from '../../../../operators/privacy/release/policy.ts'
import { checkConnections, tellsWhoReported } from '../../../../operators/privacy/release/reporting.ts'
import { shippedRules } from '../../../../operators/privacy/release/rules/shipped.ts'
import { selectionDelta, sharesBeside } from '../../../../operators/privacy/release/selection-terms.ts'
import { relinked } from '../../../helpers/ledger-fixture.ts'
import { drive, rowsOf } from '../../../helpers/release-driver.ts'
import { countingNoise, policyWith, releaseOperator } from '../../../helpers/release-fixtures.ts'
import {
  faultsOf,
  partials,
  type Reported,
  recordingSelector,
  recordsOf,
  run,
  selecting,
  selection,
  shownOn,
} from '../../../helpers/selection-fixtures.ts'

describe('the selection of groups: its terms', () => {
  it('splits its share evenly over the levels, and never spends more than it is charged', () => {
    const { cap, selection: terms } = resolvePolicy(selecting())
    assert.ok(terms)
    assert.equal(rational.format(terms.rho), rational.format(rational.mul(cap, rational.ratio(1n, 80n))))
    const spent = rational.div(rational.mul(terms.epsilon, terms.epsilon), rational.integer(2))
    assert.ok(rational.compare(spent, terms.rho) <= 0)
    assert.equal(rational.format(rational.mul(terms.delta, rational.integer(4))), selection.delta)
    assert.equal(rational.format(selectionDelta(terms.kind)!), '1/400000000000')
    assert.equal(selectionDelta('interval_sums'), undefined)
    assert.equal(selectionDelta('partition_selection(delta=1/0)'), undefined)
  })

  it('states it, with what is left of delta, in every record', () => {
    const resolved = resolvePolicy(selecting())
    const { mechanism, epsilonDay, epsilonYear } = resolved.levels.feeder.statement[1]
    assert.equal(mechanism, 'discrete_gaussian/1, partition_selection/1')
    for (const [span, stated] of [
      [1n, epsilonDay],
      [366n, epsilonYear],
    ] as const) {
      const left = rational.sub(rational.parse('1/1000000'), rational.ratio(span, 100_000_000_000n))
      const due = zcdpToEpsilon(rational.mul(resolved.rho, rational.integer(span)), left)
      assert.equal(stated, rational.toNumber(due, 'up'))
    }
    assert.ok(epsilonDay <= 1)
  })

  const refused: readonly (readonly [string, Partial<ReleasePolicy>, RegExp])[] = [
    ['shares that leave nothing for it', { shares: policyWith({}).shares }, /selection.share add up to 21\/20/],
    [
      'shares that leave nothing for its delta',
      { shares: { ...selecting().shares, utility: '1189/5000' } },
      /leave nothing for selection.delta/,
    ],
    ['more of delta than a year has', { selection: { ...selection, delta: '1/700000000' } }, /selection.delta must be/],
    ['a share of nothing', { selection: { ...selection, share: '0/1' } }, /selection.share/],
    ['a share too small to tell counts apart', { selection: { ...selection, share: '1/100000' } }, /too small/],
    ['a threshold of 0', { selection: { ...selection, preThreshold: 0 } }, /preThreshold/],
    ['half a measuring point', { selection: { ...selection, pointsAtConnection: 0.5 } }, /pointsAtConnection/],
    ['rules with coarser windows', { ruleSet: shippedRules.get('us-ca-d1405016')! }, /without coarser windows/],
  ]
  for (const [what, change, message] of refused) {
    it(`refuses ${what}`, () => {
      assert.throws(
        () => resolvePolicy(selecting(change)),
        (error) => error instanceof PolicyError && message.test(error.message),
      )
    })
  }

  it('fits beside shares that spend all, once they are cut down', () => {
    for (const share of ['1/1000', '1/20', '1/2']) {
      const own = { ...selection, share }
      const { rho, cap } = resolvePolicy(
        selecting({ shares: sharesBeside(policyWith({}).shares, own), selection: own }),
      )
      assert.ok(rational.compare(rho, rational.mul(cap, rational.ratio(99n, 100n))) > 0)
    }
  })

  it('refuses a register in which a connection has more points than count as one household', () => {
    const entries = [{ pointsAtConnection: 1 }, { pointsAtConnection: 2 }]
    const refusal = { message: /pointsAtConnection must be at least 2/, reason: 'points_over_limit' }
    assert.throws(() => checkConnections(entries, selecting()), refusal)
    checkConnections(entries, selecting({ selection: { ...selection, pointsAtConnection: 2 } }))
    checkConnections(entries, policyWith({}))
  })

  it('never keeps a group below the threshold, which a selector that is off by one fails', () => {
    const terms = { epsilon: rational.integer(5), delta: rational.parse('999/1000'), preThreshold: 100 }
    const kept = (select: GroupSelector, count: number): number =>
      Array.from({ length: 200 }, () => select(terms, new Map([['feeder/f', count]])).length).reduce((a, b) => a + b)
    assert.equal(kept(selectGroups, 99), 0)
    assert.ok(kept(selectGroups, 100) > 150)
    const offByOne: GroupSelector = (given, counts) =>
      selectGroups({ ...given, preThreshold: given.preThreshold - 1 }, counts)
    assert.ok(kept(offByOne, 99) > 150)
  })
})

describe('the selection of groups: what it is made from', () => {
  const counted: readonly (readonly [string, readonly Reported[], number])[] = [
    ['the import values of the window at midday', [{ count: 150 }], 150],
    ['those of both phases together', [{ count: 90 }, { count: 20, late: true }], 110],
    ['late values alone', [{ count: 20, late: true }], 20],
    ['no other window', [{ count: 150, window: '11:30' }], 0],
    ['not the window after it', [{ count: 150, window: '12:30' }], 0],
    ['nothing of what is exported', [{ count: 150, channel: 'export' }], 0],
  ]
  for (const [what, reported, count] of counted) {
    it(`is ${what}: ${count}`, () => {
      const { select, told } = recordingSelector()
      run(reported, select)
      assert.deepEqual(told('feeder/feeder-1'), [count, 0])
    })
  }

  const midday: readonly (readonly [string, string])[] = [
    ['2026-01-15', '2026-01-15T11:00:00.000Z'],
    ['2026-03-29', '2026-03-29T10:30:00.000Z'],
    ['2026-10-25', '2026-10-25T10:30:00.000Z'],
  ]
  for (const [date, window] of midday) {
    it(`is of one window in each phase on ${date}: that of ${window}`, () => {
      const grid = dayNamed('Europe/Berlin', date)
      for (const phase of ['preliminary', 'late'] as const) {
        const seals = gridSeals('Europe/Berlin', grid, selecting(), phase, [3_600])
        const told = seals.filter((seal) => tellsWhoReported({ grid }, seal))
        assert.deepEqual(
          told.map((seal) => [new Date(seal.window).toISOString(), seal.windowSeconds]),
          [[window, 1_800]],
        )
      }
    })
  }

  it('is of measuring points, at a threshold that so many households as it asks for can reach alone', () => {
    const { select, told, asked } = recordingSelector()
    drive({
      operator: releaseOperator({
        policy: selecting({ selection: { ...selection, pointsAtConnection: 3 } }),
        noise: { ...countingNoise(), select },
      }),
      partials: partials([{ count: 302 }]),
    })
    assert.deepEqual(told('feeder/feeder-1'), [302, 0])
    assert.deepEqual([...new Set(asked.map(({ preThreshold }) => preThreshold))], [298])
  })

  it('changes by at most one household in one group of a level, wherever one comes and goes in a day', () => {
    const others: readonly Reported[] = [{ count: 150 }, { count: 120, group: 'feeder-2' }]
    const household: readonly Reported[] = [
      { count: 1, window: '11:30', group: 'feeder-2' },
      { count: 1, window: '12:00' },
      { count: 1, window: '12:30', group: 'feeder-2' },
      { count: 1, window: '12:30', late: true },
      { count: 1, window: '12:00', channel: 'export', group: 'feeder-2' },
    ]
    const [without, with_] = [others, [...others, ...household]].map((reported) => {
      const { select, asked } = recordingSelector()
      run(reported, select)
      return asked.slice(0, 4).flatMap(({ counts }) => [...counts])
    })
    const changed = with_!.flatMap(([name, count], i) =>
      count === without![i]![1] ? [] : [[name, count - without![i]![1]]],
    )
    assert.deepEqual(changed, [['feeder/feeder-1', 1]])
  })

  it('is asked once for each level and day, from the third day on', () => {
    const { select, asked } = recordingSelector()
    run([{ count: 150 }], select)
    assert.equal(asked.length, 8)
    assert.deepEqual([...new Set(asked.map(({ preThreshold }) => preThreshold))], [100])
  })
})

describe('the selection of groups: what is released', () => {
  const all: readonly Reported[] = [
    { count: 100 },
    { count: 99, group: 'feeder-2' },
    { count: 5_000, group: 'feeder-4' },
  ]

  it('releases what is selected and the register allows, two days later, and nothing before', () => {
    const shown = shownOn(run(all, recordingSelector().select))
    assert.deepEqual(shown.get('2026-01-15'), [])
    assert.deepEqual(shown.get('2026-01-16'), [])
    assert.deepEqual(shown.get('2026-01-17'), ['feeder-1'])
    assert.deepEqual(shown.get('2026-01-18'), [])
  })

  it('gives those that were not selected the reason of small groups, and a record in each window', () => {
    const { ledger } = run(all, recordingSelector().select)
    for (const [date, records] of recordsOf(ledger)) {
      assert.equal(records.length, 7)
      const second = records.find(({ group }) => group === 'feeder-2')!
      assert.deepEqual(
        second.flags.filter((flag) => flag !== 'late_increment_added'),
        ['withheld_small_group'],
        date,
      )
    }
  })

  it('charges every level for it with the day that pays, and the ledger verifies', () => {
    const { ledger } = run(all, recordingSelector().select)
    const charge = ledger[0]!
    assert.ok(charge.kind === 'charge')
    const { rho, kind, rho: _ } = resolvePolicy(selecting()).selection!
    assert.deepEqual(
      charge.charges.filter(({ release }) => release !== 'interval_sums'),
      ['utility', 'region', 'substation', 'feeder'].map((level) => ({
        release: kind,
        level,
        rho: rational.format(rho),
      })),
    )
    assert.deepEqual(faultsOf(ledger), [])
  })

  it('is found out where it is not charged', () => {
    const { ledger } = run(all, recordingSelector().select)
    const uncharged = ledger.map((link) =>
      link.kind === 'charge'
        ? { ...link, charges: link.charges.filter(({ release }) => release === 'interval_sums') }
        : link,
    )
    assert.ok(faultsOf(relinked(uncharged)).includes('cost_differs'))
    const rows = run(all, recordingSelector().select).rows
    assert.throws(() => releaseOperator({ policy: selecting() }).restore(rowsOf(rows), relinked(uncharged)), HaltError)
  })

  it('changes nothing at all where there is none', () => {
    const [absent, none] = [policyWith({}), policyWith({ selection: null })].map((policy) =>
      drive({ operator: releaseOperator({ policy }), partials: partials(all) }),
    )
    assert.deepEqual(
      none!.ledger.map(({ hash }) => Buffer.from(hash).toString('hex')),
      absent!.ledger.map(({ hash }) => Buffer.from(hash).toString('hex')),
    )
    assert.ok([...none!.rows.keys()].every((row) => !row.startsWith('reporting')))
  })

  it('forgets who reported once the selection is made', () => {
    const { rows } = run(all, recordingSelector().select)
    assert.deepEqual(
      [...rows.keys()].filter((row) => row.startsWith('reporting')),
      ['reporting 2026-01-17', 'reporting 2026-01-18'],
    )
  })
})
