import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decodeDump } from '../../../operators/decode-dlms/dump.ts'
import { bytesOf, frameById } from './frames.ts'
import { bytes, hdlc, joined, plainContext } from './make.ts'

const push = hdlc(bytes('e6e7000f00000001000201 1105'))
const context = plainContext('hdlc')

describe('a dump', () => {
  it('finds what streams find, and goes on behind damage', () => {
    const dump = decodeDump(joined(push, bytes('7e55'), push.subarray(0, 9), push, push), context)
    assert.deepEqual(
      dump.units.map(({ at, decoded }) => [at, decoded.outcome]),
      [
        [0, 'message'],
        [push.length + 11, 'message'],
        [push.length * 2 + 11, 'message'],
      ],
    )
    assert.deepEqual(dump.faults, [{ reason: 'frame_missing', at: push.length + 0 }])
  })

  it('takes a last frame without closing flag if its last check byte is a flag and right', () => {
    const captured = bytesOf(frameById('roarfred-xibriz4-line1767'))
    assert.equal(decodeDump(captured, context).units[0]?.decoded.outcome, 'message')
    const altered = captured.slice()
    altered[60] = (altered[60] as number) ^ 1
    assert.deepEqual(decodeDump(altered, context).faults, [{ reason: 'frame_truncated', at: 0 }])
  })

  it('says that there is no frame in noise or in flags alone', () => {
    for (const noise of [bytes('00112233'), bytes('7e7e7e')]) {
      assert.deepEqual(decodeDump(noise, context).faults, [{ reason: 'frame_missing', at: 0 }])
    }
    assert.deepEqual(decodeDump(new Uint8Array(0), context), {
      units: [],
      faults: [],
      pending: { segment: undefined, block: undefined },
    })
  })

  it('keeps what is open at its end', () => {
    const segment = hdlc(bytes('e6e7000f00000001000201'), { segmented: true })
    const dump = decodeDump(segment, context)
    assert.equal(dump.pending.segment?.count, 1)
    const rest = decodeDump(hdlc(bytes('1105')), { ...context, pending: dump.pending })
    assert.equal(rest.units[0]?.decoded.outcome, 'message')
  })
})
