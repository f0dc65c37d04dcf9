import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SimulationRandom } from '../../../bench/fleet/random.ts'
import { recordCounter, windowBytes } from '../../../operators/decode-dlms/counter-window.ts'
import { type MeterState, meterStateCodec } from '../../../operators/decode-dlms/meter-state.ts'
import type { BlockJoin } from '../../../operators/decode-dlms/wire/blocks.ts'
import type { SegmentJoin } from '../../../operators/decode-dlms/wire/segments.ts'
import { CodecError } from '../../../schemas/codec.ts'
import { type CaseCheck, caseCount, checkCases, firstFailure, noise, pick } from '../../helpers/dlms-cases.ts'

type Codec = typeof meterStateCodec

function stateOf(random: SimulationRandom): MeterState {
  const segment = random.chance(0.6) ? segmentOf(random) : undefined
  const block = random.chance(0.6) ? blockOf(random) : undefined
  const window = random.chance(0.7)
    ? recordCounter(undefined, random.u32(), random.u32(), random.below(65_536))
    : undefined
  return { window, pending: segment === undefined && block === undefined ? undefined : { segment, block } }
}

function segmentOf(random: SimulationRandom): SegmentJoin {
  const link = pick(random, ['hdlc', 'mbus'] as const)
  const bytes = bytesOf(random)
  return {
    link,
    address: Buffer.from(noise(random, 2 + random.below(7))).toString('hex'),
    next: link === 'hdlc' && random.chance(0.5) ? -1 : random.below(link === 'hdlc' ? 8 : 16),
    count: 1 + random.below(0xffff),
    bytes,
    lastLength: random.below(bytes.length + 1),
    startedAt: random.below(2 ** 42),
  }
}

function blockOf(random: SimulationRandom): BlockJoin {
  const bytes = bytesOf(random)
  return {
    transfer: pick(random, ['general', 'get-response'] as const),
    protection: pick(random, [0, 0x10, 0x20, 0x30]),
    source: random.chance(0.5) ? '' : `${Buffer.from(noise(random, 8)).toString('hex')}#${random.below(256)}`,
    next: 2 + random.below(2 ** 31),
    bytes,
    lastLength: random.below(bytes.length + 1),
    startedAt: random.below(2 ** 42),
  }
}

function bytesOf(random: SimulationRandom): Uint8Array {
  return random.chance(0.001) ? new Uint8Array(65_536).fill(7) : noise(random, random.below(40))
}

const isItself: CaseCheck<Codec> = (codec, random) => {
  const state = stateOf(random)
  const bytes = codec.encode(state)
  const again = codec.decode(bytes)
  assert.deepEqual(plain(again), plain(state))
  assert.deepEqual(Buffer.from(codec.encode(again)), Buffer.from(bytes))
}

// A view into other bytes is as good as bytes of its own.
function plain({ window, pending }: MeterState): unknown {
  const own = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
  return {
    window: window && own(window),
    segment: pending?.segment && { ...pending.segment, bytes: own(pending.segment.bytes) },
    block: pending?.block && { ...pending.block, bytes: own(pending.block.bytes) },
  }
}

describe('the state of a meter as bytes', () => {
  it('is the same after it was written and read', () => {
    checkCases(meterStateCodec, isItself, caseCount(), 31)
  })

  it('takes 57 bytes for a meter on which nothing waits', () => {
    const window = recordCounter(undefined, 1, 2, 3)
    assert.equal(meterStateCodec.encode({ window, pending: undefined }).length, 1 + windowBytes)
  })

  it('is read from damaged bytes, or refused as another form, and with no other error', () => {
    checkCases(
      meterStateCodec,
      (codec, random) => {
        const bytes = Uint8Array.from(codec.encode(stateOf(random)))
        for (let left = 1 + random.below(4); left > 0; left--) bytes[random.below(bytes.length)] = random.below(256)
        const cut = random.chance(0.5) ? bytes : bytes.subarray(0, random.below(bytes.length))
        try {
          codec.decode(cut)
        } catch (error) {
          assert.ok(error instanceof CodecError, String(error))
        }
      },
      caseCount(),
      32,
    )
  })

  const planted: readonly (readonly [string, Codec])[] = [
    [
      'forgets open joins',
      { ...meterStateCodec, encode: ({ window }) => meterStateCodec.encode({ window, pending: undefined }) },
    ],
    [
      'mistakes an unnumbered segment for number 255',
      {
        ...meterStateCodec,
        decode: (bytes) => {
          const { window, pending } = meterStateCodec.decode(bytes)
          const segment = pending?.segment && { ...pending.segment, next: pending.segment.next & 0xff }
          return { window, pending: pending && { ...pending, segment } }
        },
      },
    ],
    [
      'counts the time of a join in seconds',
      {
        ...meterStateCodec,
        decode: (bytes) => {
          const { window, pending } = meterStateCodec.decode(bytes)
          const block = pending?.block && {
            ...pending.block,
            startedAt: Math.floor(pending.block.startedAt / 1_000) * 1_000,
          }
          return { window, pending: pending && { ...pending, block } }
        },
      },
    ],
  ]
  for (const [what, codec] of planted) {
    it(`shows a codec that ${what}`, () => {
      assert.notEqual(firstFailure(codec, isItself, 2_000, 31), -1)
    })
  }
})
