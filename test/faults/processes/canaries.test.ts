import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFleet } from '../../../bench/fleet/index.ts'
import { meterSecrets } from '../../../bench/fleet/keys.ts'
import { canaryScan } from './canaries.ts'

const seed = 9
const { entries } = createFleet({ seed, homes: 3, start: Date.UTC(2026, 0, 12), partitions: 2 })
const scan = canaryScan(entries, seed)
const { connection, point, systemTitle, keyRef } = entries[1]!
const key = meterSecrets(seed, keyRef)!.encryption.export()
const title = Buffer.from(systemTitle, 'hex')
const noise = Buffer.from('a batch of 2,000 records, {"level":"feeder","group":"feeder-1"} ')

const hidden: readonly (readonly [string, Buffer])[] = [
  ['a connection point', Buffer.from(connection)],
  ['a connection point in UTF-16', Buffer.from(connection, 'utf16le')],
  ['a connection point in hex', Buffer.from(Buffer.from(connection).toString('hex'))],
  ['a connection point in base64', Buffer.from(Buffer.from(connection).toString('base64'))],
  ['a measuring point', Buffer.from(point)],
  ['a measuring point in packed digits', Buffer.from(point.slice(2).padStart(14, '0'), 'hex')],
  ['a system title', title],
  ['a system title in small letters', Buffer.from(systemTitle.toLowerCase())],
  ['a system title with its digits swapped', Buffer.from(title.map((byte) => ((byte & 15) << 4) | (byte >> 4)))],
  ['a key', Buffer.from(key)],
  ['a key in hex', Buffer.from(key.toString('hex'))],
  ['a key in base64', Buffer.from(key.toString('base64'))],
]

for (const [what, bytes] of hidden) {
  test(`finds ${what}, wherever it lies`, () => {
    for (const before of [0, 1, 2, 33]) {
      assert.notEqual(scan(Buffer.concat([noise.subarray(0, before), bytes, noise])), undefined)
    }
    assert.notEqual(scan(bytes), undefined)
  })
}

test('finds nothing where there is nothing, and does not repeat what it finds', () => {
  assert.equal(scan(noise), undefined)
  assert.equal(scan(Buffer.alloc(0)), undefined)
  assert.equal(scan(Buffer.from(connection.slice(0, -1))), undefined)
  assert.ok(!scan(Buffer.from(connection))!.includes(connection))
})
