import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { memoryStateView } from '../../../connectors/memory/index.ts'

const origin = { gen: 'g', seq: 0, hash: '' }

test('packed cells behave as a map of cells does', async () => {
  const cells = fc.array(
    fc.record({
      table: fc.constantFrom('t', 'u'),
      index: fc.oneof(fc.nat(3_000), fc.nat(2 ** 31)),
      day: fc.constantFrom(0, 5, 6),
      value: fc.uint8Array({ maxLength: 300 }),
    }),
    { maxLength: 40 },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(cells, { maxLength: 6 }), async (batches) => {
      const view = memoryStateView()
      await view.reset('s', undefined, origin, [])
      const expected = new Map<string, Uint8Array>()
      let at = origin
      for (const [turn, batch] of batches.entries()) {
        for (const { table, index, day, value } of batch) expected.set(`${table}/${index}/${day}`, value)
        const floorDay = turn === 3 ? 6 : 0
        if (floorDay > 0) for (const key of expected.keys()) if (key.endsWith('/5')) expected.delete(key)
        const apply = { seq: turn + 1, hash: `${turn}`, floorDay, cells: batch }
        const addresses = batches.flat()
        const answer = await view.exchange('s', { expected: at, apply, lookup: addresses })
        at = { gen: 'g', seq: turn + 1, hash: `${turn}` }
        assert.deepEqual(answer, {
          status: 'ok',
          cells: addresses.map(({ table, index, day }) => expected.get(`${table}/${index}/${day}`)),
        })
      }
    }),
    { numRuns: Math.ceil(Number(process.env['MV_CASES'] ?? 2000) / 10) },
  )
})
