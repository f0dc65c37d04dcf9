import assert from 'node:assert/strict'
import test from 'node:test'
import { inspect } from 'node:util'
import { fleetKeyring, keyReference, meterSecrets, recentlyUsed } from '../../../bench/fleet/keys.ts'

const title = '4D56530000000001'

test('the ring holds the keys that the meter holds, 128 bits in suite 0 and 256 in suite 2', () => {
  const ring = fleetKeyring(4)
  for (const [suite, size] of [
    [0, 16],
    [2, 32],
  ] as const) {
    const keyRef = keyReference(suite, title)
    const own = meterSecrets(4, keyRef)
    const keys = ring.meterKeys(keyRef)
    assert.ok(own !== undefined && keys?.authentication !== undefined)
    assert.equal(keys.encryption.symmetricKeySize, size)
    assert.ok(keys.encryption.equals(own.encryption))
    assert.deepEqual(Uint8Array.from(keys.authentication.export()), own.authentication)
    assert.notDeepEqual(Uint8Array.from(keys.encryption.export()), own.authentication)
  }
})

test('keys differ by seed and by meter', () => {
  const key = (seed: number, keyRef: string) => meterSecrets(seed, keyRef)?.encryption.export().toString('hex')
  assert.notEqual(key(1, keyReference(0, title)), key(2, keyReference(0, title)))
  assert.notEqual(key(1, keyReference(0, title)), key(1, keyReference(0, '4D56530000000002')))
})

test('an unknown reference has no key', () => {
  assert.equal(fleetKeyring(1).meterKeys('other'), undefined)
})

test('derived keys differ by purpose and epoch and stay the same', () => {
  const ring = fleetKeyring(1)
  const key = (purpose: 'pseudonym' | 'ledger_digest', epoch: string) =>
    ring.derived(purpose, epoch)?.export().toString('hex')
  assert.equal(key('pseudonym', '2026-01-13'), key('pseudonym', '2026-01-13'))
  assert.notEqual(key('pseudonym', '2026-01-13'), key('pseudonym', '2026-01-14'))
  assert.notEqual(key('pseudonym', '2026-01-13'), key('ledger_digest', '2026-01-13'))
})

test('a ring prints no key', () => {
  const ring = fleetKeyring(1)
  ring.meterKeys(keyReference(0, title))
  assert.equal(`${ring} ${inspect(ring)} ${JSON.stringify(ring)}`, '<redacted> <redacted> "<redacted>"')
})

test('a bounded map forgets what was not used for long and keeps what was', () => {
  const map = recentlyUsed<number>(8)
  map.set('kept', 0)
  for (let i = 0; i < 100; i++) {
    map.set(`other ${i}`, i)
    assert.equal(map.get('kept'), 0)
  }
  assert.equal(map.get('other 0'), undefined)
  assert.equal(map.get('other 99'), 99)
})
