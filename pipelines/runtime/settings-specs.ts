import { z } from 'zod'
import { type Level, levels } from '../../schemas/register-entry.ts'
import { attributeSpecs } from './settings-attributes.ts'
import { epochsSpec } from './settings-epochs.ts'
import { oneOf, path, type SettingSpec, whole } from './settings-kinds.ts'
import { selectionSpecs } from './settings-selection.ts'
import { serviceSpecs } from './settings-services.ts'

const zonePattern = /^[a-z0-9][a-z0-9-]{0,31}$/

/** As the policy has them, which settings do not know; a test compares them. */
const clipDefaults: Readonly<Record<Level, string>> = {
  utility: '20,000',
  region: '15,000',
  substation: '12,000',
  feeder: '10,000',
}

const clipSpec = (level: Level): SettingSpec => ({
  key: `policy.clipWhPerHalfHour.${level}`,
  variable: `METERVEIL_CLIP_WH_${level.toUpperCase()}`,
  ...whole(100, 1_000_000),
  fallback: clipDefaults[level],
  help: `Household-day bound S at level ${level}, in Wh, for half-hour windows.`,
})

/** Every setting there is; docs/operator.md lists this table, and a test compares them. */
export const settingSpecs: readonly SettingSpec[] = [
  {
    key: 'dataFolder',
    variable: 'METERVEIL_DATA_FOLDER',
    ...path,
    fallback: 'log in memory',
    help: 'Folder of the durable log.',
  },
  {
    key: 'fsync',
    variable: 'METERVEIL_FSYNC',
    ...oneOf('commit', 'none'),
    fallback: 'commit',
    help: 'When the durable log forces bytes to the disk: before a commit is acknowledged, or when the system likes.',
  },
  {
    key: 'partitions',
    variable: 'METERVEIL_PARTITIONS',
    ...whole(1, 1_024),
    fallback: '8',
    help: 'Partitions of meter.frames. May only grow.',
  },
  {
    key: 'groupPartitions',
    variable: 'METERVEIL_GROUP_PARTITIONS',
    ...whole(1, 1_024),
    fallback: '1',
    help: 'Partitions of the topics keyed by group. Decide before the first release: once load.public or load.restricted hold records, it cannot change. With more than 1, forecasts of a whole and its parts need not add up.',
  },
  {
    key: 'keyringFolder',
    variable: 'METERVEIL_KEYRING_FOLDER',
    ...path,
    fallback: '',
    help: 'Folder of key files, each of mode 0600 and owned by the user.',
  },
  {
    key: 'registerFile',
    variable: 'METERVEIL_REGISTER_FILE',
    ...path,
    fallback: 'topic meter.register; required by `run` without Kafka',
    help: 'File of the meter register.',
  },
  {
    key: 'ledgerPinFile',
    variable: 'METERVEIL_LEDGER_PIN_FILE',
    ...path,
    fallback: 'the head is not pinned',
    help: 'File outside the log that keeps the head of release.ledger; [load] halts where the ledger was rolled back.',
  },
  {
    key: 'holidaysFile',
    variable: 'METERVEIL_HOLIDAYS_FILE',
    ...path,
    fallback: 'no holidays',
    help: 'JSON file of the local dates that [forecast] takes for Sundays.',
  },
  {
    key: 'weatherFile',
    variable: 'METERVEIL_WEATHER_FILE',
    ...path,
    fallback: 'no weather',
    help: 'CSV file of outdoor temperatures, time,celsius, observed and forecast, for [forecast]; read again when it changes.',
  },
  {
    key: 'metricsPort',
    variable: 'METERVEIL_METRICS_PORT',
    ...whole(0, 65_535),
    fallback: 'not served',
    help: 'Loopback port of /metrics and /health; 0 takes a free one.',
  },
  {
    key: 'zone',
    variable: 'METERVEIL_ZONE',
    schema: z.string().regex(zonePattern),
    range: 'up to 32 lower-case letters, digits and hyphens',
    fallback: 'main',
    help: 'Legal or residency zone: the release domain.',
  },
  {
    key: 'timeZone',
    variable: 'METERVEIL_TIME_ZONE',
    schema: z.string().refine(isTimeZone),
    range: 'an IANA time zone such as Europe/London',
    fallback: 'as the register says',
    help: 'Time zone of the zone; needed where publish or forecast run without the register, which they may not read.',
  },
  {
    key: 'horizonDays',
    variable: 'METERVEIL_HORIZON_DAYS',
    ...whole(1, 60),
    fallback: '14',
    help: 'Readings of local days older than this are too late.',
  },
  {
    key: 'acceptLostInput',
    variable: 'METERVEIL_ACCEPT_LOST_INPUT',
    schema: z.array(z.string().regex(/^meter\.frames\[\d{1,4}\]@\d{1,19}\.\.\d{1,19}$/)).min(1),
    range: 'losses such as meter.frames[3]@300..500, as a list or separated by commas',
    fallback: 'none: [readings] halts',
    help: 'Lost input of [readings] to go on without, each as the halt names it; it fits no other loss, and may be taken out again.',
  },
  ...attributeSpecs,
  {
    key: 'mode',
    variable: 'METERVEIL_MODE',
    ...oneOf('production', 'development'),
    fallback: 'production',
    help: 'Production refuses to speak to Kafka, registry or Redis in the clear.',
  },
  ...serviceSpecs,
  {
    key: 'assignment',
    variable: 'METERVEIL_ASSIGNMENT',
    ...oneOf('group', 'ordinal'),
    fallback: 'group',
    help: 'Who gets which partitions: as the group decides, or fixed by the ordinal of the process.',
  },
  {
    key: 'ordinal',
    variable: 'METERVEIL_ORDINAL',
    ...whole(0, 1_023),
    fallback: 'none: required by assignment "ordinal"',
    help: 'Which of the workers this process is, from 0: it owns partition p where p mod workers is its ordinal.',
  },
  {
    key: 'workers',
    variable: 'METERVEIL_WORKERS',
    ...whole(1, 1_024),
    fallback: 'none: required by assignment "ordinal"',
    help: 'How many processes share the partitions; the same for all of them.',
  },
  {
    key: 'threads',
    variable: 'METERVEIL_THREADS',
    ...whole(1, 64),
    fallback: '1',
    help: 'Threads of this process that run pipelines, each with clients of its own; more than one needs kafka.brokers.',
  },
  ...levels.map(clipSpec),
  epochsSpec,
  {
    key: 'policy.rhoPerDay',
    variable: 'METERVEIL_RHO_PER_DAY',
    schema: z.string().refine(isAllowedRho),
    range: 'a fraction above 0 and at most 2435597/100000000, written n/d',
    fallback: '2435597/100000000',
    help: 'Cap of rho per household-day over all levels and kinds. The default is epsilon 1 at delta 1e-6.',
  },
  {
    key: 'policy.rules',
    variable: 'METERVEIL_RULES',
    ...path,
    range: 'the name of a rule set or a path',
    fallback: 'neutral',
    help: 'Rules of publication: a set that `rules show` lists, or a JSON file; a lawyer signs the one you name.',
  },
  ...selectionSpecs,
]

/** More privacy loss than the documented cap is refused; less is a deployment's choice. */
function isAllowedRho(text: string): boolean {
  const parts = /^(\d{1,30})\/(\d{1,30})$/.exec(text)
  if (!parts) return false
  const [n, d] = [BigInt(parts[1] as string), BigInt(parts[2] as string)]
  return n > 0n && d > 0n && n * 100_000_000n <= 2_435_597n * d
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}
