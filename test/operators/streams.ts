import fc, { type Arbitrary } from 'fast-check'
import type { BoundedReadings } from '../../operators/contract/bounded-readings.ts'
import type { LocatedFrame } from '../../operators/contract/located-frame.ts'
import type { MeterReadings } from '../../operators/contract/meter-readings.ts'
import type { Envelope } from '../../operators/contract/operator.ts'
import { dedupe } from '../../operators/dedupe.ts'
import { boundContributions } from '../../operators/privacy/bound-contributions.ts'
import type { MeterFrame } from '../../schemas/meter-frame.ts'
import { at, emitted, entryOf, readingOf, readingsOf, runBatch, trusted, whole } from './harness.ts'

/** Four meters in two time zones; the last one belongs to another partition. */
export const meters = [
  entryOf(0),
  entryOf(1, { direction: 'import', fuseWhPerHour: 600 }),
  entryOf(2, { timeZone: 'Australia/Lord_Howe', pointsAtConnection: 2 }),
  entryOf(3, { partition: 1 }),
] as const

const days = ['2026-01-15T12:00Z', '2026-03-28T23:00Z', '2026-10-24T22:00Z'] as const

const reading = fc
  .record({
    day: fc.constantFrom(...days),
    slot: fc.nat(12),
    drift: fc.constantFrom(0, 0, 0, 7, 400),
    channel: fc.constantFrom('import' as const, 'export' as const),
    durationSeconds: fc.constantFrom(900, 1_800, 1_800, 3_600),
    energyWh: fc.oneof(fc.constant(7), fc.integer({ min: -20, max: 4_000 })),
    registerWh: fc.option(fc.nat(20_000), { nil: undefined }),
  })
  .map(({ day, slot, drift, registerWh, durationSeconds, ...rest }) => {
    const start = at(day) + (slot * durationSeconds + drift) * 1_000
    return readingOf(start, { ...rest, durationSeconds, ...(registerWh === undefined ? {} : { registerWh }) })
  })

const arrival = fc.constantFrom(5_000, 5_000, 1_500_000, 40 * 3_600_000, -200_000, -900_000)

const frame: Arbitrary<Envelope<MeterReadings>> = fc
  .record({
    meter: fc.constantFrom(...meters),
    readings: fc.array(reading, { minLength: 1, maxLength: 4 }),
    after: arrival,
    tagVerified: fc.boolean(),
  })
  .map(({ meter, readings, after, tagVerified }) => {
    const end = Math.max(...readings.map(({ start, durationSeconds }) => start + durationSeconds * 1_000))
    return readingsOf(meter, readings, { receivedAt: end + after, trust: { ...trusted, tagVerified } })
  })

/** Frames of readings with retries among them, each a record of its own. */
export const meterReadings: Arbitrary<readonly Envelope<MeterReadings>[]> = fc
  .tuple(fc.array(frame, { maxLength: 14 }), fc.array(fc.nat(), { maxLength: 8 }))
  .map(([frames, retries]) =>
    [...frames, ...retries.flatMap((n) => frames[n % Math.max(1, frames.length)] ?? [])].map(
      ({ value, origin }, n) => ({ value, origin: { ...origin, offset: BigInt(n) } }),
    ),
  )

/** The same after deduplication, as the steps behind it see them. */
export const freshReadings: Arbitrary<readonly Envelope<MeterReadings>[]> = meterReadings.map((frames) =>
  runBatch(dedupe(), frames).flatMap((outcome) =>
    outcome.kind === 'emit' ? [{ value: outcome.value as MeterReadings, origin: outcome.from.origin }] : [],
  ),
)

export const meterFrames: Arbitrary<readonly Envelope<MeterFrame>[]> = fc.array(
  fc
    .record({ connection: fc.nat(5), forwarded: fc.nat(1), receivedAt: fc.nat(10_000) })
    .map(({ connection, forwarded, receivedAt }) => ({
      value: {
        connection: `connection-${connection}`,
        listener: 'lan',
        zone: 'north',
        transport: 'apdu' as const,
        forwarded,
        bytes: new Uint8Array([connection]),
      },
      origin: { ...whole.origin, receivedAt },
    })),
  { maxLength: 20 },
)

export const locatedFrames: Arbitrary<readonly Envelope<LocatedFrame>[]> = meterFrames.map((frames) =>
  frames.map(({ value: located, origin }, n) => ({
    value: { entry: meters[n % meters.length] as (typeof meters)[number], frame: located, misplaced: n % 3 === 0 },
    origin,
  })),
)

export const clip = { utility: 4_000, region: 3_000, substation: 2_000, feeder: 1_000 } as const

export const boundedReadings: Arbitrary<readonly Envelope<BoundedReadings>[]> = freshReadings.map((frames) =>
  frames.flatMap((one) =>
    emitted<BoundedReadings>(runBatch(boundContributions({ clip, windowSeconds: 1_800 }), [one])).map((value) => ({
      value,
      origin: one.origin,
    })),
  ),
)
