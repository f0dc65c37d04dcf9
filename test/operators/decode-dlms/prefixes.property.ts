// Every frame cut at every length, at every layer: the transport unit, the APDU on its own, the APDU in a link frame with good checks, and what is
// inside the ciphering. All cuts are tried, whatever `MV_CASES` says: there are about 225,000.
//
// Not refused, and rightly: a request of a client, of which the decoder tells the kind from its first byte and reads nothing more. It holds no values.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { reasons } from '../../../operators/contract/reasons.ts'
import { decode } from '../../../operators/decode-dlms/decode.ts'
import type { DecodeContext } from '../../../operators/decode-dlms/types.ts'
import { framer } from '../../../operators/decode-dlms/wire/framer.ts'
import { apdusOf, capturedSamples, fleetSamples, plaintextsOf } from '../../helpers/dlms-corpus.ts'
import { generalGlo, hdlc, joined, keysFor, mbus, wrapper } from './make.ts'

type Decode = typeof decode

const samples = [...capturedSamples(), ...fleetSamples()]
const apdus = apdusOf(samples)
const plaintexts = plaintextsOf(samples)
const unread: ReadonlySet<string> = new Set(['get-request', 'initiate-request', 'rlrq', 'rlre'])

/** One prefix and what it is called if it is not refused. */
interface Cut {
  readonly name: string
  readonly unit: Uint8Array
  readonly context: DecodeContext
}

function* prefixesOf(name: string, whole: Uint8Array, context: DecodeContext): Generator<Cut> {
  for (let length = 0; length < whole.length; length++) {
    yield { name: `${name}, ${length} of ${whole.length} bytes`, unit: whole.subarray(0, length), context }
  }
}

function* wrappedPrefixesOf(name: string, apdu: Uint8Array, context: DecodeContext): Generator<Cut> {
  const llc = Uint8Array.of(0xe6, 0xe7, 0)
  for (let length = 0; length < apdu.length; length++) {
    const part = apdu.subarray(0, length)
    const cut = `${name}, ${length} of ${apdu.length} bytes of the APDU`
    const inWrapper = { name: `${cut} in a wrapper`, unit: wrapper(part) }
    yield { ...inWrapper, context: { ...context, transport: 'wrapper' } }
    if (length % 8 !== 0) continue
    yield { name: `${cut} in HDLC`, unit: hdlc(joined(llc, part)), context: { ...context, transport: 'hdlc' } }
    if (length > 250) continue
    yield { name: `${cut} in M-Bus`, unit: mbus(part, 0x10), context: { ...context, transport: 'mbus' } }
  }
}

function* cipheredPrefixesOf(name: string, plaintext: Uint8Array): Generator<Cut> {
  const keys = keysFor(0)
  for (let length = 0; length < plaintext.length; length++) {
    const unit = generalGlo(plaintext.subarray(0, length), 0x30, length)
    const cut = `${name}, ${length} of ${plaintext.length} bytes, well ciphered`
    yield { name: cut, unit, context: { transport: 'apdu', keys: () => keys } }
  }
}

function refuses(subject: Decode, cuts: Iterable<Cut>): number {
  let count = 0
  for (const { name, unit, context } of cuts) {
    const decoded = subject(unit, context)
    count++
    if (decoded.outcome === 'message' && unread.has(decoded.content.message.kind)) continue
    assert.equal(decoded.outcome, 'refused', name)
    if (decoded.outcome === 'refused') assert.ok(decoded.reason in reasons, `${name}: ${decoded.reason}`)
  }
  return count
}

describe('every prefix', () => {
  let count = 0

  it('of every transport unit is refused', () => {
    for (const { name, units, context } of samples)
      for (const unit of units) count += refuses(decode, prefixesOf(name, trimmed(unit, context), context))
  })

  it('of every transport unit makes a framer wait, and is no unit at the end of the stream', () => {
    for (const { name, units, transport } of samples) {
      if (transport !== 'hdlc' && transport !== 'mbus' && transport !== 'wrapper') continue
      for (const unit of units) {
        for (let length = 0; length < unit.length; length++) {
          const open = framer(transport)
          const events = [...open.push(unit.subarray(0, length)), ...open.end()]
          assert.ok(!events.some(({ kind }) => kind === 'unit'), `${name}, ${length} bytes`)
          assert.ok(length < 2 || events.length > 0, `${name}, ${length} bytes are lost without a word`)
          count++
        }
      }
    }
  })

  it('of every APDU is refused, bare and in link frames whose own checks are right', () => {
    for (const { name, bytes, context } of apdus) {
      count += refuses(decode, prefixesOf(name, bytes, context))
      count += refuses(decode, wrappedPrefixesOf(name, bytes, context))
    }
  })

  it('of what is inside the ciphering is refused, plain and behind a good tag', () => {
    for (const { name, bytes, context } of plaintexts) {
      count += refuses(decode, prefixesOf(name, bytes, context))
      count += refuses(decode, cipheredPrefixesOf(name, bytes))
    }
  })

  it('was tried: more than 100,000 of them', () => {
    assert.ok(count > 100_000, `${count} prefixes`)
  })

  it('shows a decoder that takes missing bytes for zeros', () => {
    const padding: Decode = (unit, context) => {
      let decoded = decode(unit, context)
      for (let zeros = 1; zeros < 24 && decoded.outcome === 'refused'; zeros++)
        decoded = decode(joined(unit, new Uint8Array(zeros)), context)
      return decoded
    }
    assert.throws(() => {
      for (const { name, bytes, context } of plaintexts) refuses(padding, prefixesOf(name, bytes, context))
    }, /message/)
  })
})

/** A bare value of the vectors may have bytes behind it, which are told apart and are no part of it. */
function trimmed(unit: Uint8Array, context: DecodeContext): Uint8Array {
  const decoded = decode(unit, context)
  if (decoded.outcome !== 'message' || decoded.content.message.kind !== 'data') return unit
  return unit.subarray(0, unit.length - decoded.content.message.trailing.length)
}
