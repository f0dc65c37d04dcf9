import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { BoundedReadings } from '../../../../../operators/contract/bounded-readings.ts'
import type { Envelope } from '../../../../../operators/contract/operator.ts'
import { partialSums } from '../../../../../operators/privacy/partial-sums.ts'
import { planDay } from '../../../../../operators/privacy/release/day-plan.ts'
import { defaultPolicy, resolvePolicy } from '../../../../../operators/privacy/release/policy.ts'
import { holding, rulesOf } from '../../../../../operators/privacy/release/restricted/rules.ts'
import { addCell, emptySum, type GroupSum } from '../../../../../operators/privacy/release/sums.ts'
import type { BoundedWh } from '../../../../../schemas/bounded.ts'
import type { LoadPartial } from '../../../../../schemas/load-partial.ts'
import { group } from '../../../../helpers/release-fixtures.ts'
import { at, runBatch, whole } from '../../../harness.ts'

const window = at('2026-01-15T12:00Z')
const windowSeconds = 1_800
const nothing = 0 as BoundedWh

/** What a feeder's partial sums come to where each home sent one value. */
function sumOf(values: readonly number[]): GroupSum {
  const batch = values.map((exactWh): Envelope<BoundedReadings> => {
    const place = { channel: 'import', start: window, durationSeconds: windowSeconds, window, windowSeconds } as const
    const bounded = { utility: nothing, region: nothing, substation: nothing, feeder: nothing }
    const reading = { ...place, date: '2026-01-15', day: 20_468, exactWh, bounded }
    const groups = { utility: 'u', region: 'r', substation: 's', feeder: 'f' }
    return {
      value: { groups, pointsAtConnection: 1, readings: [reading] },
      origin: { ...whole.origin, receivedAt: window + 1_805_000 },
    }
  })
  const [made] = runBatch(partialSums(), batch)
  assert.ok(made?.kind === 'emit')
  return (made.value as LoadPartial).cells.filter(({ level }) => level === 'feeder').reduce(addCell, emptySum)
}

const homes = (count: number, wh: number): number[] => Array.from({ length: count }, () => wh)

describe('the rules of restricted aggregates', () => {
  const { groups } = planDay(resolvePolicy(defaultPolicy), [group('feeder', 'f', null, 1_000)])
  const rules = rulesOf(resolvePolicy(defaultPolicy), groups)
  const said = (values: readonly number[]) => rules(holding(groups[0]!, sumOf(values)))

  for (const { says, values, expected } of [
    { says: 'show many alike', values: homes(101, 10_000), expected: null },
    { says: 'hold one with nearly all', values: [...homes(100, 100), 900_000], expected: 'dominance' },
    { says: 'hold one far below zero', values: [...homes(100, 10_000), -900_000], expected: 'dominance' },
    {
      says: 'hold one below zero that makes up all others',
      values: [...homes(100, 10_000), -1e6],
      expected: 'dominance',
    },
    { says: 'hold two that make up each other', values: [...homes(100, 100), 9e5, -9e5], expected: 'dominance' },
    { says: 'hold all below zero', values: homes(101, -10_000), expected: 'dominance' },
    { says: 'show a small one below zero among many', values: [...homes(100, 10_000), -900], expected: null },
  ]) {
    it(says, () => assert.equal(said(values), expected))
  }

  it('show nothing that they would hold if every value were above zero', () => {
    const values = fc.array(
      fc.oneof(
        { weight: 40, arbitrary: fc.integer({ min: -300, max: 900 }) },
        { weight: 1, arbitrary: fc.constantFrom(9_000, -9_000) },
      ),
      {
        minLength: 100,
        maxLength: 130,
      },
    )
    fc.assert(
      fc.property(values, (all) => said(all) !== null || said(all.map(Math.abs)) === null),
      { numRuns: Math.ceil(Number(process.env['MV_CASES'] ?? 2_000) / 5) },
    )
  })
})
