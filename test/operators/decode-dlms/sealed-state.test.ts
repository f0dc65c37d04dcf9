import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { memoryKeyring } from '../../../connectors/keyring/index.ts'
import { recordCounter } from '../../../operators/decode-dlms/counter-window.ts'
import { type MeterState, meterStateCodec } from '../../../operators/decode-dlms/meter-state.ts'
import { sealedMeterState } from '../../../operators/decode-dlms/sealed-state.ts'

const keyring = memoryKeyring({ master: new Uint8Array(32).fill(3) })
const codec = sealedMeterState(keyring)
const title = Buffer.from('MVL0012345678901', 'latin1')
const source = title.toString('hex')
const window = recordCounter(undefined, 1, 2, 3)
const waiting = (counters: Uint8Array | undefined): MeterState => ({
  window: counters,
  pending: {
    segment: undefined,
    block: {
      transfer: 'general',
      protection: 0x30,
      source,
      next: 2,
      bytes: Buffer.concat([title, Buffer.alloc(40, 9)]),
      lastLength: 40,
      startedAt: 1_700_000_000_000,
    },
  },
})

describe('the state of a meter as a store holds it', () => {
  for (const [what, state] of [
    ['with counters', waiting(window)],
    ['without counters', waiting(undefined)],
  ] as const) {
    it(`gives back what waits, ${what}, and shows none of it`, () => {
      const bytes = codec.encode(state)
      assert.deepEqual(codec.decode(bytes).pending?.block?.source, source)
      assert.deepEqual(Buffer.from(codec.decode(bytes).pending!.block!.bytes), state.pending!.block!.bytes)
      const stored = Buffer.from(bytes)
      assert.ok(!stored.includes(title) && !stored.includes(source), 'the title stands in the stored bytes')
      assert.ok(Buffer.from(meterStateCodec.encode(state)).includes(source), 'unsealed, it would be found')
      assert.deepEqual(codec.encode(state), bytes, 'equal states give equal bytes')
    })
  }

  it('is as it was for a meter on which nothing waits', () => {
    const state = { window, pending: undefined }
    assert.deepEqual(codec.encode(state), meterStateCodec.encode(state))
    assert.deepEqual(codec.decode(codec.encode(state)), meterStateCodec.decode(meterStateCodec.encode(state)))
  })

  it('refuses bytes that were altered, cut, or sealed under another key', () => {
    const bytes = Buffer.from(codec.encode(waiting(window)))
    const altered = Buffer.from(bytes)
    altered[altered.length - 20]! ^= 1
    const other = sealedMeterState(memoryKeyring({ master: new Uint8Array(32).fill(4) }))
    assert.throws(() => codec.decode(altered), { name: 'CodecError' })
    assert.throws(() => codec.decode(bytes.subarray(0, 60)), { name: 'CodecError' })
    assert.throws(() => other.decode(bytes), { name: 'CodecError' })
  })

  it('halts without a key rather than write it open', () => {
    const without = sealedMeterState(memoryKeyring({}))
    assert.throws(() => without.encode(waiting(window)), { name: 'HaltError' })
  })
})
