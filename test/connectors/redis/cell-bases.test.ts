import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LogError } from '../../../connectors/contract.ts'
import { packBucket } from '../../../connectors/redis/buckets.ts'
import {
  findBases,
  longTag,
  noBases,
  rawTag,
  readBases,
  readSlot,
  slotBytes,
  writeSlot,
} from '../../../connectors/redis/cell-bases.ts'

const bytes = (...values: number[]) => Uint8Array.from(values)

test('what all values of a length begin with is kept once', () => {
  const finder = findBases(noBases)
  const values = [bytes(1, 7, 8, 65, 1, 2), bytes(1, 7, 8, 66, 3, 4), bytes(1, 7, 8, 64, 5, 6)]
  const stored = values.map((value) => finder.store('t', value))
  assert.deepEqual(
    values.map((value, i) => slotBytes(stored[i]!, value)),
    [1, 4, 4],
  )
  const bases = readBases(finder.done().text)
  assert.equal(bases.token, finder.done().token)
  values.forEach((value, i) => {
    const slots = new Uint8Array(24)
    writeSlot(slots, 8, stored[i]!, value)
    assert.deepEqual(readSlot(bases, 't', slots, 8, 16), value)
    assert.equal(readSlot(bases, 't', slots, 0, 8), undefined)
  })
})

test('bases that are known are not found again, and stay as they are', () => {
  const first = findBases(noBases)
  first.store('t', bytes(1, 2))
  const known = first.done()
  const again = findBases(known)
  assert.deepEqual(again.store('t', bytes(1, 2)), { tag: 1, from: 2 })
  assert.equal(again.done(), known)
  again.store('t', bytes(1, 3))
  assert.notEqual(again.done().token, known.token)
  assert.equal(known.tables.get('t')?.bases.length, 1)
})

test('when no tag is left, values are stored as they are, and the longest elsewhere', () => {
  const finder = findBases(noBases)
  for (let length = 0; length < 200; length++) finder.store('t', new Uint8Array(length))
  for (let length = 1; length < 100; length++) finder.store('t', new Uint8Array(length).fill(9))
  const value = new Uint8Array(150).fill(9)
  const stored = finder.store('t', value)
  assert.equal(stored.tag, rawTag)
  const slot = Buffer.alloc(slotBytes(stored, value))
  writeSlot(slot, 0, stored, value)
  const read = readSlot(finder.done(), 't', slot, 0, slot.length)
  assert.deepEqual(read, value)
  slot.fill(0)
  assert.deepEqual(read, value)
  assert.equal(finder.store('t', new Uint8Array(300)).tag, longTag)
  assert.equal(finder.done().tables.get('t')?.long, true)
})

test('a long value costs its bucket one byte per slot', () => {
  const puts = new Map([[3, new Uint8Array(5_000)]])
  const packed = packBucket({ table: 't', day: 0, name: 'b', puts, gets: [], places: [] }, findBases(noBases))
  assert.deepEqual([packed.width, packed.long.length], [1, 1])
})

for (const text of ['{', '{}', 'null']) {
  test(`refuses ${text} as bases`, () => {
    assert.throws(
      () => readBases(text),
      (error) => error instanceof LogError && error.code === 'corrupt',
    )
  })
}

test('refuses a slot whose base is not there, and one too narrow for its base', () => {
  const finder = findBases(noBases)
  finder.store('t', bytes(1, 2, 3))
  finder.store('t', bytes(1, 4, 5))
  for (const [bases, slot] of [
    [noBases, bytes(7, 1)],
    [finder.done(), bytes(2, 4)],
  ] as const) {
    assert.throws(
      () => readSlot(bases, 't', slot, 0, slot.length),
      (error) => error instanceof LogError && error.code === 'corrupt',
    )
  }
})
