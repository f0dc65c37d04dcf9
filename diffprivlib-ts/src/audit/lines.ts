import { ParameterError } from '../errors.ts'

/** One published record of one run, as a line of JSON. */
export interface AuditLine {
  /** Which of the two worlds: two texts or numbers over all lines. */
  readonly world: string | number
  readonly run: string | number
  /** What the record is about, e.g. a group and window. */
  readonly id: string
  /** 0 for the first release, 1 for its revision, ...; 0 when left out. */
  readonly rev?: number
  /** Counts how often the same release was seen, after a replay for example; 0 when left out. */
  readonly attempt?: number
  /** The released figure, as a number or the text of one; left out when the record holds none. */
  readonly value?: number | string
  /** When it was published, in any unit, e.g. ms. */
  readonly t?: number
  /** Its size. */
  readonly bytes?: number
}

/** Two worlds as figures, for `auditOutputs(worlds.first, worlds.second, { names: worlds.names })`. */
export interface AuditWorlds {
  /** The names of the two worlds, sorted: the first one's outputs are `first`. */
  readonly worlds: readonly [string, string]
  readonly names: readonly string[]
  readonly first: readonly (readonly number[])[]
  readonly second: readonly (readonly number[])[]
}

const parseLine = (text: string, number: number): AuditLine => {
  const refuse = (why: string) => new ParameterError(`line ${number} of the audit: ${why}`)
  let line: unknown
  try {
    line = JSON.parse(text)
  } catch (cause) {
    throw Object.assign(refuse('it is not JSON'), { cause })
  }
  if (typeof line !== 'object' || line === null) throw refuse('it is not an object')
  const fields = line as Readonly<Record<string, unknown>>
  for (const name of ['world', 'run'])
    if (typeof fields[name] !== 'string' && typeof fields[name] !== 'number')
      throw refuse(`${name} is not a text or number`)
  if (typeof fields['id'] !== 'string') throw refuse('id is not a text')
  for (const name of ['rev', 'attempt', 't', 'bytes'])
    if (fields[name] !== undefined && typeof fields[name] !== 'number') throw refuse(`${name} is not a number`)
  const value = fields['value']
  if (value !== undefined && !Number.isFinite(typeof value === 'string' && value.trim() !== '' ? Number(value) : value))
    throw refuse('value is not a finite number')
  return line as AuditLine
}

const mean = (values: readonly number[]): number =>
  values.length === 0 ? Number.NaN : values.reduce((sum, value) => sum + value, 0) / values.length

/** The figures by which one release may tell: each with a name and NaN where there is nothing. */
const figuresOf = (lines: readonly AuditLine[], began: number): Readonly<Record<string, number>> => {
  const valuesAt = (rev: number) =>
    lines.filter((line) => (line.rev ?? 0) === rev && line.value !== undefined).map(({ value }) => Number(value))
  const revs = [...new Set(lines.map(({ rev = 0 }) => rev))].sort((a, b) => a - b)
  const [first, last] = [valuesAt(revs[0] ?? 0), valuesAt(revs.at(-1) ?? 0)]
  const initial = first[0] ?? Number.NaN
  const times = lines.flatMap(({ t }) => (t === undefined ? [] : [t]))
  return {
    records: lines.length,
    value: mean(last),
    revision: revs.length > 1 ? mean(last) - mean(first) : Number.NaN,
    attempts: first.length > 1 ? Math.max(...first) - Math.min(...first) : Number.NaN,
    'low bits': Number.isInteger(initial) ? ((initial % 16) + 16) % 16 : Number.NaN,
    time: times.length > 0 ? Math.min(...times) - began : Number.NaN,
    duration: times.length > 1 ? Math.max(...times) - Math.min(...times) : Number.NaN,
    bytes: lines.some(({ bytes }) => bytes !== undefined)
      ? lines.reduce((sum, { bytes = 0 }) => sum + bytes, 0)
      : Number.NaN,
  }
}

/**
 * Reads lines of JSON (`AuditLine`) into two worlds of figures: for each id how many records came, the value (mean over attempts of the last
 * revision), the difference of revisions, the spread of attempts, the low four bits, time since the run's first record, duration and size; an id
 * that a run lacks has no records. Figures that never change are left out. Throws ParameterError with the line's number for a broken line, for
 * other than two worlds, and for figures that are all constant.
 */
export const readAuditLines = (lines: Iterable<string>): AuditWorlds => {
  const worlds = new Map<string, Map<string, AuditLine[]>>()
  const ids = new Set<string>()
  let number = 0
  for (const text of lines) {
    number += 1
    if (text.trim() === '') continue
    const line = parseLine(text, number)
    const runs = worlds.get(String(line.world)) ?? new Map<string, AuditLine[]>()
    worlds.set(String(line.world), runs)
    const run = runs.get(String(line.run)) ?? []
    runs.set(String(line.run), run)
    run.push(line)
    ids.add(line.id)
  }
  const names = [...worlds.keys()].sort()
  const [one, two] = names
  if (one === undefined || two === undefined || names.length !== 2)
    throw new ParameterError(`an audit compares two worlds, got ${names.length}`)
  const sorted = [...ids].sort()
  const table = (runs: ReadonlyMap<string, readonly AuditLine[]>): readonly (readonly number[])[] =>
    [...runs.values()].map((run) => {
      const began = run.reduce((least, { t }) => (t === undefined ? least : Math.min(least, t)), Infinity)
      return sorted.flatMap((id) =>
        Object.values(
          figuresOf(
            run.filter((line) => line.id === id),
            began,
          ),
        ),
      )
    })
  const labels = sorted.flatMap((id) => Object.keys(figuresOf([], 0)).map((figure) => `${id}: ${figure}`))
  const tables = [table(worlds.get(one)!), table(worlds.get(two)!)] as const
  const everything = [...tables[0], ...tables[1]]
  const changing = labels
    .map((_, i) => i)
    .filter((i) => everything.some((row) => !Object.is(row[i], everything[0]![i])))
  if (changing.length === 0) throw new ParameterError('nothing changes between any two runs: there is nothing to audit')
  const kept = (rows: readonly (readonly number[])[]) => rows.map((row) => changing.map((i) => row[i]!))
  return { worlds: [one, two], names: changing.map((i) => labels[i]!), first: kept(tables[0]), second: kept(tables[1]) }
}
