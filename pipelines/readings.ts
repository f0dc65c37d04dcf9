import type { Keyring } from '../operators/contract/keyring.ts'
import type { Register } from '../operators/contract/register.ts'
import { decodeDlms } from '../operators/decode-dlms/index.ts'
import type { CompiledProfile } from '../operators/decode-dlms/interpret/interval-profile.ts'
import { dedupe } from '../operators/dedupe.ts'
import { forwardMisplaced } from '../operators/forward-misplaced.ts'
import { keepPlaced } from '../operators/keep-placed.ts'
import { locate } from '../operators/locate.ts'
import { boundContributions } from '../operators/privacy/bound-contributions.ts'
import { partialSums } from '../operators/privacy/partial-sums.ts'
import { type PseudonymizeOptions, pseudonymize } from '../operators/privacy/pseudonymize.ts'
import { clipFor, type ReleasePolicy } from '../operators/privacy/release/policy.ts'
import { validate } from '../operators/validate.ts'
import { utcOf } from '../operators/window/utc-of.ts'
import { type Level, levels } from '../schemas/register-entry.ts'
import { topics } from '../schemas/topics.ts'
import { type Pipeline, pipeline } from './runtime/index.ts'

export interface ReadingsOptions {
  readonly register: Register
  readonly keyring: Keyring
  readonly profiles: ReadonlyMap<string, CompiledProfile>
  readonly generalise: PseudonymizeOptions['generalise']
  readonly policy: ReleasePolicy
}

/** Encrypted frames in; pseudonymous readings, and bounded partial sums for release, out. */
export function readings({ register, keyring, profiles, generalise, policy }: ReadingsOptions): Pipeline {
  const clip = Object.fromEntries(levels.map((level) => [level, clipFor(policy, level)])) as Record<Level, number>
  const { windowSeconds, graceSeconds, cutOffHour } = policy
  return pipeline(
    'readings',
    topics.meterFrames,
    (frames) => {
      const located = frames.through(locate({ register }))
      located.through(forwardMisplaced()).to(topics.meterFrames)

      const accepted = located
        .through(keepPlaced())
        .keyed(decodeDlms({ keyring, profiles, utcOf }))
        .keyed(validate())
        .keyed(dedupe())

      accepted.lower(pseudonymize({ keyring, generalise })).to(topics.householdReadings)

      accepted
        .keyed(boundContributions({ clip, windowSeconds, cutOffHour }))
        .lower(partialSums({ graceSeconds, clip }))
        .to(topics.loadPartials, { partition: () => 0 })
    },
    { rejects: topics.meterRejected, changelog: topics.meterAccepted, covers: topics.householdReadings },
  )
}
