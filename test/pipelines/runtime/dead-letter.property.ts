import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { memoryKeyring } from '../../../connectors/keyring/index.ts'
import { sealer, unseal } from '../../../pipelines/runtime/index.ts'

const numRuns = Number(process.env['MV_CASES'] ?? 2_000)
const keyringOf = (byte: number) => memoryKeyring({ master: new Uint8Array(32).fill(byte) })
const [keyring, other] = [keyringOf(1), keyringOf(2)]
const seal = sealer(keyring)

test('what was sealed opens to the same bytes, and under no other key', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const sealed = seal(bytes)
      assert.deepEqual(Buffer.from(unseal(keyring, sealed)), Buffer.from(bytes))
      assert.throws(() => unseal(other, sealed))
    }),
    { numRuns },
  )
})

test('a sealed value with one bit changed does not open', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(), fc.nat(7), (bytes, place, bit) => {
      const sealed = seal(bytes)
      const at = place % sealed.length
      sealed[at] = (sealed[at] as number) ^ (1 << bit)
      assert.throws(() => unseal(keyring, sealed))
    }),
    { numRuns },
  )
})
