// Where the batches of the input are cut changes neither what `decodeDlms` puts out nor its state, and the same units from the same state give the same.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createFleet } from '../../../bench/fleet/index.ts'
import type { SimulationRandom } from '../../../bench/fleet/random.ts'
import type { LocatedFrame } from '../../../operators/contract/located-frame.ts'
import type { MeterReadings } from '../../../operators/contract/meter-readings.ts'
import type { Envelope, Keyed } from '../../../operators/contract/operator.ts'
import { decodeDlms } from '../../../operators/decode-dlms/index.ts'
import { type MeterState, meterStateCodec } from '../../../operators/decode-dlms/meter-state.ts'
import { intervalProfiles } from '../../../operators/decode-dlms/profiles/index.ts'
import { operatorConformance } from '../../conformance/operator.ts'
import { type CaseCheck, caseCount, checkCases, firstFailure } from '../../helpers/dlms-cases.ts'
import { mutated, repaired } from '../../helpers/dlms-mutate.ts'
import { type CellStore, contextOf, type Outcome, runBatch, whole } from '../harness.ts'

type Subject = Keyed<LocatedFrame, MeterReadings, MeterState>

// A few homes with every carriage and many faults, so that parts, repetitions and replays of one meter lie close together.
const fleet = createFleet({
  seed: 11,
  homes: 12,
  partitions: 1,
  start: Date.UTC(2026, 9, 24) - 3_600_000,
  days: 3,
  profileNames: { described: 'interval-30min', objects: 'interval-30min' },
  meterMix: { suite2: 0.4, objectLists: 0.4, hdlc: 0.2, hdlcSegmented: 0.35, blocks: 0.35 },
  faults: {
    duplicates: 0.25,
    replayed: 0.1,
    corrupt: 0.1,
    weakened: 0.03,
    restated: 0.03,
    lateDay: 0.1,
    wrongKeyMeters: 0.1,
    exchangesPerDay: 0.3,
    unknown: 0,
  },
})

const options = { keyring: fleet.keyring, profiles: intervalProfiles }

function arrivals(): readonly Envelope<LocatedFrame>[] {
  const records: Envelope<LocatedFrame>[] = []
  for (const tick of fleet.arrivals()) {
    for (const { receivedAt, frame } of tick.arrivals) {
      const entry = fleet.register.byConnection(frame.connection, receivedAt)
      if (entry === undefined) continue
      const origin = { ...whole.origin, offset: BigInt(records.length), receivedAt }
      records.push({ value: { entry, frame, misplaced: false }, origin })
    }
  }
  return records
}

const records = arrivals()

/** Runs batches whose lengths are given, each on the committed bytes of the one before; the last takes the rest. */
function runIn(
  subject: Subject,
  input: readonly Envelope<LocatedFrame>[],
  lengths: readonly number[],
  store: CellStore,
) {
  const outcomes: Outcome[] = []
  let from = 0
  for (const length of [...lengths, input.length]) {
    const batch = input.slice(from, from + length)
    from += batch.length
    for (const outcome of runBatch(subject, batch, { store, context })) outcomes.push(outcome)
  }
  return outcomes
}

const context = contextOf()

function told(outcomes: readonly Outcome[]): unknown {
  return outcomes.map((outcome) => ({ ...outcome, from: outcome.from.origin.offset }))
}

function state(store: CellStore): unknown {
  return [...store]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, bytes]) => [key, Buffer.from(bytes).toString('hex')])
}

function lengthsOf(random: SimulationRandom, most: number): readonly number[] {
  return Array.from({ length: 1 + random.below(12) }, () => random.below(most))
}

const cutsDoNotMatter: CaseCheck<Subject> = (subject, random) => {
  const length = 6 + random.below(24)
  const from = random.below(records.length - length)
  const input = records.slice(from, from + length)
  // The state before is that of some other units, so that windows and joins are already there.
  const before: CellStore = new Map()
  const earlier = Math.max(0, from - random.below(30))
  runIn(subject, records.slice(earlier, from), [], before)
  const first: CellStore = new Map(before)
  const second: CellStore = new Map(before)
  const together = runIn(subject, input, [], first)
  const apart = runIn(subject, input, lengthsOf(random, 10), second)
  assert.deepEqual(told(apart), told(together))
  assert.deepEqual(state(second), state(first))
  if (random.chance(0.2)) {
    const again: CellStore = new Map(before)
    assert.deepEqual(told(runIn(subject, input, [], again)), told(together), 'a replay')
    assert.deepEqual(state(again), state(first), 'a replay')
  }
}

describe('decodeDlms', () => {
  it('meets parts, repetitions, replays and damage in this input', () => {
    const seen = new Set(
      runIn(decodeDlms(options), records, [], new Map()).map((one) => (one.kind === 'emit' ? 'emit' : one.reason)),
    )
    for (const outcome of [
      'emit',
      'part_of_message',
      'duplicate',
      'invocation_counter_replayed',
      'protection_too_weak',
      'authentication_failed',
      'title_mismatch',
      'block_missing',
      'segment_missing',
    ])
      assert.ok(seen.has(outcome), `${outcome} does not occur`)
  })

  it('gives every record exactly one outcome, and keeps no more than two open joins of a meter, when units are damaged at random', () => {
    const damagedIsTold: CaseCheck<Subject> = (subject, random) => {
      const from = random.below(records.length - 20)
      const input = records.slice(from, from + 20).map((record): Envelope<LocatedFrame> => {
        if (random.chance(0.5)) return record
        const { frame } = record.value
        const bytes = mutated(frame.bytes, random)
        const unit = random.chance(0.7) ? repaired(bytes, frame.transport) : bytes
        return { ...record, value: { ...record.value, frame: { ...frame, bytes: unit } } }
      })
      const store: CellStore = new Map()
      const outcomes = runIn(subject, input, [random.below(20)], store)
      assert.deepEqual(
        outcomes.map(({ from }) => from),
        input,
      )
      for (const bytes of store.values()) assert.ok(bytes.length < 2 * 65_536 + 200)
    }
    checkCases(decodeDlms(options), damagedIsTold, caseCount(500), 42)
  })

  it('gives every record exactly one outcome, in order', () => {
    const outcomes = runIn(decodeDlms(options), records, [100, 3, 1_000], new Map())
    assert.deepEqual(
      outcomes.map(({ from }) => from.origin.offset),
      records.map(({ origin }) => origin.offset),
    )
  })

  it('puts out the same and holds the same, wherever its batches are cut', () => {
    checkCases(decodeDlms(options), cutsDoNotMatter, caseCount(500), 41)
  })

  const made = decodeDlms(options)
  const codec: typeof meterStateCodec = {
    encode: ({ window }) => meterStateCodec.encode({ window, pending: undefined }),
    decode: meterStateCodec.decode,
  }
  const planted: readonly (readonly [string, Subject])[] = [
    ['loses open joins at the end of a batch', { ...made, state: { ...made.state, codec } }],
    [
      'looks only at the first state of a batch',
      {
        ...made,
        process: (batch, cells, out, at) => {
          const first = new Map<string, MeterState | undefined>()
          const stale = {
            ...cells,
            get: (key: { index: number; day: number }) => {
              const name = `${key.index}`
              if (!first.has(name)) first.set(name, cells.get(key))
              return first.get(name)
            },
          }
          made.process(batch, stale, out, at)
        },
      },
    ],
    ['counts the batches', counting(made)],
  ]
  for (const [what, subject] of planted) {
    it(`is told from one that ${what}`, () => {
      assert.notEqual(firstFailure(subject, cutsDoNotMatter, 200, 41), -1)
    })
  }
})

operatorConformance('decodeDlms', {
  make: () => decodeDlms(options),
  inputs: fc.tuple(fc.nat(records.length - 31), fc.nat(30)).map(([from, length]) => records.slice(from, from + length)),
  accounting: 'each',
  order: 'kept',
})

/** Rejects every hundredth record that it meets, whatever the state says: a hidden state of its own. */
function counting(made: Subject): Subject {
  let met = 0
  return {
    ...made,
    process: (batch, cells, out, at) => {
      for (const record of batch) {
        if (++met % 100 === 0) out.reject(record, 'frame_missing')
        else made.process([record], cells, out, at)
      }
    },
  }
}
