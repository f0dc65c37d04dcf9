import assert from 'node:assert/strict'
import { createDecipheriv, createSecretKey } from 'node:crypto'
import test from 'node:test'
import { protectorOf } from '../../../../bench/fleet/encode/cipher.ts'

const hex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'))
const title = hex('4d4d4d0000bc614e')
const authentication = hex('d0d1d2d3d4d5d6d7d8d9dadbdcdddedf')

function protectedBytes(suite: 0 | 2, key: string, authenticationKey: Uint8Array, plain: Uint8Array, counter: number) {
  const protector = protectorOf({
    suite,
    systemTitle: title,
    encryption: createSecretKey(hex(key)),
    authentication: authenticationKey,
  })
  const out = new Uint8Array(protector.protectedLength(plain.length) + 3)
  protector.protect(plain, counter, out, 3)
  return Buffer.from(out.subarray(3))
}

test('protects the get-request of the Green Book as printed there', () => {
  const apdu = protectedBytes(
    0,
    '000102030405060708090a0b0c0d0e0f',
    authentication,
    hex('c0010000080000010000ff0200'),
    0x01234567,
  )
  assert.equal(
    apdu.toString('hex'),
    'db084d4d4d0000bc614e1e3001234567411312ff935a47566827c467bc7d825c3be4a77c3fcc056b6b',
  )
})

for (const length of [1, 110, 111, 238, 239, 600]) {
  test(`a suite 2 message around ${length} bytes opens with the 256-bit key and its tag verifies`, () => {
    const key = `${'00'.repeat(31)}01`
    const authentication256 = hex('11'.repeat(32))
    const plain = Uint8Array.from({ length }, (_, i) => i)
    const apdu = protectedBytes(2, key, authentication256, plain, 7)
    const body = apdu.subarray(apdu.length - 5 - length - 12)
    assert.equal(body[0], 0x32)
    const nonce = Buffer.concat([title, body.subarray(1, 5)])
    const decipher = createDecipheriv('aes-256-gcm', hex(key), nonce, { authTagLength: 12 })
    decipher.setAAD(Buffer.concat([Buffer.of(0x32), authentication256]))
    decipher.setAuthTag(body.subarray(-12))
    assert.deepEqual(Buffer.concat([decipher.update(body.subarray(5, -12)), decipher.final()]), Buffer.from(plain))
    const inner = 5 + length + 12
    const expected = inner < 0x80 ? [inner] : inner < 0x100 ? [0x81, inner] : [0x82, inner >>> 8, inner & 0xff]
    assert.deepEqual([...apdu.subarray(10, apdu.length - inner)], expected)
  })
}
