// The fold of links leaves what applying them one by one leaves in a view.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { CellValue, ViewPosition } from '../../../connectors/contract.ts'
import { memoryStateView } from '../../../connectors/memory/index.ts'
import { cellFold } from '../../../pipelines/runtime/cell-fold.ts'

const scope = 's'
const origin: ViewPosition = { gen: 'g', seq: 0, hash: '' }
const numRuns = Math.ceil(Number(process.env['MV_CASES'] ?? 2000) / 5)

const cell = fc.record({
  table: fc.constantFrom('t', 'u'),
  index: fc.oneof({ weight: 9, arbitrary: fc.nat(2_100) }, { weight: 1, arbitrary: fc.nat(2 ** 31 - 1) }),
  day: fc.constantFrom(0, 5, 6, 7, 20_000),
  value: fc.oneof(
    { weight: 6, arbitrary: fc.uint8Array({ maxLength: 20 }) },
    { weight: 1, arbitrary: fc.uint8Array({ minLength: 250, maxLength: 300 }) },
  ),
})
const links = fc.array(
  fc.record({
    rises: fc.constantFrom(0, 0, 0, 1, 5),
    risesOfTable: fc.constantFrom(0, 0, 0, 6, 7),
    cells: fc.array(cell, { maxLength: 30 }),
  }),
  { maxLength: 8 },
)

const nameOf = ({ table, index, day }: CellValue): string => `${table}/${index}/${day}`
const plain = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString('hex')

test('folding links equals applying them one by one, floors included', async () => {
  let dropped = 0
  await fc.assert(
    fc.asyncProperty(links, async (all) => {
      const view = memoryStateView()
      await view.reset(scope, undefined, origin, [])
      const fold = cellFold()
      let at = origin
      let floorDay = 0
      let ofTable = 0
      for (const { rises, risesOfTable, cells } of all) {
        floorDay += rises
        ofTable += risesOfTable
        const floors = { floorDay, tableFloors: new Map([['u', ofTable]]) }
        const apply = { seq: at.seq + 1, hash: `${at.seq}`, ...floors, cells }
        await view.exchange(scope, { expected: at, apply, lookup: [] })
        at = { gen: at.gen, seq: apply.seq, hash: apply.hash }
        fold.dropBelow(floors)
        for (const { table, index, day, value } of cells) {
          fold.table(table)
          const around = Buffer.concat([Buffer.from('before'), value, Buffer.from('after')])
          fold.put(index, day, around, 6, 6 + value.length)
          // What was put is a copy.
          around.fill(0xff)
        }
      }
      const folded = [...fold.cells()].map((one) => ({ ...one, value: new Uint8Array(one.value) }))
      const asked = all.flatMap(({ cells }) => cells)
      const answer = await view.exchange(scope, { expected: at, lookup: asked })
      assert.ok(answer.status === 'ok')
      const byName = new Map<string, Uint8Array>(folded.map((one) => [nameOf(one), one.value]))
      assert.equal(byName.size, folded.length)
      const found = new Set<string>()
      for (const [i, one] of asked.entries()) {
        const value: Uint8Array | undefined = answer.cells[i]
        assert.equal(plain(byName.get(nameOf(one))), plain(value))
        if (value) found.add(nameOf(one))
        else dropped++
      }
      assert.equal(found.size, byName.size)
    }),
    { numRuns },
  )
  assert.ok(dropped > 0)
})
