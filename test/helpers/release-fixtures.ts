import { createSecretKey } from 'node:crypto'
import type { Rational } from 'diffprivlib-ts'
import type { Keyring } from '../../operators/contract/keyring.ts'
import type { BatchContext, Collector, Envelope } from '../../operators/contract/operator.ts'
import type { RegisteredGroup } from '../../operators/contract/register.ts'
import type { ReleaseDomain } from '../../operators/privacy/release/domain.ts'
import type { NoiseSource } from '../../operators/privacy/release/noise.ts'
import { defaultPolicy, type ReleasePolicy } from '../../operators/privacy/release/policy.ts'
import { type ReleaseTotalsOptions, releaseTotals } from '../../operators/privacy/release-totals.ts'
import type { BoundedWh } from '../../schemas/bounded.ts'
import type { LoadPartial, PartialCell } from '../../schemas/load-partial.ts'
import type { LoadPublic } from '../../schemas/load-public.ts'
import type { Level } from '../../schemas/register-entry.ts'
import { topics } from '../../schemas/topics.ts'

const timeZone = 'Europe/Berlin'

/** Two source partitions feed it, so that progress is a minimum of something. */
export const domain: ReleaseDomain = { name: 'demo', zone: 'de', timeZone, partitions: 2 }

/** A tree with two useful feeders, one too small for any release and one too small for a useful one. */
export const groups: readonly RegisteredGroup[] = [
  group('utility', 'utility-1', null, 6_560),
  group('region', 'region-1', 'utility-1', 6_560),
  group('substation', 'substation-1', 'region-1', 6_560),
  group('feeder', 'feeder-1', 'substation-1', 3_000),
  group('feeder', 'feeder-2', 'substation-1', 3_000),
  group('feeder', 'feeder-3', 'substation-1', 60),
  group('feeder', 'feeder-4', 'substation-1', 500),
]

export function group(
  level: Level,
  name: string,
  parent: string | null,
  residential: number,
  other = 0,
): RegisteredGroup {
  return { level, group: name, parent, zone: 'de', timeZone, residential, other }
}

export const registerOf = (all: readonly RegisteredGroup[]) => ({
  groups: (level: Level) => all.filter((each) => each.level === level),
})

/** One key for every purpose and epoch. */
export const testKeyring: Pick<Keyring, 'derived'> = {
  derived: (purpose, epoch) => createSecretKey(Buffer.from(`${purpose}/${epoch}`.padEnd(32, '.'))),
}

/** Noise without noise: exists for tests alone, so that a published value is the true sum. */
export const zeroNoise: NoiseSource = { gaussian: () => 0n }

/** Draws 1, 2, 3 and so on: a second draw for anything shows. */
export function countingNoise(): NoiseSource & { readonly drawn: Rational[] } {
  const drawn: Rational[] = []
  return {
    drawn,
    gaussian: (sigma2) => BigInt(drawn.push(sigma2)),
  }
}

export const publicCodec = topics.loadPublic.codec
export const publicKey = (record: LoadPublic): string => topics.loadPublic.key(record) ?? ''

export const releaseOptions = (options: Partial<ReleaseTotalsOptions> = {}): ReleaseTotalsOptions => ({
  domain,
  policy: defaultPolicy,
  register: registerOf(groups),
  noise: countingNoise(),
  keyring: testKeyring,
  published: topics.loadPublic,
  ...options,
})

export type ReleaseOperator = ReturnType<typeof releaseTotals>
export const releaseOperator = (options: Partial<ReleaseTotalsOptions> = {}): ReleaseOperator =>
  releaseTotals(releaseOptions(options))

/** Instant of a Berlin winter wall clock, `2026-01-15T06:00`. */
export const berlin = (wall: string): number => Date.parse(`${wall}:00+01:00`)

/** A cell of feeder-1 with one contribution. */
export function cell(window: string, boundedWh: number, rest: Partial<PartialCell> = {}): PartialCell {
  return {
    level: 'feeder',
    group: 'feeder-1',
    channel: 'import',
    phase: 'preliminary',
    window: berlin(window),
    windowSeconds: defaultPolicy.windowSeconds,
    date: window.slice(0, 10),
    boundedWh: boundedWh as BoundedWh,
    exactWh: boundedWh,
    count: 1,
    shared: 0,
    largestWh: boundedWh,
    secondWh: 0,
    thirdWh: 0,
    ...rest,
  }
}

/** A batch of each source partition with the same progress; the cells are of the first. */
export const both = (seq: number, progress: string, cells: LoadPartial['cells'] = []): LoadPartial[] => [
  partial(0, seq, progress, cells),
  partial(1, seq, progress),
]

export function partial(
  sourcePartition: number,
  seq: number,
  progress: string | number,
  cells: readonly PartialCell[] = [],
): LoadPartial {
  return { sourcePartition, seq, progress: typeof progress === 'string' ? berlin(progress) : progress, cells }
}

export function envelope<T>(value: T, offset = 0): Envelope<T> {
  return { value, origin: { topic: 'test', partition: 0, offset: BigInt(offset), receivedAt: 0 } }
}

export const context: BatchContext = { partition: 0, seq: 0, progress: 0, floor: 0, keptFrom: 0, whole: envelope(null) }

/** A collector that keeps what is emitted and refuses drops and rejects. */
export function collector<O>(): Collector<O> & { readonly values: O[] } {
  const values: O[] = []
  const refuse = (): never => {
    throw new Error('this operator drops and rejects nothing')
  }
  return { values, emit: (_, value) => void values.push(value), drop: refuse, reject: refuse }
}

/** The default policy with some fields changed. */
export const policyWith = (changes: Partial<ReleasePolicy>): ReleasePolicy => ({ ...defaultPolicy, ...changes })
