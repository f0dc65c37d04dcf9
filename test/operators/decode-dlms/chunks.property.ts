// A byte stream cut into chunks anywhere gives the same units, faults and messages as the whole of it at once, and never holds more than the cap.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SimulationRandom } from '../../../bench/fleet/random.ts'
import { hostileStreams } from '../../../bench/operators/hostile-units.ts'
import { decode } from '../../../operators/decode-dlms/decode.ts'
import { decodeDump } from '../../../operators/decode-dlms/dump.ts'
import { defaultCaps, type Framer, type FramerEvent, framer } from '../../../operators/decode-dlms/wire/framer.ts'
import type { Framing } from '../../../operators/decode-dlms/wire/scan.ts'
import { type CaseCheck, caseCount, checkCases, firstFailure, noise, pick } from '../../helpers/dlms-cases.ts'
import { capturedSamples, decodeAll, fleetSamples } from '../../helpers/dlms-corpus.ts'
import { mutated, same } from '../../helpers/dlms-mutate.ts'
import { printed } from '../../helpers/dlms-outcome.ts'
import { hdlc, joined, mbus, wrapper } from './make.ts'

type Subject = typeof framer

const samples = [...capturedSamples(), ...fleetSamples()]
const hostile = hostileStreams()
const framings = ['hdlc', 'mbus', 'wrapper'] as const
type Link = (typeof framings)[number]
const frames: Readonly<Record<Link, readonly Uint8Array[]>> = {
  hdlc: [...unitsOf('hdlc'), hdlc(new Uint8Array(0)), hdlc(new Uint8Array(2035).fill(0x7e)), hdlc(Uint8Array.of(0x7e))],
  mbus: [...unitsOf('mbus'), mbus(new Uint8Array(255).fill(0x68), 0x10), mbus(new Uint8Array(0), 0x10)],
  wrapper: [...unitsOf('wrapper'), wrapper(new Uint8Array(0)), wrapper(new Uint8Array(3_000).fill(1))],
}

function unitsOf(transport: Link): readonly Uint8Array[] {
  const good = samples.filter((sample) => sample.transport === transport).flatMap(({ units }) => units)
  return good.filter((unit) => {
    const events = framer(transport).push(unit)
    return events.length === 1 && events[0]?.kind === 'unit' && events[0].bytes.length === unit.length
  })
}

/** The events of one stream, and the most bytes that were held on the way. */
function run(subject: Subject, framing: Framing, chunks: readonly Uint8Array[], cap?: number) {
  const open = cap === undefined ? subject(framing) : subject(framing, cap)
  const events: FramerEvent[] = []
  let held = 0
  for (const chunk of chunks) {
    // The chunk may be reused after the call, so it is.
    const lent = Uint8Array.from(chunk)
    for (const event of open.push(lent)) events.push(event)
    lent.fill(0xa5)
    held = Math.max(held, open.buffered())
  }
  for (const event of open.end()) events.push(event)
  return { events, held }
}

function cut(stream: Uint8Array, random: SimulationRandom): readonly Uint8Array[] {
  const size = pick(random, [1, 2, 3, 7, 16, 64, 300, 1_000])
  const chunks: Uint8Array[] = []
  for (let at = 0; at < stream.length; ) {
    const length = size === 1 ? 1 : random.below(2 * size)
    chunks.push(stream.subarray(at, at + length))
    at += length
  }
  return chunks
}

interface Stream {
  readonly framing: Link
  readonly bytes: Uint8Array
  /** Frames that must be found whatever is around them; `undefined` if a damaged one may have swallowed some. */
  readonly good: readonly Uint8Array[] | undefined
}

function streamOf(random: SimulationRandom): Stream {
  const framing = pick(random, framings)
  const parts: Uint8Array[] = []
  const good: Uint8Array[] = []
  const harsh = random.chance(0.5)
  for (let left = 1 + random.below(6); left > 0; left--) {
    const unit = pick(random, frames[framing])
    if (harsh && random.chance(0.3)) {
      parts.push(mutated(unit, random))
      continue
    }
    parts.push(unit)
    good.push(unit)
    if (framing !== 'wrapper' && random.chance(0.4)) parts.push(garbage(framing, harsh, random))
  }
  return { framing, bytes: joined(...parts), good: harsh ? undefined : good }
}

function garbage(framing: Link, harsh: boolean, random: SimulationRandom): Uint8Array {
  const bytes = noise(random, random.below(40))
  // Without any start mark nothing in it can be taken for the beginning of a frame.
  const mark = framing === 'hdlc' ? 0x7e : 0x68
  if (!harsh) return bytes.map((byte) => (byte === mark ? 0 : byte))
  for (let left = random.below(3); left > 0 && bytes.length > 4; left--)
    bytes.set(pick(random, starts), random.below(bytes.length - 3))
  return bytes
}

const starts = [
  Uint8Array.of(0x7e, 0xa0, 0x09),
  Uint8Array.of(0x68, 6, 6, 0x68),
  Uint8Array.of(0x7e),
  Uint8Array.of(0x68),
]

const chunksDoNotMatter: CaseCheck<Subject> = (subject, random) => {
  const { framing, bytes, good } = streamOf(random)
  const whole = run(framer, framing, [bytes])
  const chunked = run(subject, framing, cut(bytes, random))
  equalEvents(chunked.events, whole.events)
  assert.ok(chunked.held <= defaultCaps[framing], `${chunked.held} bytes held`)
  if (good === undefined) return
  const units = chunked.events.flatMap((event) => (event.kind === 'unit' ? [event.bytes] : []))
  assert.equal(units.length, good.length, 'frames between garbage')
  for (const [k, unit] of good.entries()) assert.ok(same(unit, units[k] as Uint8Array), `frame ${k}`)
}

function equalEvents(given: readonly FramerEvent[], wanted: readonly FramerEvent[]): void {
  assert.equal(given.length, wanted.length, 'number of events')
  for (const [k, event] of wanted.entries()) {
    const other = given[k] as FramerEvent
    assert.equal(other.at, event.at)
    assert.equal(other.kind, event.kind)
    if (event.kind === 'unit') assert.ok(other.kind === 'unit' && same(other.bytes, event.bytes), 'bytes of a unit')
    else assert.ok(other.kind === 'fault' && other.reason === event.reason, 'reason of a fault')
  }
}

const neverHoldsMore: CaseCheck<Subject> = (subject, random) => {
  const framing = pick(random, framings)
  const cap = 64 + random.below(400)
  const { bytes } = random.chance(0.5) ? pick(random, hostile) : streamOf(random)
  const part = bytes.subarray(0, 4_000)
  const whole = run(framer, framing, [part], cap)
  const chunked = run(subject, framing, cut(part, random), cap)
  equalEvents(chunked.events, whole.events)
  assert.ok(chunked.held <= cap, `${chunked.held} bytes held, cap ${cap}`)
}

describe('a byte stream cut into chunks', () => {
  it('gives the units and faults of the whole stream, with garbage and damaged frames between', () => {
    checkCases(framer, chunksDoNotMatter, caseCount(), 11)
  })

  it('never holds more than any cap, whatever comes', () => {
    checkCases(framer, neverHoldsMore, Math.ceil(caseCount() / 10), 12)
  })

  it('gives the messages of every captured and simulated stream, byte by byte and in chunks', () => {
    checkCases(
      framer,
      (subject, random) => {
        const { transport, stream, context, name } = pick(random, samples)
        if (transport !== 'hdlc' && transport !== 'mbus' && transport !== 'wrapper') return
        const { events } = run(subject, transport, cut(stream, random))
        const units = events.flatMap((event) => (event.kind === 'unit' ? [event.bytes] : []))
        const wanted = decodeDump(stream, context).units.map(({ decoded }) => printed(decoded))
        const given = decodeAll(units, context).map(printed)
        // A capture that lost its last flag is read in a dump, while a stream waits for the flag.
        assert.deepEqual(given, wanted.slice(0, given.length), name)
        assert.ok(given.length === wanted.length || given.length === wanted.length - 1)
      },
      Math.ceil(caseCount() / 5),
      13,
    )
  })

  it('holds no more than the cap when a segmented message or garbage never ends', () => {
    const endless: readonly (readonly [Link, Uint8Array])[] = [
      ['hdlc', hdlc(Uint8Array.of(0xe6, 0xe7, 0, 0x0f, 0, 0, 0, 1), { segmented: true })],
      ['hdlc', hdlc(new Uint8Array(200).fill(1), { segmented: true })],
      ['mbus', mbus(new Uint8Array(200), 0x00)],
      ['hdlc', new Uint8Array(200).fill(0xa0)],
      ['mbus', Uint8Array.of(0x68, 0xfa, 0xfa, 0x68)],
    ]
    for (const [framing, part] of endless) {
      const open = framer(framing)
      let pending = decode(part, { transport: framing, keys: () => undefined, minimumProtection: 'none' }).pending
      for (let k = 0; k < 1_000; k++) {
        for (const event of open.push(part)) {
          if (event.kind !== 'unit') continue
          const context = { transport: framing, keys: () => undefined, minimumProtection: 'none', pending } as const
          pending = decode(event.bytes, context).pending
        }
        assert.ok(open.buffered() <= defaultCaps[framing])
        assert.ok((pending.segment?.bytes.length ?? 0) <= 65_536)
      }
    }
  })

  const planted: readonly (readonly [string, Subject])[] = [
    [
      'loses the byte at the border of a chunk',
      (framing, cap) => altered(framer(framing, cap), (chunk) => chunk.subarray(chunk.length > 9 ? 1 : 0)),
    ],
    ['forgets what it held', (framing) => forgetful(framing)],
    ['keeps the chunk instead of its bytes', (framing, cap) => keeping(framer(framing, cap))],
    ['tells each unit twice', (framing, cap) => doubled(framer(framing, cap))],
  ]
  for (const [what, subject] of planted) {
    it(`shows a framer that ${what}`, () => {
      assert.notEqual(firstFailure(subject, chunksDoNotMatter, 2_000, 11), -1)
    })
  }

  it('shows a framer without a cap', () => {
    assert.notEqual(
      firstFailure((framing) => framer(framing), neverHoldsMore, 2_000, 12),
      -1,
    )
  })
})

function altered(open: Framer, change: (chunk: Uint8Array) => Uint8Array): Framer {
  return { ...open, push: (chunk) => open.push(change(chunk)) }
}

function forgetful(framing: Framing): Framer {
  let open = framer(framing)
  return {
    push: (chunk) => {
      open = framer(framing)
      return open.push(chunk)
    },
    end: () => open.end(),
    buffered: () => open.buffered(),
    closed: () => open.closed(),
  }
}

function keeping(open: Framer): Framer {
  const chunks: Uint8Array[] = []
  return {
    ...open,
    push: (chunk) => {
      chunks.push(chunk)
      return []
    },
    end: () => [...chunks.flatMap((chunk) => open.push(chunk)), ...open.end()],
  }
}

function doubled(open: Framer): Framer {
  return { ...open, push: (chunk) => open.push(chunk).flatMap((event) => [event, event]) }
}
