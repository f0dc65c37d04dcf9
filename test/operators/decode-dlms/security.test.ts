import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { describe, it } from 'node:test'
import { decode, peekSecurity } from '../../../operators/decode-dlms/decode.ts'
import type { DecodeContext, Decoded } from '../../../operators/decode-dlms/types.ts'
import { bytes, cipheredBody, generalGlo, joined, keysFor, plainContext, sized, testKeys } from './make.ts'

const push = bytes('0f 00000001 00 0201 0600001391')

function context(suite: number, more: Partial<DecodeContext> = {}): DecodeContext {
  const keys = keysFor(suite)
  return { transport: 'apdu', keys: () => keys, minimumProtection: 'none', ...more }
}

function reasonOf(decoded: Decoded): string {
  return decoded.outcome === 'refused' ? decoded.reason : decoded.outcome
}

describe('ciphered APDUs', () => {
  for (const suite of [0, 1, 2]) {
    for (const [bits, protection, tag] of [
      [0x30, 'authenticated-encrypted', 'verified'],
      [0x10, 'authenticated', 'verified'],
      [0x20, 'encrypted', 'absent'],
    ] as const) {
      it(`of suite ${suite} are opened when ${protection}`, () => {
        const decoded = decode(generalGlo(push, bits | suite, 7), context(suite))
        assert.equal(decoded.outcome, 'message')
        assert.deepEqual(decoded.trust, { protection, tag, replay: 'unchecked' })
        assert.equal(decoded.content.message.kind, 'data-notification')
      })
    }
  }

  it('are refused for each single flipped bit when authenticated', () => {
    const frame = generalGlo(push, 0x30, 7)
    for (let bit = 0; bit < frame.length * 8; bit++) {
      const altered = frame.slice()
      altered[bit >> 3] = (altered[bit >> 3] as number) ^ (1 << (bit & 7))
      const decoded = decode(altered, context(0, { minimumProtection: 'authenticated-encrypted' }))
      assert.equal(decoded.outcome, 'refused', `bit ${bit}`)
    }
  })

  const plainKey = { encryption: keysFor(0).encryption }
  const cases: readonly (readonly [string, Uint8Array, Partial<DecodeContext>, string])[] = [
    [
      'less protection than configured',
      generalGlo(push, 0x20, 1),
      { minimumProtection: 'authenticated-encrypted' },
      'protection_too_weak',
    ],
    [
      'authentication without encryption where both are configured',
      generalGlo(push, 0x10, 1),
      { minimumProtection: 'authenticated-encrypted' },
      'protection_too_weak',
    ],
    ['a plain push where protection is configured', push, { minimumProtection: 'encrypted' }, 'protection_too_weak'],
    ['a plain push by default', push, { minimumProtection: undefined }, 'protection_too_weak'],
    ['a missing key', generalGlo(push, 0x30, 1), { keys: () => undefined }, 'key_unknown'],
    [
      'a missing authentication key where authentication is configured',
      generalGlo(push, 0x30, 1),
      { keys: () => plainKey, minimumProtection: 'authenticated-encrypted' },
      'key_unknown',
    ],
    ['the broadcast key bit without a broadcast key', generalGlo(push, 0x70, 1), {}, 'key_unknown'],
    ['a dedicated form without a dedicated key', generalGlo(push, 0x30, 1, 0xdc), {}, 'key_unknown'],
    ['a key of another size than the suite takes', generalGlo(push, 0x32, 1), {}, 'key_unknown'],
    ['an unknown suite', generalGlo(push, 0x33, 1), {}, 'suite_unsupported'],
    ['a title of three bytes', generalGlo(push, 0x30, 1, 0xdb, bytes('010203')), {}, 'length_invalid'],
    [
      'an empty title without one bound to the connection',
      generalGlo(push, 0x30, 1, 0xdb, new Uint8Array(0)),
      {},
      'title_missing',
    ],
    [
      'another title than the bound one, if strict',
      generalGlo(push, 0x30, 1),
      { systemTitle: bytes('0000000000000001'), strictTitle: true },
      'title_mismatch',
    ],
    ['bytes after the ciphered body', joined(generalGlo(push, 0x30, 1), Uint8Array.of(0)), {}, 'apdu_trailing_bytes'],
    ['a body shorter than its tag', joined(bytes('db00'), sized(bytes('3000000001aabb'))), {}, 'axdr_truncated'],
    ['ciphering inside ciphering', generalGlo(generalGlo(push, 0x30, 2), 0x30, 1), {}, 'apdu_unknown_tag'],
    [
      'a service that holds another one',
      joined(Uint8Array.of(0xcc), sized(cipheredBody(push, 0x30, 1))),
      { systemTitle: testKeys.title },
      'apdu_unknown_tag',
    ],
    [
      'a ciphered set request, before any key is used',
      joined(Uint8Array.of(0xc9), sized(bytes('3000000001'))),
      {},
      'apdu_out_of_scope',
    ],
    ['a plain action request', bytes('c301c1'), {}, 'apdu_out_of_scope'],
    ['a set request inside general ciphering', generalGlo(bytes('c101c1'), 0x30, 1), {}, 'apdu_out_of_scope'],
    ['general signing', bytes('df00'), {}, 'apdu_out_of_scope'],
    ['compressed text whose tag is right', generalGlo(push, 0xb0, 1), {}, 'compression_unsupported'],
    ['a replayed counter', generalGlo(push, 0x30, 1), { replay: () => 'replayed' }, 'invocation_counter_replayed'],
    ['a counter that was accepted before', generalGlo(push, 0x30, 1), { replay: () => 'duplicate' }, 'duplicate'],
  ]
  for (const [what, frame, more, reason] of cases) {
    it(`give ${reason} for ${what}`, () => {
      assert.equal(reasonOf(decode(frame, context(0, more))), reason)
    })
  }

  it('with a wrong tag and the compression bit fail the tag first', () => {
    const frame = generalGlo(push, 0xb0, 1)
    frame[frame.length - 1] = (frame[frame.length - 1] as number) ^ 1
    assert.equal(reasonOf(decode(frame, context(0))), 'authentication_failed')
  })

  it('take the broadcast and the dedicated key when the frame asks for them', () => {
    const other = createSecretKey(bytes('ffeeddccbbaa99887766554433221100'))
    const keys = keysFor(0, { broadcast: other, dedicated: other })
    for (const frame of [
      generalGlo(push, 0x70, 1, 0xdb, testKeys.title, other),
      generalGlo(push, 0x30, 1, 0xdc, testKeys.title, other),
    ]) {
      assert.equal(decode(frame, context(0, { keys: () => keys })).outcome, 'message')
    }
  })

  it('take the title of the connection when they carry none', () => {
    const service = joined(Uint8Array.of(0xcc), sized(cipheredBody(bytes('c401c1000600001391'), 0x30, 9)))
    assert.equal(decode(service, context(0, { systemTitle: testKeys.title })).outcome, 'message')
    const keys = keysFor(0, { systemTitle: testKeys.title })
    assert.equal(decode(service, context(0, { keys: () => keys })).outcome, 'message')
  })

  it('are told as unverified when there is a tag but no authentication key', () => {
    const decoded = decode(generalGlo(push, 0x30, 1), context(0, { keys: () => plainKey }))
    assert.equal(decoded.outcome, 'message')
    assert.equal(decoded.trust.tag, 'unverified')
  })

  it('ask for the replay verdict with the title and counter, once, and only for frames that policy admits', () => {
    const asked: [string, boolean, number][] = []
    const replay = (title: Uint8Array, broadcast: boolean, counter: number) => {
      asked.push([Buffer.from(title).toString('hex'), broadcast, counter])
      return 'fresh' as const
    }
    const decoded = decode(generalGlo(push, 0x30, 0xfffffffe), context(0, { replay }))
    assert.equal(decoded.outcome === 'message' && decoded.trust.replay, 'fresh')
    decode(generalGlo(push, 0x20, 5), context(0, { replay, minimumProtection: 'authenticated-encrypted' }))
    assert.deepEqual(asked, [['4d564c0000000001', false, 0xfffffffe]])
  })

  it('can be peeked without a key', () => {
    const peeked = peekSecurity(generalGlo(push, 0x30, 77), {
      ...context(0),
      keys: () => assert.fail('no key is asked for'),
    })
    assert.deepEqual(peeked, { systemTitle: testKeys.title, control: 0x30, invocationCounter: 77 })
    assert.equal(peekSecurity(push, plainContext('apdu')), undefined)
  })

  it('never show keys, titles or payload in a refusal', () => {
    const frame = generalGlo(push, 0x30, 1)
    frame[frame.length - 1] = (frame[frame.length - 1] as number) ^ 1
    const decoded = decode(frame, context(0))
    assert.equal(decoded.outcome, 'refused')
    assert.match(decoded.reason, /^[a-z_]+$/)
    assert.equal(decoded.ciphered?.plaintext, undefined)
    assert.equal(decoded.ciphered?.tag, 'failed')
  })
})
