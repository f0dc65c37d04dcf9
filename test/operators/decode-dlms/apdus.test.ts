import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decode } from '../../../operators/decode-dlms/decode.ts'
import { readings } from '../../../operators/decode-dlms/interpret/readings.ts'
import type { Message } from '../../../operators/decode-dlms/wire/apdu/message.ts'
import { frameById } from './frames.ts'
import { bytes, plainContext } from './make.ts'

function messageOf(hex: string): Message {
  const decoded = decode(bytes(hex), plainContext('apdu'))
  assert.equal(decoded.outcome, 'message', decoded.outcome === 'refused' ? decoded.reason : '')
  return decoded.content.message
}

function reasonOf(hex: string): string {
  const decoded = decode(bytes(hex), plainContext('apdu'))
  return decoded.outcome === 'refused' ? decoded.reason : decoded.outcome
}

const time = '07e704010615202300ff8880'

describe('APDUs', () => {
  it('access-response gives its values and the result of each request', () => {
    const message = messageOf(`da 00000007 0c${time} 00 02 0600001391 00 02 0100 0103`)
    assert.equal(message.kind, 'access-response')
    assert.deepEqual(message.results, [
      { service: 1, accessResult: 0 },
      { service: 1, accessResult: 3 },
    ])
    assert.deepEqual(
      readings(message).values.map(({ value }) => value),
      ['5009', null],
    )
  })

  it('access-response may repeat the request, plain and with selection', () => {
    const specification = '02 01 0003 0100010800ff 02 04 0007 0100630100ff 02 01 0201 1100'
    assert.equal(messageOf(`da 00000007 00 01 ${specification} 02 1101 1102 02 0100 0100`).kind, 'access-response')
  })

  it('exception-response tells the expected counter', () => {
    assert.deepEqual(messageOf('d8 01 06 00000102'), {
      kind: 'exception-response',
      stateError: 1,
      serviceError: 6,
      invocationCounter: 258,
    })
    assert.deepEqual(messageOf('d8 01 02'), {
      kind: 'exception-response',
      stateError: 1,
      serviceError: 2,
      invocationCounter: undefined,
    })
  })

  it('confirmed-service-error gives its three codes', () => {
    assert.deepEqual(messageOf('0e 01 06 02'), { kind: 'confirmed-service-error', service: 1, error: 6, code: 2 })
  })

  it('event-notification takes a time with its usage flag, as tagged data, or none', () => {
    const rest = '0001 0000616200ff 02 1105'
    for (const [hex, quirk, at] of [
      [`c2 01 0c${time} ${rest}`, undefined, 3],
      [`c2 09 0c${time} ${rest}`, 'tagged-date-time', 3],
      [`c2 00 ${rest}`, undefined, -1],
    ] as const) {
      const message = messageOf(hex)
      assert.equal(message.kind, 'event-notification')
      assert.equal(message.quirk, quirk)
      assert.equal(message.timeAt, at)
    }
  })

  it('get-response-with-list mixes values and errors', () => {
    const message = messageOf('c4 03 c1 02 00 1105 01 03')
    assert.equal(message.kind, 'get-response-with-list')
    assert.deepEqual(
      message.results.map((result) => ('value' in result ? 'value' : result.accessResult)),
      ['value', 3],
    )
  })

  it('data-notification keeps a 32-bit invoke id without a sign', () => {
    const message = messageOf('0f ffffffff 00 1105')
    assert.equal(message.kind === 'data-notification' && message.invokeId, 0xffffffff)
  })

  it('P1 telegrams are taken whole, with and without checksum', () => {
    const text = Buffer.from('/ABC5\\1\r\n\r\n1-0:1.8.0(000001*Wh)\r\n!\r\n')
    assert.equal(messageOf(text.toString('hex')).kind, 'p1-telegram')
    for (let length = 1; length < text.length; length++) {
      const cut = reasonOf(text.subarray(0, length).toString('hex'))
      assert.equal(cut, 'frame_truncated', `${length} bytes`)
    }
    const [message] = frameById('dsmr-parser-sagemcom-t210-p1').expect['messages'] as readonly [{ plaintext: string }]
    const captured = Buffer.from(message.plaintext, 'hex')
    assert.equal(messageOf(captured.toString('hex')).kind, 'p1-telegram')
    captured[40] = (captured[40] as number) ^ 1
    assert.equal(reasonOf(captured.toString('hex')), 'checksum_mismatch')
  })

  const refused: readonly (readonly [string, string, string])[] = [
    ['an empty APDU', '', 'axdr_truncated'],
    ['an unknown tag', '99', 'apdu_unknown_tag'],
    ['a notification time of five bytes', '0f 00000001 05 0102030405 1105', 'time_invalid'],
    ['a tagged notification time of no bytes', '0f 00000001 0900 1105', 'time_invalid'],
    ['bytes after the body', '0f 00000001 00 1105 00', 'apdu_trailing_bytes'],
    ['a get-response of an unknown form', 'c4 04 c1', 'axdr_unknown_type'],
    ['a list that announces more results than bytes', 'c4 03 c1 05 0011', 'axdr_truncated'],
    ['an access-response with fewer results than values', 'da 00000001 00 00 01 1105 00', 'axdr_unknown_type'],
    ['an action-response in blocks', 'c7 02 c1', 'apdu_out_of_scope'],
    ['a set-response', 'c5 01 c1 00', 'apdu_out_of_scope'],
    ['an access-request', 'd9 00000001', 'apdu_out_of_scope'],
    ['an AARE without result', '61 02 a200', 'axdr_truncated'],
    ['an AARE that holds a push', '61 16 a203020100 be0f 040d 0f000000010002010600001391', 'apdu_unknown_tag'],
    [
      'an untagged list that ends early',
      '0f 00000001 00 0202 1601 0102 0202 0001 0000010000ff 02 1105',
      'apdu_trailing_bytes',
    ],
    [
      'values of compact arrays beyond the budget of the message',
      `c4 03 c1 04 ${'00 13 02 02 01 4e20 00 11 01 05'.repeat(4)}`,
      'axdr_budget',
    ],
  ]
  for (const [what, hex, reason] of refused) {
    it(`refuse ${what} with ${reason}`, () => assert.equal(reasonOf(hex), reason))
  }
})
