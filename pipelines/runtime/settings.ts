import { readFileSync } from 'node:fs'
import type { PolicyEpoch } from '../../operators/contract/policy-epoch.ts'
import type { SelectionPolicy } from '../../operators/contract/selection-policy.ts'
import { type Level, levels } from '../../schemas/register-entry.ts'
import { notJson } from './json-fault.ts'
import { nearest } from './nearest.ts'
import { attributesFrom } from './settings-attributes.ts'
import { SettingsError } from './settings-error.ts'
import { fromText, shown } from './settings-kinds.ts'
import { selectionFrom } from './settings-selection.ts'
import { type Given, type Services, serviceProblems, servicesFrom } from './settings-services.ts'
import { settingSpecs } from './settings-specs.ts'

/** Which partitions a process owns: as its group decides, or partition p where p mod workers is its ordinal. */
export type Assignment =
  | { readonly by: 'group' }
  | { readonly by: 'ordinal'; readonly ordinal: number; readonly workers: number }

/** Settings of a deployment: where things lie and what its policy changes. Pipelines themselves are code. */
export interface Settings extends Services {
  /** Folder of the durable log; `undefined` keeps the log in memory. */
  readonly dataFolder: string | undefined
  /** When the durable log forces bytes to the disk. */
  readonly fsync: 'commit' | 'none'
  /** Partitions of `meter.frames` and of what follows it. */
  readonly partitions: number
  /** Partitions of the topics keyed by group. */
  readonly groupPartitions: number
  /** Production refuses to speak to a service in the clear. */
  readonly mode: 'production' | 'development'
  readonly assignment: Assignment
  /** Threads of the process that run pipelines; to its group, or to the ordinals, each is a worker of its own. */
  readonly threads: number
  /** Folder of key files, all of mode 0600 and owned by the user. */
  readonly keyringFolder: string | undefined
  /** File of the meter register; `undefined` means the topic, where there is Kafka. */
  readonly registerFile: string | undefined
  /** File that keeps the head of release.ledger outside the log; `undefined` keeps none. */
  readonly ledgerPinFile: string | undefined
  /** Files of what [forecast] may know beside released load: holidays and outdoor temperatures. */
  readonly holidaysFile: string | undefined
  readonly weatherFile: string | undefined
  /** Loopback port of /metrics and /health; 0 takes a free one, `undefined` serves none. */
  readonly metricsPort: number | undefined
  /** Legal or residency zone, which is the release domain. */
  readonly zone: string
  /** IANA time zone of the zone; `undefined` takes it from the register. */
  readonly timeZone: string | undefined
  /** Readings of local days older than this are too late, in days. */
  readonly horizonDays: number
  /** Losses of `meter.frames` to go on without, as a halt names them. */
  readonly acceptLostInput: readonly string[]
  /** First local month in which attributes are told; `undefined` tells them of no household. */
  readonly attributesSince: string | undefined
  /** How many homes share what is told of each; `undefined` takes the default. */
  readonly attributes: {
    readonly k: number | undefined
    readonly maxSuppressed: number | undefined
    readonly l: number | undefined
  }
  /** What replaces the default release policy. */
  readonly policy: {
    /** L2 bound S of a household-day in Wh, for half-hour windows, by level. */
    readonly clipWhPerHalfHour: Readonly<Partial<Record<Level, number>>>
    /** Bounds that hold from a local date on, dates ascending. */
    readonly epochs: readonly PolicyEpoch[]
    /** Cap of rho per household-day over all levels and kinds, as an exact rational. */
    readonly rhoPerDay: string | undefined
    /** Name of a shipped rule set, or path of a rules file; `undefined` takes the default. */
    readonly rules: string | undefined
    /** Selects groups by who reported; `undefined` leaves it to the register. */
    readonly selection: SelectionPolicy | undefined
  }
}

/** Variables of the same prefix that are no settings. */
const otherVariables = ['METERVEIL_SETTINGS', 'METERVEIL_DEBUG', 'METERVEIL_LOAD_DATA', 'METERVEIL_CACHE_FOLDER']

export interface SettingsSources {
  readonly env: Readonly<Record<string, string | undefined>>
  /** The JSON file; METERVEIL_SETTINGS names it where this is left out. */
  readonly file?: string | undefined
  /** Reads a text file; replaced in tests. */
  readonly read?: (path: string) => string
}

/**
 * Reads the settings from the JSON file, if one is named, and the environment, which wins. Throws `SettingsError` with
 * everything that is wrong: unknown keys, wrong types, numbers out of range or not finite, settings that contradict each
 * other.
 */
export function readSettings({ env, file = env['METERVEIL_SETTINGS'], read }: SettingsSources): Settings {
  const problems: string[] = []
  const given = new Map<string, { readonly value: unknown; readonly from: string }>()
  if (file !== undefined) {
    for (const [key, value] of flatten(readFile(file, read, problems)))
      given.set(key, { value, from: `${file}: ${key}` })
  }
  const variables = new Map(settingSpecs.map((spec) => [spec.variable, spec]))
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith('METERVEIL_') || otherVariables.includes(variable) || text === undefined) continue
    const spec = variables.get(variable)
    if (!spec) problems.push(unknown(variable, [...variables.keys(), ...otherVariables]))
    else given.set(spec.key, { value: fromText(spec, text), from: variable })
  }

  const specs = new Map(settingSpecs.map((spec) => [spec.key, spec]))
  const values = new Map<string, unknown>()
  for (const [key, { value, from }] of given) {
    const spec = specs.get(key)
    if (!spec) problems.push(unknown(from, [...specs.keys()]))
    else if (!spec.schema.safeParse(value).success) {
      const said = spec.problems?.(value) ?? []
      const range = ` must be ${spec.range}${spec.withheld ? '' : `, and is ${shown(value)}`}`
      problems.push(...(said.length > 0 ? said : [range]).map((problem) => `${from}${problem}`))
    } else values.set(key, value)
  }
  const services: Given = {
    has: (key) => given.has(key),
    value: (key) => values.get(key),
    mode: (values.get('mode') ?? 'production') as Settings['mode'],
  }
  problems.push(...serviceProblems(services), ...assignmentProblems(services))
  if (problems.length > 0) throw new SettingsError(problems)
  return settingsFrom(values, services)
}

function assignmentProblems({ has, value }: Given): string[] {
  const both = ['ordinal', 'workers'] as const
  if (Number(value('threads') ?? 1) > 1 && !has('kafka.brokers')) {
    return ['threads above 1 needs kafka.brokers: a log inside the process belongs to one thread']
  }
  if (value('assignment') !== 'ordinal') {
    return both.filter(has).map((key) => `${key} means nothing without assignment "ordinal": set both`)
  }
  const absent = both.filter((key) => !has(key)).map((key) => `${key} is missing: assignment is "ordinal"`)
  if (!has('kafka.brokers'))
    absent.push('assignment "ordinal" needs kafka.brokers: one process owns all of its own log')
  const [ordinal, workers] = both.map((key) => value(key) as number | undefined)
  if (ordinal !== undefined && workers !== undefined && ordinal >= workers) {
    absent.push(`ordinal must be below workers, and is ${ordinal} of ${workers}: the first worker is 0`)
  }
  return absent
}

function settingsFrom(values: ReadonlyMap<string, unknown>, given: Given): Settings {
  const text = (key: string) => values.get(key) as string | undefined
  const number = (key: string) => values.get(key) as number | undefined
  const clips = levels.flatMap((level) => {
    const wh = number(`policy.clipWhPerHalfHour.${level}`)
    return wh === undefined ? [] : [[level, wh] as const]
  })
  return {
    dataFolder: text('dataFolder'),
    fsync: (text('fsync') ?? 'commit') as Settings['fsync'],
    partitions: number('partitions') ?? 8,
    groupPartitions: number('groupPartitions') ?? 1,
    mode: given.mode,
    ...servicesFrom(given),
    assignment:
      text('assignment') === 'ordinal'
        ? { by: 'ordinal', ordinal: number('ordinal') ?? 0, workers: number('workers') ?? 1 }
        : { by: 'group' },
    threads: number('threads') ?? 1,
    keyringFolder: text('keyringFolder'),
    registerFile: text('registerFile'),
    ledgerPinFile: text('ledgerPinFile'),
    holidaysFile: text('holidaysFile'),
    weatherFile: text('weatherFile'),
    metricsPort: number('metricsPort'),
    zone: text('zone') ?? 'main',
    timeZone: text('timeZone'),
    horizonDays: number('horizonDays') ?? 14,
    acceptLostInput: (values.get('acceptLostInput') ?? []) as readonly string[],
    attributesSince: text('attributesSince'),
    attributes: attributesFrom(values),
    policy: {
      clipWhPerHalfHour: Object.fromEntries(clips),
      epochs: (values.get('policy.epochs') ?? []) as readonly PolicyEpoch[],
      rhoPerDay: text('policy.rhoPerDay'),
      rules: text('policy.rules'),
      selection: selectionFrom(values),
    },
  }
}

function readFile(file: string, read: SettingsSources['read'], problems: string[]): object {
  const readText = read ?? ((path: string) => readFileSync(path, 'utf8'))
  let text: string
  try {
    text = readText(file)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    problems.push(code === 'ENOENT' ? `${file} does not exist` : `${file} cannot be read (${code ?? 'unknown error'})`)
    return {}
  }
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
    problems.push(`${file} must hold one JSON object`)
  } catch {
    problems.push(`${file} ${notJson(text)}`)
  }
  return {}
}

const isGroup = (name: string) => settingSpecs.some(({ key }) => key.startsWith(`${name}.`))

/** `{policy: {rhoPerDay: x}}` as `policy.rhoPerDay`; everything that is no group of settings is a value. */
function* flatten(value: object, prefix = ''): Generator<readonly [string, unknown]> {
  for (const [key, inner] of Object.entries(value)) {
    const name = `${prefix}${key}`
    const holds = typeof inner === 'object' && inner !== null && !Array.isArray(inner)
    if (holds && (isGroup(name) || Object.keys(inner).length > 0)) yield* flatten(inner, `${name}.`)
    else yield [name, inner]
  }
}

function unknown(name: string, known: readonly string[]): string {
  const [closest] = nearest(name.slice(name.lastIndexOf(' ') + 1), known, 1)
  return `${name} is no setting${closest ? `; did you mean ${closest}?` : ''}`
}
