import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MixName } from './faults.ts'
import type { Rules } from './rules.ts'
import { all } from './rules.ts'
import { findRun, simulate, type Verdict } from './simulate.ts'

/** Seeds to try before a rule counts as useless. The rarest break, commit_again, shows in about 1 of 300. */
const patience = 30_000

/** Without its net, the halt on a short changelog, a torn batch shows as what it is. */
const noNet = { haltOnShortChangelog: false } as const

const broken: readonly (readonly [string, Partial<Rules>, readonly MixName[], readonly Verdict[]])[] = [
  ['1: older owners are not fenced', { fence: false }, ['takeOver'], ['duplicate']],
  [
    '1: the changelog is read before the fence',
    { readAfterFence: false, ...noNet },
    ['takeOver', 'kill'],
    ['duplicate'],
  ],
  ['1: the same, with the net: it halts for nothing', { readAfterFence: false }, ['takeOver'], ['stuck']],
  ['1: no marker is read up to', { marker: false, ...noNet }, ['takeOver', 'kill'], ['duplicate']],
  ['1: the same, with the net: it halts for nothing', { marker: false }, ['takeOver'], ['stuck']],
  ['1: the position comes from the group', { positionFromLog: false }, ['staleOffset'], ['lost']],
  ['2: the link is a transaction of its own', { oneTransaction: false, ...noNet }, ['kill'], ['duplicate']],
  ['2: duplicates within a batch are not looked for', { dedupeWithinBatch: false }, ['kill'], ['duplicate']],
  ['2: intervals are claimed before the commit', { claimAfterCommit: false }, ['kill'], ['lost']],
  ['3: an apply does not compare', { compareAndSet: false }, ['viewLoss'], ['duplicate']],
  ['3: a rebuild writes in place', { generation: false }, ['viewLoss'], ['duplicate']],
  ['3: a generation may have gaps', { wholeGeneration: false }, ['viewLoss'], ['duplicate']],
  ['3: the same, with a view that goes back', { wholeGeneration: false }, ['viewRollback'], ['duplicate']],
  ['3: the hash is not compared', { hash: false }, ['restore'], ['duplicate', 'lost']],
  ['3: the view says where it must stand (behind)', { expectedFromLog: false }, ['viewRollback'], ['duplicate']],
  ['3: the view says where it must stand (ahead)', { expectedFromLog: false }, ['restore'], ['lost']],
  ['3: a changelog that lost its end is believed', noNet, ['shortChangelog'], ['duplicate']],
  [
    '3: a changelog that lost its start is believed',
    { haltOnShortRetention: 'never' },
    ['shortRetention'],
    ['duplicate'],
  ],
  ['3: its reach is compared by instant', { haltOnShortRetention: 'by_instant' }, ['shortRetention'], ['duplicate']],
  ['4: no answer is taken for a failure', { unknown: 'assume_failed' }, ['lostRequests'], ['duplicate']],
  ['4: no answer is taken for success', { unknown: 'assume_committed' }, ['lostRequests'], ['lost']],
  ['4: the producer aborts and goes on', { unknown: 'abort_and_reuse' }, ['lostRequests'], ['duplicate']],
  ['4: the commit is sent again', { unknown: 'commit_again', ...noNet }, ['slowNetwork'], ['duplicate', 'lost']],
  ['4: a fenced owner always comes back', { afterFence: 'always_assign' }, ['takeOver'], ['stuck']],
  ['4: a fenced owner never comes back', { afterFence: 'always_stop' }, ['timeOut'], ['stuck']],
  ['5: lateness goes by the worker’s clock', { latenessFromLog: false }, ['clocks'], ['duplicate']],
  ['5: the same, with a clock ahead', { latenessFromLog: false }, ['clocks'], ['lost']],
  ['5: the floor may go down', { monotoneFloor: false }, ['clocks'], ['duplicate']],
  ['6: every partition takes every meter', { owners: false }, ['kill'], ['duplicate']],
  ['6: two points share an index', { uniqueIndex: false }, ['kill'], ['lost']],
  ['6: a frame is forwarded after the commit', { forwardInTransaction: false }, ['kill'], ['lost']],
]

for (const [what, rules, mixes, verdicts] of broken) {
  test(`rule ${what}, and that is found as ${verdicts.join(' or ')}`, () => {
    const found = findRun({ rules }, mixes, verdicts, patience)
    assert.ok(found, `no run in ${patience} seeds shows it`)
    const { verdict } = simulate(found)
    assert.ok(verdict === 'fine' || verdict === 'halted', 'with the rule the same seed is fine')
  })
}

test('every rule is taken out by some test', () => {
  const taken = new Set(broken.flatMap(([, rules]) => Object.keys(rules)))
  assert.deepEqual(
    Object.keys(all).filter((rule) => !taken.has(rule)),
    [],
  )
})
