import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { memoryKeyring } from '../../../connectors/keyring/index.ts'
import { HaltError } from '../../../operators/contract/halt.ts'
import type { Keyring } from '../../../operators/contract/keyring.ts'
import type { MeterReadings } from '../../../operators/contract/meter-readings.ts'
import type { Envelope } from '../../../operators/contract/operator.ts'
import { pseudonymize } from '../../../operators/privacy/pseudonymize.ts'
import { type HouseholdReading, householdReadingCodec } from '../../../schemas/household-reading.ts'
import { at, emitted, entryOf, halfHour, readingOf, readingsOf, runBatch } from '../harness.ts'

const keyring = memoryKeyring({ master: Buffer.alloc(32, 7) })
const generalise = () => ({ area: 'A*', tariff: '*', heating: 'gas', dwelling: '*' })
const noon = at('2026-01-15T12:00Z')

const households = (batch: readonly Envelope<MeterReadings>[], keys: Keyring = keyring): readonly HouseholdReading[] =>
  emitted(runBatch(pseudonymize({ keyring: keys, generalise }), batch))

const pseudonymOf = (index: number, start = noon, keys = keyring): string =>
  Buffer.from(households([readingsOf(entryOf(index), [readingOf(start)])], keys)[0]!.pseudonym).toString('hex')

describe('pseudonymize', () => {
  test('gives a record the pseudonym of its connection on its local date', () => {
    // HMAC-SHA-256 of connection-1 under HKDF-SHA-256(07 x 32, "meterveil v1\0pseudonym\0" + "2026-01-15"), by another library
    assert.equal(pseudonymOf(1), known)
  })

  test('gives one home the same pseudonym all day and another one the next day', () => {
    assert.equal(pseudonymOf(1, at('2026-01-15T00:00Z')), pseudonymOf(1, at('2026-01-15T23:30Z')))
    assert.notEqual(pseudonymOf(1, at('2026-01-16T00:00Z')), pseudonymOf(1))
    assert.notEqual(pseudonymOf(2), pseudonymOf(1))
    assert.notEqual(pseudonymOf(1, noon, memoryKeyring({ master: Buffer.alloc(32, 8) })), pseudonymOf(1))
  })

  test('stays the same across a meter exchange: the connection counts', () => {
    const exchanged = readingsOf(entryOf(1, { systemTitle: 'ff', point: 'other', index: 9 }), [readingOf(noon)])
    assert.equal(Buffer.from(households([exchanged])[0]!.pseudonym).toString('hex'), pseudonymOf(1))
  })

  test('makes one record per local date of a frame', () => {
    const midnight = at('2026-07-15T23:00Z')
    const readings = [-2, -1, 0, 1].map((n) => readingOf(midnight + n * halfHour * 1_000))
    const made = households([readingsOf(entryOf(1), readings)])
    const dates = new Map(made.map(({ date, intervals }) => [date, intervals.map(({ start }) => start)]))
    assert.deepEqual([...dates.keys()].sort(), ['2026-07-15', '2026-07-16'])
    assert.deepEqual(dates.get('2026-07-16'), [midnight, midnight + 1_800_000])
  })

  test('leaves behind the register total, the arrival and everything that names the home', () => {
    const entry = entryOf(1, { area: 'CANARY-area', zone: 'north' })
    const frame = readingsOf(entry, [readingOf(noon, { registerWh: 123_456_789, quality: 3 })], {
      receivedAt: noon + 1_812_345,
    })
    const [made] = households([frame]) as readonly [HouseholdReading]
    assert.deepEqual(Object.keys(made), [
      'pseudonym',
      'date',
      'zone',
      'area',
      'tariff',
      'heating',
      'dwelling',
      'intervals',
    ])
    assert.deepEqual(made.intervals, [
      { channel: 'import', start: noon, durationSeconds: 1_800, energyWh: 300, quality: 3 },
    ])
    const bytes = Buffer.from(householdReadingCodec.encode(made)).toString('latin1')
    for (const secret of ['point-1', 'connection-1', '4d4d4d', 'key-1', 'CANARY'])
      assert.equal(bytes.includes(secret), false)
  })

  test('sorts a batch by pseudonym, then start, whatever the order of arrival', () => {
    const frames = Array.from({ length: 40 }, (_, n) => readingsOf(entryOf(n % 20), [readingOf(noon + n * 1_800_000)]))
    const order = (batch: readonly Envelope<MeterReadings>[]) =>
      households(batch).map(
        ({ pseudonym, intervals }) => `${Buffer.from(pseudonym).toString('hex')}/${intervals[0]?.start}`,
      )
    const sorted = order(frames)
    assert.deepEqual(sorted, sorted.toSorted())
    assert.deepEqual(order(frames.toReversed()), sorted)
  })

  test('halts without the key of a date, emitting nothing and naming no home', () => {
    const oneDate: Keyring = {
      ...keyring,
      derived: (purpose, epoch) => (epoch === '2026-01-15' ? keyring.derived(purpose, epoch) : undefined),
    }
    const batch = [readingsOf(entryOf(1), [readingOf(noon)]), readingsOf(entryOf(2), [readingOf(noon + 86_400_000)])]
    const step = pseudonymize({ keyring: oneDate, generalise })
    const emissions: unknown[] = []
    const out = { emit: (_: unknown, value: unknown) => void emissions.push(value), drop: () => {}, reject: () => {} }
    assert.throws(
      () =>
        step.process(batch, out, {
          partition: 0,
          seq: 1,
          progress: 0,
          floor: 0,
          keptFrom: 0,
          whole: { value: null, origin: batch[0]!.origin },
        }),
      (error: Error) =>
        error instanceof HaltError &&
        /2026-01-16/.test(error.message) &&
        !/connection|point/.test(`${error.message} ${error.action}`),
    )
    assert.deepEqual(emissions, [])
  })

  test('answers the same when more dates are asked for than it keeps ready', () => {
    const step = pseudonymize({ keyring, generalise })
    const ask = (day: number) =>
      Buffer.from(
        emitted<HouseholdReading>(runBatch(step, [readingsOf(entryOf(1), [readingOf(noon + day * 86_400_000)])]))[0]!
          .pseudonym,
      ).toString('hex')
    const first = Array.from({ length: 9 }, (_, day) => ask(day))
    assert.deepEqual(
      Array.from({ length: 9 }, (_, day) => ask(day)),
      first,
    )
    assert.equal(new Set(first).size, 9)
  })
})

const known = '3c3663ad5d9e2c16bb78395d7e42a2d8'
