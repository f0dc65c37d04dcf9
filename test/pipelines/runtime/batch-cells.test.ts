import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { CellAddress } from '../../../connectors/contract.ts'
import { HaltError } from '../../../operators/contract/halt.ts'
import type { StateTable } from '../../../operators/contract/operator.ts'
import { batchCells } from '../../../pipelines/runtime/batch-cells.ts'

const table: StateTable<number> = {
  name: 'numbers',
  aged: false,
  codec: { encode: (value) => Uint8Array.of(value), decode: ([value]) => value! },
}
const nameOf = ({ index, day }: { readonly index: number; readonly day: number }) => `${index}/${day}`
/** A view that holds 10 times the index plus the day, of even indices only. */
const lookUp = async (addresses: readonly CellAddress[]) =>
  addresses.map(({ index, day }) => (index % 2 === 0 ? Uint8Array.of(10 * index + day) : undefined))

describe('the cells of a batch', () => {
  const key = fc.record({ index: fc.nat(9), day: fc.nat(3) })

  test('are the ones asked for, in whatever order an operator comes to them', async () => {
    const steps = fc.array(fc.tuple(fc.nat(), fc.option(fc.nat(255))), { maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(
        fc.array(key, { minLength: 1, maxLength: 20 }),
        fc.boolean(),
        steps,
        async (keys, walks, all) => {
          const cells = batchCells(lookUp)
          await cells.require(table as StateTable<unknown>, keys)
          const own = cells.cells(table)
          const model = new Map(
            keys.map((each) => [nameOf(each), each.index % 2 === 0 ? 10 * each.index + each.day : undefined]),
          )
          const changed = new Set<string>()
          for (const [i, [pick, value]] of all.entries()) {
            const at = keys[(walks ? i >> 1 : pick) % keys.length]!
            assert.equal(own.get({ ...at }), model.get(nameOf(at)))
            if (value === null) continue
            own.set({ ...at }, value)
            model.set(nameOf(at), value)
            changed.add(nameOf(at))
          }
          const written = cells.changes().flatMap((each) => each.cells)
          const expected = [...new Set(keys.map(nameOf))].filter((name) => changed.has(name))
          assert.deepEqual(written.map(nameOf), expected)
          for (const cell of written) assert.deepEqual(cell.value, Uint8Array.of(model.get(nameOf(cell))!))
        },
      ),
      { numRuns: Math.ceil(Number(process.env['MV_CASES'] ?? 2_000) / 10) },
    )
  })

  test('are no others', async () => {
    const cells = batchCells(lookUp)
    await cells.require(table as StateTable<unknown>, [{ index: 4, day: 1 }])
    const own = cells.cells(table)
    for (const other of [
      { index: 4, day: 2 },
      { index: 5, day: 1 },
    ]) {
      assert.throws(() => own.get(other), HaltError)
      assert.throws(() => own.set(other, 1), HaltError)
    }
    assert.equal(own.get({ index: 4, day: 1 }), 41)
  })

  test('are looked up once, also when asked for again', async () => {
    const asked: string[] = []
    const cells = batchCells(async (addresses) => {
      asked.push(...addresses.map(nameOf))
      return lookUp(addresses)
    })
    const [a, b] = [
      { index: 2, day: 0 },
      { index: 4, day: 0 },
    ]
    await cells.require(table as StateTable<unknown>, [a, a, b])
    assert.equal(cells.require(table as StateTable<unknown>, [b, a]), undefined)
    assert.deepEqual(asked, ['2/0', '4/0'])
  })
})
