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
import { type DatedPolicy, policyEpochs } from '../operators/privacy/release/policy-epochs.ts'
import { validate } from '../operators/validate.ts'
import { utcOf } from '../operators/window/utc-of.ts'
import { topics } from '../schemas/topics.ts'
import { type Pipeline, pipeline } from './runtime/index.ts'

export interface ReadingsOptions {
  readonly register: Register
  readonly keyring: Keyring
  readonly profiles: ReadonlyMap<string, CompiledProfile>
  readonly generalise: PseudonymizeOptions['generalise']
  /** Bounds each reading by the epoch of its own local date. */
  readonly policy: DatedPolicy
  /**
   * Residency zone whose load is released: homes of others stand in household.readings alone. Default: the whole register
   * is of one zone.
   */
  readonly zone?: string
}

/** Encrypted frames in; pseudonymous readings, and bounded partial sums for release, out. */
export function readings({ register, keyring, profiles, generalise, policy, zone }: ReadingsOptions): Pipeline {
  const { clipOn: clip, capOn: cap, capRuleOn: capRule } = policyEpochs(policy)
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
        .keyed(boundContributions({ clip, cap, windowSeconds, cutOffHour, zone }))
        .lower(partialSums({ graceSeconds, clip, capRule }))
        .to(topics.loadPartials, { partition: () => 0 })
    },
    { rejects: topics.meterRejected, changelog: topics.meterAccepted, covers: topics.householdReadings },
  )
}
