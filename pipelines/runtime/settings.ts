import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { type Level, levels } from '../../schemas/register-entry.ts'
import { nearest } from './nearest.ts'
import { SettingsError } from './settings-error.ts'

/** Settings of a deployment: where things lie and what its policy changes. Pipelines themselves are code. */
export interface Settings {
  /** Folder of the durable log; `undefined` keeps the log in memory. */
  readonly dataFolder: string | undefined
  /** When the durable log forces bytes to the disk. */
  readonly fsync: 'commit' | 'none'
  /** Partitions of `meter.frames` and of what follows it. */
  readonly partitions: number
  /** Folder of key files, all of mode 0600 and owned by the user. */
  readonly keyringFolder: string | undefined
  /** File of the meter register. */
  readonly registerFile: string | undefined
  /** Loopback port of /metrics and /health; 0 takes a free one, `undefined` serves none. */
  readonly metricsPort: number | undefined
  /** Legal or residency zone, which is the release domain. */
  readonly zone: string
  /** Readings of local days older than this are too late, in days. */
  readonly horizonDays: number
  /** What replaces the default release policy. */
  readonly policy: {
    /** L2 bound S of a household-day in Wh, for half-hour windows, by level. */
    readonly clipWhPerHalfHour: Readonly<Partial<Record<Level, number>>>
    /** Cap of rho per household-day over all levels and kinds, as an exact rational. */
    readonly rhoPerDay: string | undefined
  }
}

/** One setting: its key in the JSON file, its environment variable, and what it may be. */
export interface SettingSpec {
  readonly key: string
  readonly variable: string
  readonly schema: z.ZodType
  /** Completes "must be …". */
  readonly range: string
  /** As text, for the documentation; empty where there is none. */
  readonly fallback: string
  readonly help: string
}

const whole = (from: number, to: number) => ({
  schema: z.number().int().min(from).max(to),
  range: `a whole number from ${from.toLocaleString('en-US')} to ${to.toLocaleString('en-US')}`,
})
const path = { schema: z.string().min(1), range: 'a path' }
const zonePattern = /^[a-z0-9][a-z0-9-]{0,31}$/

const clipSpec = (level: Level): SettingSpec => ({
  key: `policy.clipWhPerHalfHour.${level}`,
  variable: `METERVEIL_CLIP_WH_${level.toUpperCase()}`,
  ...whole(100, 1_000_000),
  fallback: 'policy default',
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
    schema: z.enum(['commit', 'none']),
    range: '"commit" or "none"',
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
    fallback: '',
    help: 'File of the meter register.',
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
    key: 'horizonDays',
    variable: 'METERVEIL_HORIZON_DAYS',
    ...whole(1, 60),
    fallback: '14',
    help: 'Readings of local days older than this are too late.',
  },
  ...levels.map(clipSpec),
  {
    key: 'policy.rhoPerDay',
    variable: 'METERVEIL_RHO_PER_DAY',
    schema: z.string().refine(isAllowedRho),
    range: 'a fraction above 0 and at most 2435597/100000000, written n/d',
    fallback: 'policy default',
    help: 'Cap of rho per household-day over all levels and kinds. The default is epsilon 1 at delta 1e-6.',
  },
]

/** Variables of the same prefix that are no settings. */
const otherVariables = ['METERVEIL_SETTINGS', 'METERVEIL_DEBUG', 'METERVEIL_LOAD_DATA']

export interface SettingsSources {
  readonly env: Readonly<Record<string, string | undefined>>
  /** The JSON file; METERVEIL_SETTINGS names it where this is left out. */
  readonly file?: string | undefined
  /** Reads a text file; replaced in tests. */
  readonly read?: (path: string) => string
}

/**
 * Reads the settings from the JSON file, if one is named, and the environment, which wins. Throws `SettingsError` with
 * everything that is wrong: unknown keys, wrong types, numbers out of range or not finite.
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
    else if (!spec.schema.safeParse(value).success)
      problems.push(`${from} must be ${spec.range}, and is ${shown(value)}`)
    else values.set(key, value)
  }
  if (problems.length > 0) throw new SettingsError(problems)
  return settingsFrom(values)
}

function settingsFrom(values: ReadonlyMap<string, unknown>): Settings {
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
    keyringFolder: text('keyringFolder'),
    registerFile: text('registerFile'),
    metricsPort: number('metricsPort'),
    zone: text('zone') ?? 'main',
    horizonDays: number('horizonDays') ?? 14,
    policy: { clipWhPerHalfHour: Object.fromEntries(clips), rhoPerDay: text('policy.rhoPerDay') },
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
    problems.push(`${file} is not valid JSON`)
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

/** An environment variable is text: numbers are read strictly, so that `8x` or an empty one is refused. */
function fromText({ schema }: SettingSpec, text: string): unknown {
  if (!(schema instanceof z.ZodNumber)) return text
  return /^-?\d+$/.test(text) ? Number(text) : text
}

function unknown(name: string, known: readonly string[]): string {
  const [closest] = nearest(name.slice(name.lastIndexOf(' ') + 1), known, 1)
  return `${name} is no setting${closest ? `; did you mean ${closest}?` : ''}`
}

function shown(value: unknown): string {
  if (typeof value === 'number') return String(value)
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 40 ? `${text.slice(0, 39)}…` : text
}

/** More privacy loss than the documented cap is refused; less is a deployment's choice. */
function isAllowedRho(text: string): boolean {
  const parts = /^(\d{1,30})\/(\d{1,30})$/.exec(text)
  if (!parts) return false
  const [n, d] = [BigInt(parts[1] as string), BigInt(parts[2] as string)]
  return n > 0n && d > 0n && n * 100_000_000n <= 2_435_597n * d
}
