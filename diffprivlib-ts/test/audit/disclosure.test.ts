import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  anonymity,
  type Cell,
  type CellAt,
  cellOf,
  type DisclosureRule,
  isSensitive,
  recomputationInterval,
} from '../../src/audit/index.ts'
import { ParameterError } from '../../src/errors.ts'
import { agrees, vectorsOf } from '../helpers/vectors.ts'

const ruleOf = (text: string): DisclosureRule => {
  const [kind, ...numbers] = text.split(/[ /]/)
  const [first = 0, second = 0] = numbers.map(Number)
  if (kind === 'p') return { kind: 'p-percent', p: first }
  if (kind === 'pq') return { kind: 'pq', p: first, q: second }
  if (kind === 'nk') return { kind: 'dominance', n: first, k: second }
  if (kind === 'min-count') return { kind: 'min-count', count: first }
  return { kind: 'count-and-share', count: Number(kind), share: first }
}

const at = (name: string): CellAt => ({ row: 'wxyz'.indexOf(name[0]!), column: 'abcd'.indexOf(name[1]!) })

describe('known answers of disclosure rules', () => {
  const vectors = vectorsOf('disclosure_rules')
  for (const vector of vectors) {
    const inputs = vector.inputs as unknown as Readonly<Record<string, unknown>>
    const expected = vector.expected as unknown as Readonly<Record<string, unknown>>
    if (inputs['rule'] !== undefined)
      it(`${vector.id}: ${inputs['cell']} by ${inputs['rule']}`, () => {
        const cell: Cell = Array.isArray(inputs['contributions'])
          ? cellOf(inputs['contributions'] as number[])
          : { count: inputs['n'] as number, total: inputs['total'] as number, largest: inputs['largest'] as number[] }
        assert.equal(isSensitive(cell, ruleOf(String(inputs['rule']))), expected['sensitive'])
      })
    else if (inputs['attack'] !== undefined)
      it(`${vector.id}: the interval left for ${inputs['attack']}`, () => {
        const table = vectors.find(({ inputs }) => 'suppressed' in inputs)!.inputs as unknown as Record<string, unknown>
        const more = inputs['same_table_additional_suppression']
        const names = [...(table['suppressed'] as string[]), ...(more === undefined ? [] : [String(more)])]
        const cells = table['table_rows_wxyz_cols_abcd'] as number[][]
        const interval = recomputationInterval({ cells, suppressed: names.map(at) }, at(String(inputs['attack'])))
        assert.deepEqual(interval, expected['interval'])
      })
    else
      it(`${vector.id}: the risk of classes`, () => {
        const { k, averageRisk, highestRisk } = anonymity(inputs['equivalence_class_sizes'] as number[])
        assert.equal(k, expected['k'])
        assert.ok(agrees(vector, averageRisk, expected['average_risk'] as number))
        assert.ok(agrees(vector, highestRisk, expected['highest_risk'] as number))
      })
  }
})

describe('the interval of a suppressed cell', () => {
  it('is that of trying every table with the same published figures', () => {
    const size = fc.integer({ min: 0, max: 4 })
    const case_ = fc.record({
      cells: fc.array(fc.array(size, { minLength: 3, maxLength: 3 }), { minLength: 3, maxLength: 3 }),
      hidden: fc.uniqueArray(fc.nat(8), { minLength: 1, maxLength: 6 }),
    })
    fc.assert(
      fc.property(case_, ({ cells, hidden }) => {
        const suppressed = hidden.map((i) => ({ row: Math.floor(i / 3), column: i % 3 }))
        const sums = (line: 'row' | 'column', i: number) =>
          suppressed.filter((cell) => cell[line] === i).reduce((sum, { row, column }) => sum + cells[row]![column]!, 0)
        const found: number[] = []
        const fill = (index: number, rows: number[], columns: number[], first: number): void => {
          const cell = suppressed[index]
          if (!cell) {
            if ([...rows, ...columns].every((left) => left === 0)) found.push(first)
            return
          }
          for (let x = 0; x <= Math.min(rows[cell.row]!, columns[cell.column]!); x++)
            fill(
              index + 1,
              rows.map((left, i) => (i === cell.row ? left - x : left)),
              columns.map((left, i) => (i === cell.column ? left - x : left)),
              index === 0 ? x : first,
            )
        }
        const lines = [0, 1, 2]
        fill(
          0,
          lines.map((i) => sums('row', i)),
          lines.map((i) => sums('column', i)),
          0,
        )
        assert.deepEqual(recomputationInterval({ cells, suppressed }, suppressed[0]!), [
          Math.min(...found),
          Math.max(...found),
        ])
      }),
      { numRuns: 200 },
    )
  })

  it('is refused for a published cell, one outside, and a table that is none', () => {
    const cells = [[1, 2]]
    const cell = { row: 0, column: 0 }
    assert.throws(() => recomputationInterval({ cells, suppressed: [] }, cell), /only a suppressed cell/)
    assert.throws(
      () => recomputationInterval({ cells, suppressed: [{ row: 1, column: 0 }] }, cell),
      /outside the table/,
    )
    assert.throws(() => recomputationInterval({ cells: [[1], []], suppressed: [cell] }, cell), ParameterError)
    assert.throws(() => isSensitive({ count: 5, total: 10, largest: [4] }, { kind: 'p-percent', p: 10 }), /2 largest/)
    assert.throws(() => anonymity([]), ParameterError)
  })
})
