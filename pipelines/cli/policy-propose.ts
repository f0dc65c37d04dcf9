import { readFileSync } from 'node:fs'
import { capOf, isDate, type PolicyEpoch } from '../../operators/contract/policy-epoch.ts'
import type { ReleasePolicy } from '../../operators/privacy/release/policy.ts'
import { type DatedPolicy, policyEpochs } from '../../operators/privacy/release/policy-epochs.ts'
import { type ClipEffect, proposeClip, type SyntheticDays } from '../../operators/privacy/release/propose-clip.ts'
import { type Level, levels } from '../../schemas/register-entry.ts'
import { readSettings } from '../runtime/settings.ts'
import { policyOf } from './deploy-policy.ts'
import { usageError } from './errors.ts'
import { syntheticDays } from './synthetic-days.ts'
import type { Terminal } from './terminal.ts'
import { count } from './text.ts'

export interface PolicyProposal {
  readonly released?: string
  readonly days?: string
  readonly homes?: readonly string[]
  readonly from?: string
  readonly settings?: string
}

/**
 * `meterveil policy propose`: the bound of each level with the least error of noise and clip together. It reads released
 * records and synthetic days, never a measured value, so that it costs no budget. It changes nothing: it prints settings,
 * with `from` an epoch that begins on that local date. Throws a usage error where a file holds something else.
 */
export function proposePolicy(terminal: Terminal, options: PolicyProposal): void {
  const settings = readSettings({ env: process.env, file: options.settings ?? process.env['METERVEIL_SETTINGS'] })
  const dated = policyOf(settings)
  const policy = policyAt(dated, options.from)
  const windows = 86_400 / policy.windowSeconds
  const released = options.released === undefined ? undefined : readReleased(options.released)
  const meanWhPerDay = released?.meanWhPerDay ?? policy.meanLoadWhPerDay
  const days = options.days === undefined ? syntheticDays(windows, meanWhPerDay) : readDays(options.days, windows)
  const homes = { ...released?.homes, ...homesOf(options.homes ?? []) }
  if (Object.keys(homes).length === 0) {
    throw usageError(
      'policy propose needs the homes of a group.',
      'Name them, as in --homes feeder=1000 utility=1000000, or give --released.',
    )
  }
  const proposals = proposeClip(policy, days, homes)
  const halves = capOf(policy.capRule)?.half ? undefined : byHalves(policy)
  const halved = halves === undefined ? [] : proposeClip(halves, days, homes)
  const source = options.days === undefined ? 'built-in synthetic' : 'given synthetic'
  const scale = released === undefined ? 'the public mean load of the policy' : 'the released mean load'
  terminal.line(
    `From ${count(days.length)} ${source} household-days${options.days === undefined ? `, scaled to ${scale}` : ''}; no measured value was read.`,
  )
  terminal.line('Noise, bias of the clip and both together, in % of the mean load of a group, before smoothing.')
  const shown = (name: string, level: Level, group: number, effect: ClipEffect): string[] => [
    level,
    name,
    count(group),
    count(effect.clipWh),
    ...[effect.noise, effect.bias, effect.worstBias, effect.error].map((part) => (100 * part).toFixed(2)),
  ]
  terminal.table(
    ['level', { head: 'bound', align: 'left' }, 'homes', 'S in Wh', 'noise', 'bias', 'at worst', 'both'],
    proposals.flatMap(({ level, homes: group, present, proposed }, i) => [
      shown('present', level, group, present),
      shown('proposed', level, group, proposed),
      ...(halved[i] ? [shown('by halves', level, group, halved[i].proposed)] : []),
    ]),
  )
  proposals.forEach(({ level, homes: group, present, proposed }, i) => {
    terminal.record({ kind: 'proposal', level, homes: group, present, proposed, byHalves: halved[i]?.proposed ?? null })
  })
  const clip = Object.fromEntries(proposals.map(({ level, proposed }) => [level, proposed.clipWh]))
  const { from } = options
  const taken = from === undefined ? { clipWhPerHalfHour: clip } : { epochs: epochsWith(dated, from, clip) }
  terminal.line(`To take it over, put into the settings: ${JSON.stringify({ policy: taken })}`)
  terminal.line(
    from === undefined
      ? 'It holds from the next local day that is not charged yet.'
      : `It holds from ${from} on, if [readings] and [load] both have it before that day begins.`,
  )
  if (halves !== undefined) {
    terminal.line(
      `By halves: S where an interval takes at most half of what is left of its day; an epoch says so with ${JSON.stringify({ capRule: halves.capRule })}. A level much narrower than the widest one pays for that.`,
    )
  }
  terminal.line(
    'Noise depends on S alone: a lower C saves none. It cuts true peaks, and leaves more of S for the rest of the day.',
  )
}

const byHalves = (policy: ReleasePolicy): ReleasePolicy => ({
  ...policy,
  capRule: `${policy.capRule}, at most half of what is left`,
})

/** The policy of a local date, or the one that holds always; a list of epochs leaves none of that kind. */
function policyAt(dated: DatedPolicy, from: string | undefined): ReleasePolicy {
  if (from !== undefined && !isDate(from)) throw usageError(`${from} is no date.`, 'Write it as YYYY-MM-DD.')
  if (from === undefined && dated.epochs !== undefined) {
    throw usageError('The bounds of this policy change by date.', 'Name the first local date of new ones with --from.')
  }
  return from === undefined ? dated : policyEpochs(dated).on(from).policy
}

/** The epochs of a policy with one more, or with one that says more. */
function epochsWith(
  { epochs = [] }: DatedPolicy,
  from: string,
  clip: PolicyEpoch['clipWhPerHalfHour'],
): readonly PolicyEpoch[] {
  const same = epochs.find((epoch) => epoch.from === from)
  const made = { ...same, from, clipWhPerHalfHour: { ...same?.clipWhPerHalfHour, ...clip } }
  return [...epochs.filter((epoch) => epoch !== same), made].sort((a, b) => (a.from < b.from ? -1 : 1))
}

/** Mean load of a home and the median registered count of the groups of each level, from released records alone. */
function readReleased(file: string): { readonly meanWhPerDay: number; readonly homes: Partial<Record<Level, number>> } {
  let [wh, seconds] = [0, 0]
  const counts = new Map<Level, Map<string, number>>(levels.map((level) => [level, new Map()]))
  for (const { line, value: record } of linesOf(file)) {
    const { level, group, channel, registered, rawWh, windowSeconds } = (record ?? {}) as Readonly<
      Record<string, unknown>
    >
    const groups = counts.get(level as Level)
    if (!groups || typeof group !== 'string' || typeof registered !== 'number' || typeof windowSeconds !== 'number') {
      throw usageError(
        `Line ${line} of ${file} is no record of load.public.`,
        'Export them as JSON lines, one record each.',
      )
    }
    groups.set(group, registered)
    if (channel !== 'import' || typeof rawWh !== 'number') continue
    wh += rawWh
    seconds += windowSeconds * registered
  }
  if (!(wh > 0)) throw usageError(`${file} holds no released load.`, 'Give records with values of the channel import.')
  const medians = [...counts].flatMap(([level, groups]) => {
    const sorted = [...groups.values()].sort((a, b) => a - b)
    return sorted.length > 0 ? [[level, sorted[sorted.length >> 1]!] as const] : []
  })
  return { meanWhPerDay: (wh / seconds) * 86_400, homes: Object.fromEntries(medians) }
}

function readDays(file: string, windows: number): SyntheticDays {
  return linesOf(file).map(({ line, value: day }) => {
    const isDay = Array.isArray(day) && day.length === windows && day.every((wh) => Number.isSafeInteger(wh) && wh >= 0)
    if (isDay) return day as readonly number[]
    throw usageError(
      `Line ${line} of ${file} is no household-day.`,
      `Write one per line, as a JSON array of ${windows} whole numbers of Wh.`,
    )
  })
}

interface JsonLine {
  readonly line: number
  readonly value: unknown
}

function linesOf(file: string): readonly JsonLine[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const { code = 'an unknown error' } = error as NodeJS.ErrnoException
    const why = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`
    throw usageError(`${file} ${why}.`, 'Name a file with one JSON value per line.')
  }
  return text.split('\n').flatMap((each, at): JsonLine[] => {
    if (each.trim() === '') return []
    try {
      return [{ line: at + 1, value: JSON.parse(each) as unknown }]
    } catch {
      throw usageError(`Line ${at + 1} of ${file} is not JSON.`, 'Write one JSON value per line.')
    }
  })
}

function homesOf(texts: readonly string[]): Partial<Record<Level, number>> {
  const pairs = texts.map((text) => {
    const [level = '', number = ''] = text.split('=')
    const homes = Number(number)
    if (!levels.includes(level as Level) || !Number.isSafeInteger(homes) || homes < 1) {
      throw usageError(
        `${text} is no level and count.`,
        `Write it as level=count, with a level of ${levels.join(', ')}.`,
      )
    }
    return [level, homes] as const
  })
  return Object.fromEntries(pairs)
}
