import { createHash } from 'node:crypto'
import { rational } from 'diffprivlib-ts'
import { releaseName, type SeenRecord } from '../../../pipelines/simulation/audit-stage.ts'
import { drawnValues, undrawnFields } from '../../../pipelines/simulation/audit-values.ts'
import type { LoadPublic } from '../../../schemas/load-public.ts'
import { levels } from '../../../schemas/register-entry.ts'

/** What an attacker knows of a world: what would be published if there were no noise. */
export type Truth = readonly SeenRecord[]

/** Turns what one run showed into figures by which its world may be told. */
export interface Attack {
  readonly names: readonly string[]
  readonly figuresOf: (seen: readonly SeenRecord[]) => readonly number[]
}

/** One increment that carries noise of its own: a preliminary value, or what the final value adds to it. */
interface Step {
  readonly name: string
  readonly level: LoadPublic['level']
  readonly channel: LoadPublic['channel']
  readonly late: boolean
  readonly firstDay: boolean
  readonly sigma2: number
  /** Expected without the household-day, and what the household-day adds. */
  readonly without: number
  readonly adds: number
}

const nameOf = ({ level, group, channel, window }: LoadPublic): string => `${level}/${group}/${channel}/${window}`

/** Values by release: preliminary and final, the mean over all copies. */
type Values = ReadonlyMap<string, number>

function valuesOf(
  seen: readonly SeenRecord[],
  of: (record: LoadPublic) => number | null,
  copies: (record: SeenRecord) => boolean = () => true,
): Values {
  const sums = new Map<string, readonly [sum: number, n: number]>()
  for (const each of seen) {
    const value = of(each.record)
    if (value === null || !copies(each)) continue
    const name = `${nameOf(each.record)} ${each.record.phase}`
    const [sum, n] = sums.get(name) ?? [0, 0]
    sums.set(name, [sum + value, n + 1])
  }
  return new Map([...sums].map(([name, [sum, n]]) => [name, sum / n]))
}

const raw = ({ rawWh }: LoadPublic) => rawWh
const incrementOf = (values: Values, { name, late }: Step): number =>
  late
    ? (values.get(`${name} final`) ?? Number.NaN) - (values.get(`${name} preliminary`) ?? Number.NaN)
    : (values.get(`${name} preliminary`) ?? Number.NaN)

/** Everything of a record but its values and its place in the ledger, which differ in every run. */
function restOf({ t, record }: SeenRecord): string {
  const shown = drawnValues(record).map(([, value]) => value !== null)
  return createHash('sha256')
    .update(JSON.stringify([releaseName(record), undrawnFields(record), shown, t]))
    .digest('base64')
}

/**
 * The attack on one household-day by somebody who knows everything else: the readings of all other homes, those that the
 * household-day would add, the code and the policy. The best of it is a matched filter: the sum over every increment of
 * what the household-day would add, times what was seen beyond the rest, over the variance of its noise. For Gaussian
 * noise nothing tells the worlds better (Neyman and Pearson 1933). Beside it stand its parts, the post-processed values,
 * single values and their low bits, residuals that repeat, copies, counts, sizes and times.
 */
export function attackOn(truth: { readonly with: Truth; readonly without: Truth }): Attack {
  const [withDay, without] = [valuesOf(truth.with, raw), valuesOf(truth.without, raw)]
  const firstDay = Math.min(...truth.without.map(({ record }) => record.window)) + 86_400_000
  const known = new Map<string, LoadPublic>()
  for (const { record } of [...truth.without, ...truth.with]) known.set(`${nameOf(record)} ${record.phase}`, record)
  const steps = [...known].flatMap(([key, record]): Step[] => {
    const late = record.phase === 'final'
    const base = {
      name: nameOf(record),
      level: record.level,
      channel: record.channel,
      late,
      firstDay: record.window < firstDay,
      sigma2: rational.toNumber(rational.parse(record.privacy.sigma2), 'up') / (late ? 2 : 1),
    }
    const at = { ...base, without: 0, adds: 0 }
    const expected = incrementOf(without, at)
    const adds = incrementOf(withDay, at) - expected
    return known.has(key) && Number.isFinite(adds) ? [{ ...base, without: expected, adds }] : []
  })
  const telling = steps.filter(({ adds }) => adds !== 0)
  const filter = (chosen: readonly Step[]) => (values: Values) =>
    chosen.reduce((sum, step) => sum + (step.adds * (incrementOf(values, step) - step.without)) / step.sigma2, 0)
  const single = telling
    .filter(({ level, channel, late }) => level === 'feeder' && channel === 'import' && !late)
    .slice(0, 12)
  const rests = new Set(truth.without.map(restOf))
  const filters = new Map<string, (values: Values) => number>([
    ['filter', filter(telling)],
    ...levels.map((level) => [`filter ${level}`, filter(telling.filter((step) => step.level === level))] as const),
    ['filter preliminary', filter(telling.filter(({ late }) => !late))],
    ['filter late', filter(telling.filter(({ late }) => late))],
    ['filter import', filter(telling.filter(({ channel }) => channel === 'import'))],
    ['filter export', filter(telling.filter(({ channel }) => channel === 'export'))],
    ['filter second day', filter(telling.filter((step) => !step.firstDay))],
    ...single.map((step, i) => [`value ${i}`, (values: Values) => incrementOf(values, step) - step.without] as const),
    ...single
      .slice(0, 4)
      .map(
        (step, i) => [`low bits ${i}`, (values: Values) => (incrementOf(values, step) - step.without) & 15] as const,
      ),
  ])
  const repeats = (values: Values, adds: 0 | 1): number => repeated(steps, values, adds)
  const others = ['consistent', 'smoothed', 'first copies', 'copies', 'spread', 'repeats without', 'repeats with']
  const counts = ['records', 'values', 'bytes', 'other rests']
  return {
    names: [...filters.keys(), ...others, ...counts],
    figuresOf: (seen) => {
      const values = valuesOf(seen, raw)
      return [
        ...[...filters.values()].map((of) => of(values)),
        filter(telling)(valuesOf(seen, ({ consistentWh }) => consistentWh)),
        filter(telling)(valuesOf(seen, ({ smoothedWh }) => smoothedWh)),
        filter(telling)(valuesOf(seen, raw, ({ attempt }) => attempt === 0)),
        Math.max(...seen.map(({ attempt }) => attempt)),
        spreadOf(seen),
        repeats(values, 0),
        repeats(values, 1),
        seen.length,
        seen.filter(({ record }) => record.rawWh !== null).length,
        seen.reduce((sum, { bytes }) => sum + bytes.length, 0),
        seen.filter((each) => !rests.has(restOf(each))).length,
      ]
    },
  }
}

/** How many neighbouring increments of a level have the same noise, if the household-day is there (1) or not (0). */
function repeated(steps: readonly Step[], values: Values, adds: 0 | 1): number {
  const before = new Map<string, number>()
  const phases = new Map<string, number>()
  let count = 0
  for (const step of steps) {
    const noise = incrementOf(values, step) - step.without - adds * step.adds
    const series = `${step.level} ${step.late}`
    if (before.get(series) === noise) count += 1
    before.set(series, noise)
    if (!step.late) phases.set(step.name, noise)
    else if (phases.get(step.name) === noise) count += 1
  }
  return count
}

/** The largest difference between two copies of one release. */
function spreadOf(seen: readonly SeenRecord[]): number {
  const first = new Map<string, number>()
  let most = 0
  for (const { record } of seen) {
    const name = `${nameOf(record)} ${record.phase}`
    const value = record.rawWh ?? 0
    const known = first.get(name)
    if (known === undefined) first.set(name, value)
    else most = Math.max(most, Math.abs(value - known))
  }
  return most
}
