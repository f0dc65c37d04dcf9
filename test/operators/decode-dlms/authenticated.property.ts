// A frame with a tag, once altered, never yields a value.
//
// Protected bytes: system title, security control byte, invocation counter, text and tag. Any other value in any of them is refused.
// The remaining bytes (tags and lengths of the APDU, the link layer, blocks) say how to take the frame apart and are in no tag. Altered, they give a
// refusal, a part that waits, or the very same plaintext: a length in a longer form, another link address, another port. Where the first byte of the
// APDU becomes that of an event of the link (an exception, an association, a request), that event may come out, unprotected and without any value.
// The policy asks for the protection that the frame has: with a weaker one, a frame stripped of its tag would be another, weaker frame.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SimulationRandom } from '../../../bench/fleet/random.ts'
import { decode } from '../../../operators/decode-dlms/decode.ts'
import type { DecodeContext, Decoded } from '../../../operators/decode-dlms/types.ts'
import { type CaseCheck, caseCount, checkCases, firstFailure, noise, pick } from '../../helpers/dlms-cases.ts'
import {
  capturedSamples,
  decodeAll,
  fleetSamples,
  type ProtectedApdu,
  protectedOf,
  type Sample,
} from '../../helpers/dlms-corpus.ts'
import { mutated, repaired, same } from '../../helpers/dlms-mutate.ts'
import { generalGlo, hex, keysFor } from './make.ts'

type Decode = typeof decode

const plain = Uint8Array.from(Buffer.from('0f0000000100020206000013911106', 'hex'))
const made = ([0x30, 0x10, 0x31, 0x32, 0x12] as const).map((control): ProtectedApdu => {
  const keys = keysFor(control & 0x0f)
  const protection = (control & 0x30) === 0x30 ? 'authenticated-encrypted' : 'authenticated'
  return {
    name: `general-glo with control byte ${control.toString(16)}`,
    bytes: generalGlo(plain, control, 7),
    plaintext: plain,
    context: { transport: 'apdu', keys: () => keys, minimumProtection: protection, serviceProtection: protection },
  }
})
const fleet = fleetSamples()
const apdus = [...made, ...protectedOf([...capturedSamples(), ...fleet])]
/** Messages in one or several units, with the plaintext they carry. */
const messages = [...capturedSamples(), ...fleet].flatMap((sample): (Sample & { readonly plaintext: Uint8Array })[] => {
  const context = {
    ...sample.context,
    minimumProtection: 'authenticated-encrypted',
    serviceProtection: 'authenticated-encrypted',
  } as const
  const found = decodeAll(sample.units, context).flatMap(plaintextOf)
  return found.length === 1 && sample.units.length < 20
    ? [{ ...sample, context, plaintext: found[0] as Uint8Array }]
    : []
})

function plaintextOf(decoded: Decoded): readonly Uint8Array[] {
  if (decoded.outcome !== 'message') return []
  const plaintext = decoded.content.ciphered?.plaintext
  return plaintext === undefined ? [] : [Uint8Array.from(plaintext)]
}

/** Offsets of the protected bytes of an APDU. */
function protectedAt(apdu: Uint8Array): readonly number[] {
  const general = apdu[0] === 0xdb || apdu[0] === 0xdc
  const titleAt = general ? 2 : 1
  const titleEnd = general ? 2 + (apdu[1] as number) : 1
  const length = apdu[titleEnd] as number
  const bodyAt = titleEnd + (length < 0x80 ? 1 : 1 + (length & 0x0f))
  const all: number[] = []
  for (let at = titleAt; at < titleEnd; at++) all.push(at)
  for (let at = bodyAt; at < apdu.length; at++) all.push(at)
  return all
}

/** Alters one to eight protected bytes so that at least one has another value. */
function tampered(apdu: Uint8Array, random: SimulationRandom): Uint8Array {
  const places = protectedAt(apdu)
  const copy = Uint8Array.from(apdu)
  const [control] =
    places.length > 0 ? [places[apdu[0] === 0xdb || apdu[0] === 0xdc ? (apdu[1] as number) : 0] as number] : [0]
  do {
    for (let left = 1 + random.below(8); left > 0; left--) {
      // The control byte is where a downgrade would begin.
      const at = random.chance(0.15) ? control : pick(random, places)
      copy[at] = random.chance(0.5) ? (copy[at] as number) ^ (1 << random.below(8)) : random.below(256)
    }
    if (random.chance(0.1)) copy.set(noise(random, 12), copy.length - 12)
  } while (same(copy, apdu))
  return copy
}

const tamperingIsRefused: CaseCheck<Decode> = (subject, random) => {
  const { bytes, context, name } = pick(random, apdus)
  const decoded = subject(tampered(bytes, random), context)
  assert.equal(decoded.outcome, 'refused', name)
  assert.ok(decoded.outcome === 'refused' && decoded.ciphered?.plaintext === undefined, `${name}: shows a plaintext`)
}

const nothingElseComesOut: CaseCheck<Decode> = (subject, random) => {
  if (random.chance(0.5)) {
    const { bytes, context, name, plaintext } = pick(random, apdus)
    onlyTheSame([subject(mutated(bytes, random), context)], plaintext, name)
    return
  }
  const { units, transport, context, name, plaintext } = pick(random, messages)
  const which = random.below(units.length)
  const damaged = units.map((unit, k) => {
    if (k !== which) return unit
    return random.chance(0.8) ? repaired(mutated(unit, random), transport) : mutated(unit, random)
  })
  onlyTheSame(decodeAll(damaged, context, subject), plaintext, name)
}

/** Kinds that hold no values, whoever sends them. */
const events: ReadonlySet<string> = new Set([
  'get-request',
  'initiate-request',
  'aarq',
  'aare',
  'rlrq',
  'rlre',
  'initiate-response',
  'exception-response',
  'confirmed-service-error',
])

function onlyTheSame(outcomes: readonly Decoded[], plaintext: Uint8Array, name: string): void {
  for (const decoded of outcomes) {
    if (decoded.outcome !== 'message') continue
    const { ciphered, message } = decoded.content
    if (decoded.trust.tag === 'absent' && events.has(message.kind)) continue
    assert.equal(decoded.trust.tag, 'verified', name)
    assert.ok(ciphered?.plaintext !== undefined && same(ciphered.plaintext, plaintext), `${name}: another plaintext`)
  }
}

describe('an authenticated frame', () => {
  it('is there in many makes, forms and suites', () => {
    const forms = new Set(apdus.map(({ bytes }) => bytes[0]))
    assert.ok(apdus.length > 60 && forms.size >= 5, `${apdus.length} APDUs in ${forms.size} forms`)
    assert.ok(messages.length > 60)
    for (const { bytes, context, plaintext, name } of apdus) {
      const decoded = decode(bytes, context)
      assert.deepEqual(plaintextOf(decoded).map(hex), [hex(plaintext)], name)
    }
  })

  it('is refused if a byte of title, control, counter, text or tag has another value', () => {
    checkCases(decode, tamperingIsRefused, caseCount(), 21)
  })

  it('is refused for every single bit of them', () => {
    for (const { bytes, context, name } of made) {
      for (const at of protectedAt(bytes)) {
        for (let bit = 0; bit < 8; bit++) {
          const copy = Uint8Array.from(bytes)
          copy[at] = (copy[at] as number) ^ (1 << bit)
          assert.equal(decode(copy, context).outcome, 'refused', `${name}: bit ${bit} of byte ${at}`)
        }
      }
    }
  })

  it('gives its own plaintext or none, wherever in the frame one to eight edits are', () => {
    checkCases(decode, nothingElseComesOut, caseCount(), 22)
  })

  const weak = (context: DecodeContext): DecodeContext => ({
    ...context,
    minimumProtection: 'none',
    serviceProtection: 'none',
    keys: (title) => {
      const keys = context.keys(title)
      return keys === undefined ? undefined : { ...keys, authentication: undefined }
    },
  })
  const planted: readonly (readonly [string, Decode])[] = [
    [
      'takes the values although the tag is wrong',
      (unit, context) => {
        const decoded = decode(unit, context)
        return decoded.outcome === 'refused' && decoded.reason === 'authentication_failed'
          ? decode(unit, weak(context))
          : decoded
      },
    ],
    [
      'believes a control byte that says there is no tag',
      (unit, context) => {
        const decoded = decode(unit, context)
        const weaker = { ...context, minimumProtection: 'none', serviceProtection: 'none' } as const
        return decoded.outcome === 'refused' && decoded.reason === 'protection_too_weak'
          ? decode(unit, weaker)
          : decoded
      },
    ],
    [
      'compares only the first bytes of the tag',
      (unit, context) => {
        const decoded = decode(unit, context)
        if (decoded.outcome !== 'refused' || decoded.reason !== 'authentication_failed') return decoded
        for (const { bytes } of apdus) {
          const fits = bytes.length === unit.length && bytes.subarray(0, -8).every((byte, at) => byte === unit[at])
          if (fits) return decode(bytes, context)
        }
        return decoded
      },
    ],
    [
      'shows what it decrypted before it refused',
      (unit, context) => {
        const decoded = decode(unit, context)
        if (decoded.outcome !== 'refused' || decoded.ciphered === undefined) return decoded
        return { ...decoded, ciphered: { ...decoded.ciphered, plaintext: unit } }
      },
    ],
  ]
  for (const [what, subject] of planted) {
    it(`shows a decoder that ${what}`, () => {
      assert.notEqual(firstFailure(subject, tamperingIsRefused, 4_000, 21), -1)
    })
  }

  it('shows a decoder that takes another plaintext for the same', () => {
    const careless: Decode = (unit, context) => {
      const decoded = decode(unit, context)
      return decoded.outcome === 'refused' && decoded.reason === 'authentication_failed'
        ? decode(unit, weak(context))
        : decoded
    }
    assert.notEqual(firstFailure(careless, nothingElseComesOut, 4_000, 22), -1)
  })
})
