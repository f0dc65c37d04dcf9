import type { SchemaRegistry } from '../connectors/contract.ts'
import { checkCutOff } from '../connectors/register/check-households.ts'
import type { Keyring } from '../operators/contract/keyring.ts'
import type { Register } from '../operators/contract/register.ts'
import { intervalProfiles } from '../operators/decode-dlms/profiles/index.ts'
import type { ForecastOptions } from '../operators/forecast/index.ts'
import { kAnonymizeByMonth } from '../operators/privacy/k-anonymize/index.ts'
import { type NoiseSource, secureNoise } from '../operators/privacy/release/noise.ts'
import { defaultPolicy } from '../operators/privacy/release/policy.ts'
import type { DatedPolicy } from '../operators/privacy/release/policy-epochs.ts'
import { checkConnections, mostPointsAtConnection } from '../operators/privacy/release/reporting.ts'
import { membershipHistory } from '../operators/privacy/release/restricted/membership.ts'
import { rulesInForce } from '../operators/privacy/release/rules/count-rules.ts'
import { groupsOfDay } from '../operators/privacy/release/rules/groups.ts'
import type { ReleaseDomain } from '../operators/privacy/release-totals.ts'
import type { LoadPublic } from '../schemas/load-public.ts'
import type { RegisterEntry } from '../schemas/register-entry.ts'
import { topics } from '../schemas/topics.ts'
import { type AttributeRules, anonymityOf } from './attributes.ts'
import { forecast, parentsIn } from './forecast.ts'
import { type LedgerPin, load } from './load.ts'
import { publish } from './publish.ts'
import { readings } from './readings.ts'
import type { Pipeline } from './runtime/index.ts'
import { openWire } from './runtime/wire.ts'

export interface PipelinesOptions {
  /** Every entry of the register: decides what attributes may travel. Required. */
  readonly entries: Iterable<RegisterEntry>
  readonly register: Register
  readonly keyring: Keyring
  readonly registry: SchemaRegistry
  readonly domain: ReleaseDomain
  /** Default `defaultPolicy`. With a rule set, entries and register must be those of `placeLargeUsers`. */
  readonly policy?: DatedPolicy
  /** How many homes share what household.readings tells of each. Default: see `AttributeRules`. */
  readonly attributes?: AttributeRules
  /**
   * First local month, `YYYY-MM`, in which attributes may be told. Each month is held against the one before, so that no
   * two months together tell of fewer homes than one. Default: none, and attributes are told of no home.
   */
  readonly attributesSince?: string | undefined
  /** Default: the operating system's randomness. Tests alone pass another. */
  readonly noise?: NoiseSource
  /** Holidays and weather, which forecasts may know beside released load. Default: neither is known. */
  readonly surroundings?: Pick<ForecastOptions, 'holidays' | 'weather'>
  /** The head of the ledger as the operator keeps it. Default: none is kept. */
  readonly pin?: LedgerPin | undefined
}

/** The four pipelines over one register, key ring and release domain, in the order of the data. */
export async function allPipelines(options: PipelinesOptions): Promise<readonly Pipeline[]> {
  const {
    entries,
    register,
    keyring,
    registry,
    domain,
    policy = defaultPolicy,
    attributes = {},
    attributesSince,
    noise = secureNoise(),
    pin,
    surroundings = {},
  } = options
  const all = [...entries]
  checkConnections(all, policy)
  if (policy.cutOffHour > defaultPolicy.cutOffHour) checkCutOff(all, policy.cutOffHour)
  const generalise = kAnonymizeByMonth(all, {
    ...anonymityOf(attributes),
    timeZone: domain.timeZone,
    since: attributesSince,
  })
  const { fewest } = rulesInForce(policy)
  const { timeZone, zone } = domain
  const membership = membershipHistory({ entries: all, timeZone, zone, k: fewest, cutOffHour: policy.cutOffHour })
  const wire = await openWire(registry, [topics.loadPublic])
  // The seal fixes the very bytes of the public record, schema id included.
  const codec = {
    ...topics.loadPublic.codec,
    encode: (value: LoadPublic) => wire.encode(topics.loadPublic, value),
    decode: (bytes: Uint8Array) => wire.decode(topics.loadPublic, bytes) as LoadPublic,
  }
  const published = { ...topics.loadPublic, codec }
  return [
    readings({ register, keyring, profiles: intervalProfiles, generalise, policy, zone: domain.zone }),
    load({
      domain,
      register: { groups: groupsOfDay(all, policy.ruleSet), pointsAtConnection: mostPointsAtConnection(all) },
      membership,
      policy,
      noise,
      keyring,
      published,
      pin,
    }),
    publish({ codec, domain: domain.name }),
    forecast({ timeZone: domain.timeZone, parentOf: parentsIn(register), ...surroundings }),
  ]
}
