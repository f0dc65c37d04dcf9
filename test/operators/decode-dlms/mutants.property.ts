// One to eight edits anywhere in a frame, at every layer, give a value tree or a closed reason. How much work that is: work-bound.property.ts.
//
// Memory: what an outcome keeps alive is counted from its shapes (`heldBytes` in test/helpers/dlms-outcome.ts), at most 1 MiB. What is allocated and
// dropped meanwhile is bounded by the steps, since no step makes more than one object or one copy of bytes that are there.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decode, peekSecurity } from '../../../operators/decode-dlms/decode.ts'
import { decodeDump } from '../../../operators/decode-dlms/dump.ts'
import { type CaseCheck, caseCount, checkCases, firstFailure, pick } from '../../helpers/dlms-cases.ts'
import { mutantOf, samples, written } from '../../helpers/dlms-mutants.ts'
import { mutated } from '../../helpers/dlms-mutate.ts'
import { checkOutcome } from '../../helpers/dlms-outcome.ts'
import { plainContext } from './make.ts'

type Decode = typeof decode

/** Outcomes that damage at some layer must be able to bring about. */
const reached = [
  'message',
  'pending',
  'link',
  'frame_truncated',
  'frame_length_mismatch',
  'hcs_mismatch',
  'fcs_mismatch',
  'checksum_mismatch',
  'segment_missing',
  'block_missing',
  'apdu_unknown_tag',
  'apdu_trailing_bytes',
  'apdu_out_of_scope',
  'length_invalid',
  'axdr_unknown_type',
  'axdr_truncated',
  'axdr_budget',
  'key_unknown',
  'authentication_failed',
  'protection_too_weak',
  'time_invalid',
]

const staysClosed: CaseCheck<Decode> = (subject, random) => {
  const { context, units } = mutantOf(random)
  let { pending } = context
  for (const unit of units) {
    const decoded = subject(unit, { ...context, pending })
    checkOutcome(decoded, unit)
    pending = decoded.pending
  }
}

describe('a frame with one to eight edits', () => {
  it('is broken at every layer by these edits, and not only at the first one', () => {
    const seen = new Map<string, number>()
    const tells: CaseCheck<Decode> = (subject, random) => {
      const { context, units } = mutantOf(random)
      for (const unit of units) {
        const decoded = subject(unit, context)
        const told = decoded.outcome === 'refused' ? decoded.reason : decoded.outcome
        seen.set(told, (seen.get(told) ?? 0) + 1)
      }
    }
    checkCases(decode, tells, 4_000, 2)
    for (const told of reached) assert.ok((seen.get(told) ?? 0) > 0, `no case reaches ${told}`)
    assert.ok((seen.get('message') ?? 0) < 2_000)
  })

  it('is otherwise accepted in each of the forms that are written for it', () => {
    const accepts: CaseCheck<Decode> = (subject, random) => {
      const { outcome } = subject(written(random), plainContext('apdu'))
      assert.ok(outcome === 'message')
    }
    checkCases(decode, accepts, 400, 7)
  })

  it('gives a value tree or a closed reason, and holds at most 1 MiB', () => {
    checkCases(decode, staysClosed, caseCount(), 3)
  })

  it('gives the same again from the same state', () => {
    const repeats: CaseCheck<Decode> = (subject, random) => {
      const { context, units } = mutantOf(random)
      for (const unit of units) assert.deepEqual(summary(subject(unit, context)), summary(subject(unit, context)))
    }
    checkCases(decode, repeats, Math.ceil(caseCount() / 10), 4)
  })

  it('is peeked at without another exception, and shows the header that decoding finds', () => {
    const peeks: CaseCheck<typeof peekSecurity> = (subject, random) => {
      const { context, units } = mutantOf(random)
      for (const unit of units) {
        const peeked = subject(unit, context)
        const decoded = decode(unit, context)
        if (peeked === undefined || !('ciphered' in decoded) || decoded.ciphered === undefined) continue
        const { control, invocationCounter, systemTitle } = decoded.ciphered
        assert.deepEqual(peeked, { systemTitle, control, invocationCounter })
      }
    }
    checkCases(peekSecurity, peeks, Math.ceil(caseCount() / 4), 8)
  })

  it('leaves a dump of several frames readable to its end', () => {
    const dumps: CaseCheck<typeof decodeDump> = (subject, random) => {
      const { stream, context } = pick(random, samples)
      const dump = subject(mutated(stream, random), context)
      for (const { decoded, length } of dump.units) checkOutcome(decoded, new Uint8Array(length))
    }
    checkCases(decodeDump, dumps, Math.ceil(caseCount() / 4), 5)
  })

  const planted: readonly (readonly [string, Decode])[] = [
    ['throws something else for one tag', (unit, context) => (unit.includes(0xc4) ? boom() : decode(unit, context))],
    [
      'makes up a reason',
      (unit, context) => ({ ...decode(unit, context), ...({ reason: 'bad_frame' } as object) }) as ReturnType<Decode>,
    ],
    [
      'tells an offset outside the unit',
      (unit, context) => {
        const decoded = decode(unit, context)
        return decoded.outcome === 'refused' ? { ...decoded, byteOffset: decoded.byteOffset + 70_000 } : decoded
      },
    ],
    [
      'takes a count for granted that the data does not fill',
      (unit, context) => {
        const decoded = decode(unit, context)
        if (decoded.outcome !== 'message' || decoded.content.message.kind !== 'data-notification') return decoded
        const { message } = decoded.content
        const { value } = message
        if (value === undefined) return decoded
        const words = value.words.slice(value.root * 3)
        words[1] = (words[1] ?? 0) + 1
        return {
          ...decoded,
          content: { ...decoded.content, message: { ...message, value: { ...value, words, root: 0 } } },
        }
      },
    ],
    [
      'keeps what should have been given up',
      (unit, context) => {
        const decoded = decode(unit, context)
        const segment = {
          link: 'hdlc',
          address: '',
          next: 0,
          count: 1,
          bytes: new Uint8Array(70_000),
          lastLength: 1,
          startedAt: 0,
        } as const
        return { ...decoded, pending: { segment, block: undefined } }
      },
    ],
  ]
  for (const [what, subject] of planted) {
    it(`shows a decoder that ${what}`, () => {
      assert.notEqual(firstFailure(subject, staysClosed, 2_000, 3), -1)
    })
  }
})

function boom(): never {
  throw new RangeError('offset is out of bounds')
}

function summary(decoded: ReturnType<Decode>): unknown {
  return decoded.outcome === 'refused' ? [decoded.reason, decoded.byteOffset, decoded.stage] : decoded.outcome
}
