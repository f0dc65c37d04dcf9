import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { crcOf } from '../../../operators/decode-dlms/wire/crc.ts'
import { defaultCaps, type FramerEvent, framer } from '../../../operators/decode-dlms/wire/framer.ts'
import type { Framing } from '../../../operators/decode-dlms/wire/scan.ts'
import { bytesOf, frameById } from './frames.ts'
import { bytes, hdlc, hex, joined, mbus, wrapper } from './make.ts'

function told(events: readonly FramerEvent[]): readonly string[] {
  return events.map((event) =>
    event.kind === 'unit' ? `${event.at}:${hex(event.bytes)}` : `${event.at}:${event.reason}`,
  )
}

function inChunks(framing: Framing, stream: Uint8Array, size: number, cap?: number): readonly string[] {
  const open = framer(framing, cap)
  const events: FramerEvent[] = []
  for (let at = 0; at < stream.length; at += size) {
    events.push(...open.push(stream.subarray(at, at + size)))
    assert.ok(open.buffered() <= (cap ?? defaultCaps[framing]))
  }
  events.push(...open.end())
  return told(events)
}

const first = hdlc(bytes('e6e7000f00000001000201 11057e7e7e'))
const second = hdlc(bytes('e6e7000f00000002000201 1106'))
const third = mbus(bytes('0f000000010002011107'), 0x10)
const long = mbus(new Uint8Array(252).fill(7), 0x10)
const fourth = wrapper(bytes('0f00000001000201 1107'))

describe('the frame check', () => {
  it('gives the check value of CRC-16/X-25', () => {
    const digits = Buffer.from('123456789')
    assert.equal(crcOf(digits, 0, digits.length), 0x906e)
  })
})

describe('a framer', () => {
  for (const [name, chunkOf] of [
    ['a Buffer, as a socket gives', (part: Uint8Array) => Buffer.from(part)],
    ['an array', (part: Uint8Array) => Uint8Array.from(part)],
  ] as const) {
    it(`keeps nothing of ${name}: the chunk may be used again at once`, () => {
      const stream = Uint8Array.from([...first, ...second])
      const open = framer('hdlc')
      const units: Uint8Array[] = []
      for (const part of [stream.subarray(0, first.length + 5), stream.subarray(first.length + 5)]) {
        const chunk = chunkOf(part)
        for (const event of open.push(chunk)) if (event.kind === 'unit') units.push(event.bytes)
        chunk.fill(0xee)
      }
      for (const event of open.end()) if (event.kind === 'unit') units.push(event.bytes)
      assert.deepEqual(units.map(hex), [hex(first), hex(second)])
    })
  }

  const streams: readonly (readonly [string, Framing, Uint8Array, readonly string[]])[] = [
    ['two HDLC frames', 'hdlc', joined(first, second), [`0:${hex(first)}`, `${first.length}:${hex(second)}`]],
    [
      'HDLC frames that share a flag',
      'hdlc',
      joined(first, second.subarray(1)),
      [`0:${hex(first)}`, `${first.length - 1}:${hex(second)}`],
    ],
    [
      'noise before and between HDLC frames',
      'hdlc',
      joined(bytes('0102'), first, bytes('33 44 7ea0'), second),
      ['0:frame_missing', `2:${hex(first)}`, `${first.length + 1}:frame_missing`, `${first.length + 6}:${hex(second)}`],
    ],
    [
      'an HDLC frame with a wrong header check',
      'hdlc',
      joined(flip(first, 8), second),
      ['0:hcs_mismatch', `${first.length}:${hex(second)}`],
    ],
    [
      'an HDLC frame with a wrong frame check',
      'hdlc',
      joined(flip(first, 20), second),
      ['0:fcs_mismatch', `${first.length}:${hex(second)}`],
    ],
    [
      'an HDLC frame that lost bytes',
      'hdlc',
      joined(first.subarray(0, 15), second),
      ['0:frame_length_mismatch', `15:${hex(second)}`],
    ],
    [
      'an HDLC frame cut at the end',
      'hdlc',
      joined(second, first.subarray(0, 15)),
      [`0:${hex(second)}`, `${second.length}:frame_truncated`],
    ],
    ['M-Bus frames', 'mbus', joined(third, long), [`0:${hex(third)}`, `${third.length}:${hex(long)}`]],
    [
      'an M-Bus frame with a wrong sum',
      'mbus',
      joined(flip(third, 10), third),
      ['0:checksum_mismatch', `${third.length}:${hex(third)}`],
    ],
    [
      'noise around an M-Bus frame',
      'mbus',
      joined(bytes('6868'), third, bytes('68')),
      ['0:frame_missing', `2:${hex(third)}`, `${third.length + 2}:frame_truncated`],
    ],
    ['wrappers', 'wrapper', joined(fourth, fourth), [`0:${hex(fourth)}`, `${fourth.length}:${hex(fourth)}`]],
    [
      'a wrapper of another version',
      'wrapper',
      joined(fourth, bytes('0002'), fourth),
      [`0:${hex(fourth)}`, `${fourth.length}:frame_missing`],
    ],
    ['a wrapper cut at the end', 'wrapper', fourth.subarray(0, 12), ['0:frame_truncated']],
  ]
  for (const [what, framing, stream, expected] of streams) {
    it(`tells ${what} in chunks of any size`, () => {
      for (let size = 1; size <= stream.length; size++)
        assert.deepEqual(inChunks(framing, stream, size), expected, `chunks of ${size}`)
    })
  }

  it('finds 257 bytes behind a length byte of 1', () => {
    assert.equal(long[1], 1)
    assert.equal(long.length, 257 + 6)
  })

  it('closes a wrapper connection that announces more than the cap', () => {
    const open = framer('wrapper', 100)
    assert.deepEqual(told(open.push(bytes('0001000100010100'))), ['0:frame_oversize'])
    assert.equal(open.closed(), true)
    assert.deepEqual(open.push(fourth), [])
  })

  it('goes on behind an HDLC frame longer than the cap', () => {
    assert.deepEqual(inChunks('hdlc', joined(first, second), 5, second.length), [
      '0:frame_oversize',
      `${first.length}:${hex(second)}`,
    ])
  })

  it('does not wait for the length that a header with a wrong check claims', () => {
    const open = framer('hdlc')
    const events = open.push(joined(bytes('7ea7ff410883130000'), second))
    assert.deepEqual(told(events), ['0:hcs_mismatch', `9:${hex(second)}`])
  })

  it('holds no more than one frame of a stream that never closes it', () => {
    const open = framer('hdlc')
    const endless = bytesOf(frameById('ams-gh146-1')).subarray(0, 500)
    open.push(endless)
    for (let k = 0; k < 100; k++) {
      open.push(new Uint8Array(100).fill(0x55))
      assert.ok(open.buffered() <= defaultCaps.hdlc)
    }
  })

  it('gives units that do not change when the chunk is reused', () => {
    const chunk = first.slice()
    const [event] = framer('hdlc').push(chunk)
    chunk.fill(0)
    assert.ok(event?.kind === 'unit' && hex(event.bytes) === hex(first))
  })
})

function flip(frame: Uint8Array, at: number): Uint8Array {
  const altered = frame.slice()
  altered[at] = (altered[at] as number) ^ 0x01
  return altered
}
