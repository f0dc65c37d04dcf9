import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { absorb } from '../../../../operators/privacy/release/absorb.ts'
import type { ReleaseTools } from '../../../../operators/privacy/release/domain.ts'
import { policyEpochs } from '../../../../operators/privacy/release/policy-epochs.ts'
import { shippedRules } from '../../../../operators/privacy/release/rules/shipped.ts'
import { changedRows, emptyState, headRow } from '../../../../operators/privacy/release/state.ts'
import { addCell, emptySum, type GroupSum, sumTable } from '../../../../operators/privacy/release/sums.ts'
import type { PartialCell } from '../../../../schemas/load-partial.ts'
import { cell, group, partial, policyWith, registerOf, releaseOptions } from '../../../helpers/release-fixtures.ts'

const runs = { numRuns: Math.ceil(Number(process.env['MV_CASES'] ?? 2_000) / 10) }
/** Homes by feeder: released by half hours, by hours, by days, not at all. */
const homes = { 'feeder-1': 3_000, 'feeder-2': 2_000, 'feeder-3': 500, 'feeder-4': 200 }
const register = registerOf([
  group('utility', 'utility-1', null, 5_700),
  group('region', 'region-1', 'utility-1', 5_700),
  group('substation', 'substation-1', 'region-1', 5_700),
  ...Object.entries(homes).map(([name, count]) => group('feeder', name, 'substation-1', count)),
])
const policy = policyWith({ ruleSet: { ...shippedRules.get('us-ca-d1405016')!, membership: 'free' as const } })
const tools: ReleaseTools = { ...releaseOptions({ register, policy }), policyOn: policyEpochs(policy).on }

const wh = fc.nat(900)
const energy = fc
  .tuple(wh, wh, wh)
  .map((all) => all.sort((a, b) => b - a))
  .map(([largestWh = 0, secondWh = 0, thirdWh = 0]) => ({ largestWh, secondWh, thirdWh }))
const anyCell: fc.Arbitrary<PartialCell> = fc
  .record({
    window: fc.constantFrom('2026-01-15T10:00', '2026-01-15T10:30', '2026-01-15T11:00', '2026-01-16T00:00'),
    channel: fc.constantFrom('import', 'export'),
    phase: fc.constantFrom('preliminary', 'late'),
    group: fc.constantFrom(...Object.keys(homes)),
    boundedWh: wh,
    exactWh: wh,
    count: fc.nat(3),
    energy,
  })
  .map(({ window, boundedWh, energy: largest, ...rest }) => cell(window, boundedWh, { ...rest, ...largest }))

/** Rows of the state after these batches, but for the one that tells how many there were. */
function rowsAfter(batches: readonly (readonly PartialCell[])[]): ReadonlyMap<string, string> {
  const state = emptyState()
  batches.forEach((cells, i) => {
    absorb(state, partial(0, i + 1, '2026-01-16T01:00', cells), tools)
  })
  const rows = changedRows(state).filter(({ row }) => row !== headRow)
  return new Map(rows.map(({ row, body }) => [row, Buffer.from(body ?? []).toString()]))
}

describe('absorb', () => {
  it('adds the cells of a batch in any order as it adds them one by one', () => {
    fc.assert(
      fc.property(fc.array(anyCell, { minLength: 1, maxLength: 30 }), (cells) => {
        const singly = rowsAfter(cells.map((each) => [each]))
        assert.deepEqual(rowsAfter([cells]), singly)
        assert.deepEqual(rowsAfter([cells.toReversed()]), singly)
        const sums = [...singly.keys()].filter((row) => row.startsWith('sums '))
        for (const { group: name, window, channel, phase, boundedWh } of cells) {
          const steps = name === 'feeder-2' ? ['', ' 3600'] : name === 'feeder-3' ? ['', ' 86400'] : ['']
          const start = new Date(window).toISOString()
          if (boundedWh > 0) assert.ok(sums.includes(`sums ${start} ${channel} ${phase}`))
          for (const step of steps) assert.ok(sums.some((row) => row.endsWith(`${channel} ${phase}${step}`)))
        }
      }),
      runs,
    )
  })
})

describe('sumTable', () => {
  it('adds as addCell does', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(600), anyCell), { maxLength: 30 }), (added) => {
        const table = sumTable()
        const expected = new Map<number, GroupSum>()
        for (const [at, each] of added) {
          table.add(at, each)
          expected.set(at, addCell(expected.get(at) ?? emptySum, each))
        }
        assert.deepEqual(
          [...table],
          [...expected].sort(([a], [b]) => a - b),
        )
      }),
      runs,
    )
  })

  it('leaves a sum alone that would leave the safe integers', () => {
    const table = sumTable([[3, { ...emptySum, exactWh: Number.MAX_SAFE_INTEGER }]])
    const before = table.get(3)
    assert.throws(() => table.add(3, cell('2026-01-15T10:00', 1)), RangeError)
    assert.throws(() => table.add(4, cell('2026-01-15T10:00', 0.5)), RangeError)
    assert.deepEqual([...table], [[3, before]])
  })
})
