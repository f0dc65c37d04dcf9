import fc, { type Arbitrary } from 'fast-check'
import type { BoundedWh } from '../../schemas/bounded.ts'
import type {
  AcceptedBatch,
  AuditEvent,
  ForecastPublic,
  HouseholdReading,
  LedgerRecord,
  LoadPartial,
  LoadPublic,
  LoadRestricted,
  LoadState,
  MeterFrame,
  RegisterEntry,
  RejectedFrame,
} from '../../schemas/index.ts'
import {
  channels,
  customerClasses,
  levels,
  phases,
  protections,
  publicFlags,
  releasePhases,
  type TopicName,
  transports,
} from '../../schemas/index.ts'

// plain objects, as the decoders make them
const record = <T extends object>(model: { [K in keyof T]: Arbitrary<T[K]> }): Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true }) as Arbitrary<T>

const maxLong = 9_007_199_254_740_990
const text = fc.string({ unit: 'binary', maxLength: 12 }).filter((s) => s.isWellFormed())
const int = fc.integer({ min: -0x80000000, max: 0x7fffffff })
const long = fc.integer({ min: -(2 ** 52), max: maxLong })
const time = fc.integer({ min: 0, max: 4_102_444_800_000 })
const double = fc.double({ noNaN: true }).filter((n) => !Object.is(n, -0))
const bytes = fc.uint8Array({ maxLength: 40 }).map((b) => Buffer.from(b))
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((b) => Buffer.from(b))
const date = fc.constantFrom('2026-03-29', '2026-10-25', '1999-12-31')
const nullable = <T>(of: Arbitrary<T>): Arbitrary<T | null> => fc.option(of, { nil: null })
const level = fc.constantFrom(...levels)
const channel = fc.constantFrom(...channels)
const phase = fc.constantFrom(...phases)

const meterFrame: Arbitrary<MeterFrame> = record({
  connection: text,
  listener: text,
  zone: text,
  transport: fc.constantFrom(...transports),
  forwarded: int,
  bytes,
})

/** Any register entry that its schema can hold; not one that makes sense. */
export const registerEntry: Arbitrary<RegisterEntry> = record({
  point: text,
  connection: text,
  systemTitle: text,
  validFrom: time,
  validTo: nullable(time),
  direction: fc.constantFrom('import', 'export', 'both'),
  partition: int,
  index: int,
  groups: record({ utility: text, region: text, substation: text, feeder: text }),
  customerClass: fc.constantFrom(...customerClasses),
  area: text,
  tariff: text,
  heating: text,
  dwelling: text,
  timeZone: text,
  zone: text,
  profile: text,
  protection: fc.constantFrom(...protections),
  keyRef: text,
  fuseWhPerHour: long,
  pointsAtConnection: int,
})

const rejectedFrame: Arbitrary<RejectedFrame> = record({
  kind: fc.constantFrom('rejected', 'event'),
  reason: text,
  stage: text,
  byteOffset: nullable(int),
  topic: text,
  partition: int,
  offset: long,
  receivedAt: time,
  sealed: bytes,
  fullLength: nullable(long),
  lastOffset: nullable(long),
})

const offset = fc.bigInt({ min: 0n, max: BigInt(maxLong) })

const acceptedBatch: Arbitrary<AcceptedBatch> = record({
  kind: fc.constantFrom('batch', 'marker'),
  seq: long,
  prev: hash,
  hash,
  inFrom: offset,
  inTo: offset,
  floor: time,
  progress: time,
  tables: fc.array(
    record({ table: text, cells: fc.array(record({ index: int, day: int, value: bytes }), { maxLength: 5 }) }),
    { maxLength: 3 },
  ),
})

const householdReading: Arbitrary<HouseholdReading> = record({
  pseudonym: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((b) => Buffer.from(b)),
  date,
  zone: text,
  area: text,
  tariff: text,
  heating: text,
  dwelling: text,
  intervals: fc.array(record({ channel, start: time, durationSeconds: int, energyWh: long, quality: int }), {
    maxLength: 5,
  }),
})

const clip = record({ utility: long, region: long, substation: long, feeder: long })
const partialFields = {
  sourcePartition: int,
  seq: long,
  progress: time,
  cells: fc.array(
    record({
      level,
      group: text,
      channel,
      phase,
      window: time,
      windowSeconds: int,
      date,
      boundedWh: long.map((wh) => wh as BoundedWh),
      exactWh: long,
      count: int,
      shared: fc.nat().map((parts) => parts / 2 ** 29),
      largestWh: long,
      secondWh: long,
      thirdWh: fc.nat(),
    }),
    { maxLength: 5 },
  ),
}
// Bounds may be stated, and day by day, and the rule for C beside them.
const loadPartial: Arbitrary<LoadPartial> = fc.oneof(
  record(partialFields),
  record({ ...partialFields, clipWh: clip }),
  record({ ...partialFields, clipWh: clip, clipWhByDate: fc.array(record({ date, clipWh: clip }), { maxLength: 3 }) }),
  record({ ...partialFields, clipWh: clip, capRule: text }),
  record({
    ...partialFields,
    clipWh: clip,
    clipWhByDate: fc.array(record({ date, clipWh: clip, capRule: text }), { minLength: 1, maxLength: 3 }),
  }),
)

const loadState: Arbitrary<LoadState> = record({ row: text, body: bytes })

const loadRestricted: Arbitrary<LoadRestricted> = record({
  level,
  group: text,
  channel,
  phase,
  window: time,
  windowSeconds: int,
  energyWh: nullable(long),
  count: nullable(int),
  suppressed: nullable(text),
})

const link = { seq: long, prev: hash, hash, domain: text }
const releaseLedger: Arbitrary<LedgerRecord> = fc.oneof(
  record({
    kind: fc.constant('charge' as const),
    ...link,
    zone: text,
    date,
    charges: fc.array(record({ release: text, level, rho: text }), { maxLength: 4 }),
    policy: bytes,
  }),
  record({
    kind: fc.constant('seal' as const),
    ...link,
    zone: text,
    date,
    window: time,
    windowSeconds: int,
    channel,
    phase,
    tick: time,
    digest: bytes,
    count: int,
    records: bytes,
  }),
  record({ kind: fc.constant('checkpoint' as const), ...link, date, rhoYear: text, days: int, seals: nullable(long) }),
)

const loadPublic: Arbitrary<LoadPublic> = record({
  level,
  group: text,
  parent: nullable(text),
  channel,
  phase: fc.constantFrom(...releasePhases),
  window: time,
  windowSeconds: int,
  rawWh: nullable(long),
  consistentWh: nullable(double),
  smoothedWh: nullable(double),
  half50Wh: nullable(long),
  half95Wh: nullable(long),
  consistentHalf95Wh: nullable(long),
  smoothedHalf95Wh: nullable(long),
  expectedLateWh: nullable(long),
  flags: fc.subarray([...publicFlags]),
  mergedInto: nullable(text),
  registered: int,
  privacy: record({
    unit: fc.constant('household-day' as const),
    neighbours: fc.constant('add-remove' as const),
    mechanism: text,
    rho: text,
    epsilonDay: double,
    epsilonWeek: double,
    epsilonYear: double,
    delta: double,
    capRule: text,
    clipWh: long,
    sigma2: text,
  }),
  ledgerSeq: long,
  ledgerHash: bytes,
})

const forecastPublic: Arbitrary<ForecastPublic> = record({
  level,
  group: text,
  channel,
  model: text,
  start: time,
  windowSeconds: int,
  quantilesWh: fc.array(fc.array(double, { maxLength: 5 }), { maxLength: 4 }),
  ledgerSeq: long,
  windows: int,
})

const auditEvent: Arbitrary<AuditEvent> = record({
  seq: long,
  prev: hash,
  hash,
  at: time,
  event: fc.constantFrom('key_use', 'release', 'policy_change', 'restricted_read'),
  actor: text,
  subject: text,
  count: int,
})

/** Any record of each topic, by the topic's name. */
export const records: Readonly<Record<TopicName, Arbitrary<object>>> = {
  'meter.frames': meterFrame,
  'meter.register': registerEntry,
  'meter.rejected': rejectedFrame,
  'meter.accepted': acceptedBatch,
  'household.readings': householdReading,
  'load.partials': loadPartial,
  'load.state': loadState,
  'publish.state': loadState,
  'forecast.state': loadState,
  'load.restricted': loadRestricted,
  'release.ledger': releaseLedger,
  'load.public': loadPublic,
  'forecast.public': forecastPublic,
  audit: auditEvent,
}
