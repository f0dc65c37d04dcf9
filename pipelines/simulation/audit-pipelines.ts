import type { BoundedReadings } from '../../operators/contract/bounded-readings.ts'
import type { Keyring } from '../../operators/contract/keyring.ts'
import type { LocatedFrame } from '../../operators/contract/located-frame.ts'
import type { MeterReadings } from '../../operators/contract/meter-readings.ts'
import type { Keyed, Operator } from '../../operators/contract/operator.ts'
import { dedupe } from '../../operators/dedupe.ts'
import { keepPlaced } from '../../operators/keep-placed.ts'
import { locate } from '../../operators/locate.ts'
import {
  type BoundContributionsOptions,
  boundContributions,
  type ClipUse,
} from '../../operators/privacy/bound-contributions.ts'
import { type PartialSumsOptions, partialSums } from '../../operators/privacy/partial-sums.ts'
import type { PublishOptions } from '../../operators/privacy/publish.ts'
import type { NoiseSource } from '../../operators/privacy/release/noise.ts'
import { clipFor, type ReleasePolicy } from '../../operators/privacy/release/policy.ts'
import { policyEpochs } from '../../operators/privacy/release/policy-epochs.ts'
import { asBuffer } from '../../schemas/avro.ts'
import type { Codec } from '../../schemas/codec.ts'
import type { IntervalReading } from '../../schemas/interval-reading.ts'
import type { LoadPublic } from '../../schemas/load-public.ts'
import type { MeterFrame } from '../../schemas/meter-frame.ts'
import { byLevel } from '../../schemas/register-entry.ts'
import { topics } from '../../schemas/topics.ts'
import { type LoadOptions, load } from '../load.ts'
import { publish } from '../publish.ts'
import { type Pipeline, pipeline } from '../runtime/index.ts'
import { type AuditReading, type AuditWorld, auditZone, registerOf } from './audit-world.ts'

/** The release domain of an audit. */
export const auditDomain = 'audit'

/** What a test may put in the place of a real part. */
export interface AuditParts {
  readonly noise?: NoiseSource
  /** `null` leaves the step out. */
  readonly dedupe?: typeof dedupe | null
  readonly bound?: (options: BoundContributionsOptions) => Keyed<MeterReadings, BoundedReadings, ClipUse>
  /** Comes between clip and sums. */
  readonly between?: Operator<BoundedReadings, BoundedReadings>
  readonly sums?: (options: PartialSumsOptions) => ReturnType<typeof partialSums>
  readonly load?: (options: LoadOptions) => Pipeline
  readonly publish?: (options: PublishOptions) => Pipeline
}

export interface AuditPipelinesOptions {
  readonly world: AuditWorld
  readonly policy: ReleasePolicy
  readonly noise: NoiseSource
  readonly keyring: Pick<Keyring, 'derived'>
  /** Wire format of load.public. */
  readonly codec: Codec<LoadPublic>
  readonly sealsPerStep: number
  readonly parts: AuditParts
}

/** [readings] from behind its decoder on, [load] and [publish], over one world. */
export function auditPipelines(options: AuditPipelinesOptions): readonly Pipeline[] {
  const { world, policy, keyring, codec, sealsPerStep, parts } = options
  const register = registerOf(world)
  const domain = { name: auditDomain, zone: auditZone, timeZone: world.timeZone, partitions: 1 }
  const published = { ...topics.loadPublic, codec }
  const noise = parts.noise ?? options.noise
  const { load: loads = load, publish: publishes = publish } = parts
  return [
    clearReadings(options),
    loads({ domain, register, policy, noise, keyring, published, sealsPerStep }),
    publishes({ codec, domain: auditDomain }),
  ]
}

/** The public side of [readings], with frames that are read instead of decoded. */
function clearReadings({ world, policy, parts }: AuditPipelinesOptions): Pipeline {
  const { windowSeconds, cutOffHour, graceSeconds } = policy
  const clip = byLevel((level) => clipFor(policy, level))
  const { capOn: cap } = policyEpochs(policy)
  const { bound = boundContributions, sums = partialSums, between } = parts
  const seenOnce = parts.dedupe === undefined ? dedupe : parts.dedupe
  return pipeline(
    'readings',
    topics.meterFrames,
    (frames) => {
      const clear = frames
        .through(locate({ register: registerOf(world) }))
        .through(keepPlaced())
        .through(readClear)
      const fresh = seenOnce ? clear.keyed(seenOnce()) : clear
      const bounded = fresh.keyed(bound({ clip, cap, windowSeconds, cutOffHour, zone: auditZone }))
      const counted = between ? bounded.through(between) : bounded
      counted.lower(sums({ graceSeconds, clip: () => clip })).to(topics.loadPartials, { partition: () => 0 })
    },
    { rejects: topics.meterRejected, changelog: topics.meterAccepted },
  )
}

type Row = readonly [IntervalReading['channel'], start: number, durationSeconds: number, energyWh: number]

/** A frame that carries readings in the clear. */
export function frameOf({
  home,
  readings,
}: {
  readonly home: string
  readonly readings: readonly AuditReading[]
}): MeterFrame {
  const rows = readings.map(({ channel, start, durationSeconds, wh }): Row => [channel, start, durationSeconds, wh])
  const bytes = Buffer.from(JSON.stringify(rows))
  return { connection: home, listener: 'audit', zone: auditZone, transport: 'apdu', forwarded: 0, bytes }
}

const trust = { protection: 'none', tagVerified: false, counter: null } as const

const readClear: Operator<LocatedFrame, MeterReadings> = {
  spec: { name: 'readClear', drops: [], rejects: [] },
  process: (batch, out) => {
    for (const record of batch) {
      const { entry, frame } = record.value
      const rows = JSON.parse(asBuffer(frame.bytes).toString('utf8')) as readonly Row[]
      const readings = rows.map(
        ([channel, start, durationSeconds, energyWh]): IntervalReading => ({
          channel,
          start,
          durationSeconds,
          energyWh,
          quality: 0,
        }),
      )
      out.emit(record, { entry, readings, trust })
    }
  },
}
