import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatTable } from '../../../pipelines/cli/table.ts'
import { columns } from '../../../pipelines/cli/text.ts'

test('aligns text left and numbers right, with a line above the total', () => {
  assert.deepEqual(
    formatTable(['outcome', 'frames'], [['accepted', 288_000], ['late', 7], 'line', ['sum', 288_007n]]),
    [
      'outcome    frames',
      '─────────────────',
      'accepted  288,000',
      'late            7',
      '─────────────────',
      'sum       288,007',
    ],
  )
})

test('cuts the widest text column to the width, and never a number', () => {
  const rows = formatTable(['name', 'frames', { head: 'why', align: 'left' }], [['a', 1_000_000, 'x'.repeat(200)]], {
    width: 40,
  })
  assert.ok(rows.every((row) => columns(row) <= 40))
  assert.match(rows[2] as string, /^a +1,000,000 {2}x+…$/)
})

test('colours do not move columns, and a cut cell loses them', () => {
  const red = (text: string) => `\u001b[31m${text}\u001b[39m`
  const plain = formatTable(['name', 'n'], [['abc', 1]])
  const coloured = formatTable(['name', 'n'], [[red('abc'), 1]])
  assert.deepEqual(coloured.map(columns), plain.map(columns))
  assert.ok(
    !formatTable(['name'], [[red('y'.repeat(99))]], { width: 20 })
      .join('')
      .includes('\u001b'),
  )
})

test('a missing cell is empty', () => {
  assert.equal(formatTable(['a', 'b'], [['x', undefined]])[2], 'x')
})
