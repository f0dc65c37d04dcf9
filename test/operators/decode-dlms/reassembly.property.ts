// A message that came in parts is delivered whole and right or not at all, whatever the line does with the parts; and what waits is bounded in bytes
// and time. See test/helpers/dlms-parts.ts for what the line does and for what numbers can and cannot tell.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decode } from '../../../operators/decode-dlms/decode.ts'
import type { Decoded } from '../../../operators/decode-dlms/types.ts'
import { dataTree } from '../../../operators/decode-dlms/wire/axdr-read.ts'
import { decodePending, encodePending, nothingPending } from '../../../operators/decode-dlms/wire/pending.ts'
import type { JoinLimits } from '../../../operators/decode-dlms/wire/segments.ts'
import { type CaseCheck, caseCount, checkCases, firstFailure } from '../../helpers/dlms-cases.ts'
import { valuesOf } from '../../helpers/dlms-outcome.ts'
import { type Traffic, trafficOf, ways } from '../../helpers/dlms-parts.ts'
import { bytes, hdlc, hex, joined, plainContext } from './make.ts'

type Decode = typeof decode

const joinLimits: JoinLimits = { bytes: 600, millis: 60_000 }

interface Delivery {
  /** Number of the message among the sent ones. */
  readonly message: number
  /** How long ago its first part arrived for the last time. */
  readonly waited: number
}

function octetsOf(decoded: Decoded): string | undefined {
  if (decoded.outcome !== 'message') return undefined
  const [value] = valuesOf(decoded.content.message)
  assert.ok(value, 'a message without a value')
  const tree = dataTree(value)
  return tree.type === 'octet-string' ? hex(tree.value) : `${tree.type}`
}

/**
 * Runs traffic through a decoder; throws where a wrong message comes out or too much is kept. Between parts the state is bytes or the very object that
 * came out, in turn. Now and then another part is tried on the same state, before or after, which must change nothing.
 */
function delivered(subject: Decode, { context, sent, arriving, way }: Traffic): readonly Delivery[] {
  const known = new Map(sent.map(({ octets }, message) => [hex(octets), message]))
  const opened = new Map<number, number>()
  const deliveries: Delivery[] = []
  let pending = nothingPending
  for (const [k, { unit, part, message, receivedAt }] of arriving.entries()) {
    if (part === 0) opened.set(message, receivedAt)
    const before = k % 4 === 0 ? decodePending(encodePending(pending)) : pending
    const here = { ...context, pending: before, receivedAt, joinLimits }
    const other = arriving[(k + 1) % arriving.length]?.unit ?? unit
    if (k % 3 === 0) subject(other, here)
    const decoded = subject(unit, here)
    if (k % 3 === 1) subject(other, here)
    pending = decoded.pending
    const held = Math.max(pending.segment?.bytes.length ?? 0, pending.block?.bytes.length ?? 0)
    assert.ok(held <= joinLimits.bytes, `${way}: ${held} bytes wait`)
    const octets = octetsOf(decoded)
    if (octets === undefined) continue
    const which = known.get(octets)
    if (which === undefined) throw new Error(`${way}: a message that nobody sent`)
    const waited = receivedAt - (opened.get(which) ?? Number.NaN)
    assert.ok(waited <= joinLimits.millis, `${way}: joined over ${waited} ms`)
    deliveries.push({ message: which, waited })
  }
  return deliveries
}

const wholeAndRight: CaseCheck<Decode> = (subject, random) => {
  delivered(subject, trafficOf(random, 0.02 + 0.2 * random.unit(), 500))
}

const nothingLost: CaseCheck<Decode> = (subject, random) => {
  const traffic = trafficOf(random, 0, 300)
  const found = delivered(subject, traffic)
  assert.deepEqual(
    found.map(({ message }) => message),
    traffic.sent.map((_, message) => message),
    traffic.way,
  )
}

const repetitionsDropped: CaseCheck<Decode> = (subject, random) => {
  const traffic = trafficOf(random, 0, 300)
  if (traffic.way === 'unnumbered HDLC') return
  const lastPart = (message: number): number => (traffic.sent[message]?.parts.length ?? 0) - 1
  const arriving = traffic.arriving.flatMap((one) =>
    one.part < lastPart(one.message) && random.chance(0.3) ? [one, one] : [one],
  )
  assert.equal(delivered(subject, { ...traffic, arriving }).length, traffic.sent.length, traffic.way)
}

describe('messages in parts', () => {
  it('are delivered whole and right or not at all under loss, repetition, exchange, interleaving and delay', () => {
    checkCases(decode, wholeAndRight, caseCount(), 51)
  })

  it('are all delivered, in order, if the line is good', () => {
    checkCases(decode, nothingLost, Math.ceil(caseCount() / 5), 52)
  })

  it('are all delivered although parts with numbers come twice in a row', () => {
    checkCases(decode, repetitionsDropped, Math.ceil(caseCount() / 5), 53)
  })

  it('are tried in every way, and the line lets some through and stops others', () => {
    const counts = new Map<string, [number, number]>(ways.map((way) => [way, [0, 0]]))
    const counting: CaseCheck<Decode> = (subject, random) => {
      const traffic = trafficOf(random, 0.1, 500)
      const count = counts.get(traffic.way) as [number, number]
      count[0] += traffic.sent.length
      count[1] += new Set(delivered(subject, traffic).map(({ message }) => message)).size
    }
    checkCases(decode, counting, 2_000, 54)
    for (const [way, [sent, came]] of counts)
      assert.ok(came > sent / 20 && came < sent * 0.8, `${way}: ${came} of ${sent}`)
  })

  const planted: readonly (readonly [string, Decode])[] = [
    ['joins across a lost HDLC frame', renumbering],
    ['joins datablocks of two answers', (unit, context) => decode(withInvokeId(unit), context)],
    ['never gives an open join up', (unit, context) => decode(unit, { ...context, receivedAt: 0 })],
    [
      'joins without a limit',
      (unit, context) => decode(unit, { ...context, joinLimits: { ...joinLimits, bytes: 65_536 } }),
    ],
  ]
  for (const [what, subject] of planted) {
    it(`show a decoder that ${what}`, () => {
      assert.notEqual(firstFailure(subject, wholeAndRight, 4_000, 51), -1)
    })
  }

  it('show a decoder that forgets what waits', () => {
    const forgetting: Decode = (unit, context) => decode(unit, { ...context, pending: nothingPending })
    assert.notEqual(firstFailure(forgetting, nothingLost, 100, 52), -1)
  })

  it('show a decoder that writes into the state that it was given', () => {
    const writing: Decode = (unit, context) => {
      const decoded = decode(unit, context)
      context.pending?.segment?.bytes.fill(0)
      context.pending?.block?.bytes.fill(0)
      return decoded
    }
    assert.notEqual(firstFailure(writing, nothingLost, 100, 52), -1)
  })

  it('show a decoder that takes a repeated part for the next one', () => {
    assert.notEqual(firstFailure(renumbering, repetitionsDropped, 1_000, 53), -1)
  })
})

/** Gives each HDLC frame the number that is expected, so that no gap and no repetition is seen. */
function renumbering(unit: Uint8Array, context: Parameters<Decode>[1]): Decoded {
  const expected = context.pending?.segment?.next ?? -1
  const information = unit.subarray(9, -3)
  const opens = information[0] === 0xe6
  if (context.transport !== 'hdlc' || expected < 0 || opens) return decode(unit, context)
  const segmented = ((unit[1] as number) & 0x08) !== 0
  const from = hex(unit.subarray(4, 6))
  return decode(hdlc(information, { segmented, control: (expected << 1) | 0x10, from }), context)
}

function withInvokeId(unit: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(unit)
  if (copy[8] === 0xc4) copy[10] = 0x41
  return copy
}

describe('what waits on a connection', () => {
  it('can be written as bytes however many segments came, until there are too many', () => {
    const context = plainContext('hdlc')
    const next = hdlc(Uint8Array.of(1), { segmented: true })
    let decoded = decode(hdlc(bytes('e6e7000f'), { segmented: true }), context)
    for (let k = 0; k < 65_534; k++) decoded = decode(next, { ...context, pending: decoded.pending })
    assert.equal(decoded.pending.segment?.count, 65_535)
    assert.deepEqual(decodePending(encodePending(decoded.pending)).segment?.count, 65_535)
    const over = decode(next, { ...context, pending: decoded.pending })
    assert.ok(over.outcome === 'refused' && over.reason === 'frame_oversize')
    assert.equal(over.pending.segment, undefined)
  })

  it('is given up by the first part that comes too late, also if it would be the last one', () => {
    const first = hdlc(joined(bytes('e6e700 0f00000001 00'), bytes('09')), { segmented: true })
    const last = hdlc(bytes('0141'))
    const context = { ...plainContext('hdlc'), receivedAt: 1_000 }
    const { pending } = decode(first, context)
    const inTime = decode(last, { ...context, pending, receivedAt: 121_000 })
    assert.equal(inTime.outcome, 'message')
    const late = decode(last, { ...context, pending, receivedAt: 121_001 })
    assert.ok(late.outcome === 'refused' && late.reason === 'segment_missing')
    assert.equal(late.path.abandoned, 'segment_expired')
    assert.equal(late.pending.segment, undefined)
  })
})
