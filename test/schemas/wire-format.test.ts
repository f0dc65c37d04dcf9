import assert from 'node:assert/strict'
import { test } from 'node:test'
import { frameBody, readFrame } from '../../schemas/wire-format.ts'

test('a framed body starts with 0 and the id in four bytes, big-endian', () => {
  assert.deepEqual([...frameBody(0x01020304, Uint8Array.of(9, 8))], [0, 1, 2, 3, 4, 9, 8])
})

for (const [id, body] of [
  [1, [1, 2, 3]],
  [2 ** 31 - 1, []],
] as const) {
  test(`a frame with id ${id} and ${body.length} bytes is read back, also from the middle of a buffer`, () => {
    const padded = Uint8Array.of(7, ...frameBody(id, Uint8Array.from(body)), 7)
    const frame = readFrame(padded.subarray(1, -1))
    assert.equal(frame?.id, id)
    assert.deepEqual([...(frame?.body ?? [])], [...body])
  })
}

for (const [what, bytes] of [
  ['nothing', []],
  ['a cut header', [0, 0, 0, 1]],
  ['another magic byte', [1, 0, 0, 0, 1, 5]],
] as const) {
  test(`${what} is no frame`, () => {
    assert.equal(readFrame(Uint8Array.from(bytes)), undefined)
  })
}
