import assert from 'node:assert/strict'
import test from 'node:test'
import { blocksOf, checkSequence, hdlcFrames, wrap } from '../../../../bench/fleet/encode/link.ts'

const apdu = Uint8Array.from({ length: 150 }, (_, i) => i)

test('computes the check value of CRC-16/X-25', () => {
  const digits = Buffer.from('123456789')
  assert.equal(checkSequence(digits, 0, digits.length), 0x906e)
})

test('wraps an APDU behind version, ports and length', () => {
  assert.equal(Buffer.from(wrap(Uint8Array.of(0x0f, 0xff))).toString('hex'), '00010001000100020fff')
})

test('puts a short message into one HDLC frame', () => {
  const frames = hdlcFrames(Uint8Array.of(0xaa), 1_024)
  assert.equal(frames.length, 1)
  const frame = Buffer.from(frames[0] as Uint8Array)
  // flag, format with length 14, client, meter, UI with final bit
  assert.equal(frame.toString('hex', 0, 7), '7ea00e21022313')
  assert.equal(frame.toString('hex', 9, 13), 'e6e700aa')
  assert.equal(frame.at(-1), 0x7e)
  // a check sequence over bytes and their own check sequence is the constant residue
  assert.equal(checkSequence(frame, 1, 9), 0x0f47)
  assert.equal(checkSequence(frame, 1, frame.length - 1), 0x0f47)
})

test('cuts a long message into HDLC segments of which only the last lacks the segmentation bit', () => {
  const frames = hdlcFrames(apdu, 64)
  assert.deepEqual(
    frames.map((frame) => [
      (frame[1] as number) >>> 3,
      ((frame[1] as number) & 7) * 256 + (frame[2] as number),
      frame[6],
    ]),
    [
      [0b10101, 74, 0x03],
      [0b10101, 74, 0x03],
      [0b10100, 35, 0x13],
    ],
  )
  const information = Buffer.concat(frames.map((frame) => frame.subarray(9, -3)))
  assert.equal(information.toString('hex'), `e6e700${Buffer.from(apdu).toString('hex')}`)
  for (const frame of frames) assert.equal(checkSequence(frame, 1, frame.length - 1), 0x0f47)
})

test('cuts an APDU into numbered blocks, the last marked', () => {
  const blocks = blocksOf(apdu, 64)
  assert.deepEqual(
    blocks.map((block) => Buffer.from(block).toString('hex', 0, 7)),
    ['e0400001000040', 'e0400002000040', 'e0c00003000016'],
  )
  assert.deepEqual(Buffer.concat(blocks.map((block) => block.subarray(7))), Buffer.from(apdu))
})
