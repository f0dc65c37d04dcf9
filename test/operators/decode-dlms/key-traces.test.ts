// What the decoder does with keys and titles besides decoding: nothing of them may be left where somebody else could come by it.
import assert from 'node:assert/strict'
import { createCipheriv, createSecretKey, hash } from 'node:crypto'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { simulationRandom } from '../../../bench/fleet/random.ts'
import { reasons } from '../../../operators/contract/reasons.ts'
import { decode } from '../../../operators/decode-dlms/decode.ts'
import type { DecodeContext } from '../../../operators/decode-dlms/types.ts'
import { refuse, WireError } from '../../../operators/decode-dlms/wire/reasons.ts'
import { mutantOf } from '../../helpers/dlms-mutants.ts'
import { testKeys } from './make.ts'

// Made without Node's buffer pool, so that the test itself leaves no trace in it.
const secret = Uint8Array.from(hash('sha256', 'an authentication key', 'buffer')).slice(0, 16)

function authenticatedOnly(plaintext: Uint8Array, counter: number): Uint8Array {
  const nonce = new Uint8Array(12)
  nonce.set(testKeys.title)
  nonce[11] = counter
  const additional = new Uint8Array(17 + plaintext.length)
  additional[0] = 0x10
  additional.set(secret, 1)
  additional.set(plaintext, 17)
  const options = { authTagLength: 12 }
  const cipher = createCipheriv('aes-128-gcm', createSecretKey(testKeys.encryption.slice(0, 16)), nonce, options)
  cipher.setAAD(additional)
  cipher.final()
  const unit = new Uint8Array(16 + plaintext.length + 12)
  unit.set([0xdb, 8])
  unit.set(testKeys.title, 2)
  unit.set([5 + plaintext.length + 12, 0x10, 0, 0, 0, counter], 10)
  unit.set(plaintext, 16)
  unit.set(cipher.getAuthTag(), 16 + plaintext.length)
  return unit
}

describe('an authentication key', () => {
  it('is not left in the buffer pool that everything in the process shares', () => {
    const keys = {
      encryption: createSecretKey(testKeys.encryption.slice(0, 16)),
      authentication: createSecretKey(secret),
    }
    const context: DecodeContext = { transport: 'apdu', keys: () => keys, minimumProtection: 'authenticated' }
    const pool = Buffer.from(Buffer.allocUnsafe(1).buffer)
    assert.ok(pool.length > 1_000, 'the pool itself is looked at')
    for (let counter = 1; counter < 20; counter++) {
      const decoded = decode(authenticatedOnly(Uint8Array.of(0x0f, 0, 0, 0, 1, 0, 0x11, 5), counter), context)
      assert.ok(decoded.outcome === 'message' && decoded.trust.tag === 'verified')
    }
    assert.equal(pool.indexOf(secret), -1)
  })
})

describe('an error of the wire code', () => {
  it('says its reason and nothing else', () => {
    for (const reason of ['authentication_failed', 'axdr_truncated', 'title_mismatch'] as const) {
      assert.throws(
        () => refuse(reason, 7),
        (error) => {
          assert.ok(error instanceof WireError)
          assert.equal(error.message, reason)
          assert.equal(String(error), `WireError: ${reason}`)
          assert.deepEqual(Object.entries(error).sort(), [
            ['byteOffset', 7],
            ['name', 'WireError'],
            ['reason', reason],
          ])
          return true
        },
      )
    }
  })
})

describe('a refusal', () => {
  it('holds no plaintext, and no key', () => {
    for (let number = 0; number < 2_000; number++) {
      const { context, units } = mutantOf(simulationRandom(number, 'corruption', 61))
      for (const unit of units) {
        const decoded = decode(unit, context)
        if (decoded.outcome !== 'refused') continue
        assert.ok(decoded.reason in reasons)
        assert.equal(decoded.ciphered?.plaintext, undefined)
        const told = inspect(decoded, { depth: 6 })
        assert.ok(!told.includes('KeyObject'), told)
      }
    }
  })
})
