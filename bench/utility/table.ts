import { type Figure, meets } from '../report.ts'
import type { ForecastErrors } from './forecasts.ts'
import type { Roughness } from './groups.ts'
import type { LateErrors } from './late.ts'
import { forecastGoals, type Row, rowGoals } from './rows.ts'

/** What the seasons of one set, size and population come to; in percent, and points of MAPE. */
interface Summary {
  readonly homes: number
  readonly population: Roughness
  readonly windowSeconds: number
  /** Root mean square over the seasons of errors that are parts of the mean load. */
  readonly error: (of: (row: Row) => number) => number
  readonly covered: number
  readonly truth: ForecastErrors
  readonly one: ForecastErrors
  readonly four: ForecastErrors
  readonly late: readonly LateErrors[]
}

/** A column of a printed table, which is a figure of the report too. */
interface Column {
  readonly head: string
  readonly figure: string
  readonly unit: string
  readonly value: (summary: Summary) => number
  /** Goals as in a report; the first stands in the table. */
  readonly goals?: (summary: Summary) => readonly string[]
  readonly digits?: number
}

const atMost = (goal: number): readonly string[] => [`<= ${goal}`]
const error = (head: string, figure: string, of: (row: Row) => number, goals?: Column['goals']): Column => ({
  ...{ head, figure, unit: '%', value: (summary) => summary.error(of) },
  ...(goals && { goals }),
})
const goalsOf = ({ homes, population, windowSeconds }: Summary) => rowGoals(homes, population, windowSeconds)

/** Errors of the released load. Names of figures are read by the tables of the pages. */
const errorColumns: readonly Column[] = [
  error(
    'one level',
    'one level',
    (row) => row.one.smoothed,
    (of) => atMost(goalsOf(of).one),
  ),
  error('alone', 'one level, alone', (row) => row.alone.smoothed),
  error('raw', 'one level, raw', (row) => row.one.raw),
  error('clip', 'one level, clip', (row) => row.one.clip),
  error(
    'four levels',
    'four levels',
    (row) => row.four.smoothed,
    (of) => atMost(goalsOf(of).four),
  ),
  error('raw', 'four levels, raw', (row) => row.four.raw),
  error('consistent', 'four levels, consistent', (row) => row.four.consistent),
  error('clip', 'four levels, clip', (row) => row.four.clip),
  error('Laplace cap', 'Laplace, at the cap', (row) => row.laplace.atCap),
  error('tuned', 'Laplace, best cap', (row) => row.laplace.tuned),
  error('Gaussian cap', 'Gaussian, at the cap', (row) => row.gaussian.atCap),
  error('tuned', 'Gaussian, best cap', (row) => row.gaussian.tuned),
  {
    ...{ head: 'in 95 %', figure: '95 % intervals that hold', unit: '%', digits: 2 },
    value: ({ covered }) => covered,
    goals: () => ['>= 94.5', '<= 95.5'],
  },
]

const points = (more: (summary: Summary) => ForecastErrors) => (summary: Summary) =>
  100 * (more(summary).mape - summary.truth.mape)
const held = (head: string, figure: string, value: (summary: Summary) => number): Column => ({
  ...{ head, figure, unit: '%', digits: 1 },
  value: (summary) => 100 * value(summary),
})
const mape = (head: string, figure: string, of: (summary: Summary) => ForecastErrors): Column => ({
  ...{ head, figure: `day-ahead error, ${figure}`, unit: '% MAPE', digits: 2 },
  value: (summary) => 100 * of(summary).mape,
})

/** Errors of forecasts. */
const forecastColumns: readonly Column[] = [
  mape('true sums', 'true sums', ({ truth }) => truth),
  mape('one level', 'one level', ({ one }) => one),
  {
    ...{ head: 'more', figure: 'more, one level', unit: 'points', digits: 2, value: points(({ one }) => one) },
    goals: ({ homes }) => atMost(forecastGoals(homes).one),
  },
  mape('four levels', 'four levels', ({ four }) => four),
  {
    ...{ head: 'more', figure: 'more, four levels', unit: 'points', digits: 2, value: points(({ four }) => four) },
    goals: ({ homes }) => atMost(forecastGoals(homes).four),
  },
  held('one: in 90 %', 'forecasts, one level, in 90 %', ({ one }) => one.inside90),
  held('in 50 %', 'forecasts, one level, in 50 %', ({ one }) => one.inside50),
  held('four: in 90 %', 'forecasts, four levels, in 90 %', ({ four }) => four.inside90),
  held('in 50 %', 'forecasts, four levels, in 50 %', ({ four }) => four.inside50),
]

const mean = (figure: string, head: string, of: (late: LateErrors) => number): Column => ({
  ...{ head, figure: `late: ${figure}`, unit: '%', digits: 2 },
  value: ({ late }) => (100 * late.reduce((sum, each) => sum + of(each), 0)) / late.length,
})
const lateError = (figure: string, head: string, of: (late: LateErrors) => number): Column => ({
  ...{ head, figure: `late: ${figure}`, unit: '%' },
  value: ({ late }) => rootMeanSquare(late.map(of)),
})

/** Both phases where readings come late. */
const lateColumns: readonly Column[] = [
  mean('missing in preliminary values', 'missing', ({ missing }) => missing),
  mean('expectedLateWh', 'expected', ({ expected }) => expected),
  mean('missing in final values', 'missing at last', ({ missing, came }) => missing - came),
  lateError('error, preliminary', 'preliminary', ({ preliminary }) => preliminary),
  lateError('error, preliminary with expectedLateWh', 'with expected', ({ withExpected }) => withExpected),
  lateError('error, final', 'final', (late) => late.final),
]

/** Tables to print, as cells, and all their figures. */
export interface UtilityTables {
  readonly errors: readonly (readonly string[])[]
  readonly forecasts: readonly (readonly string[])[]
  readonly late: readonly (readonly string[])[]
  readonly figures: readonly Figure[]
}

/** Puts the rows of all seasons together. */
export function utilityTables(rows: readonly Row[]): UtilityTables {
  const keys = [...new Set(rows.map(({ set, homes, population }) => `${set}|${homes}|${population}`))]
  const summaries = keys.map((key) => {
    const mine = rows.filter(({ set, homes, population }) => `${set}|${homes}|${population}` === key)
    const { set, homes, population } = mine[0]!
    const names = [set, homes.toLocaleString('en-GB'), population] as const
    return { names, name: `${set}, ${names[1]} homes, ${population}`, summary: summaryOf(mine) }
  })
  const table = (columns: readonly Column[], of: typeof summaries): readonly (readonly string[])[] => [
    [...['set', 'homes', 'population'], ...columns.flatMap(({ head, goals }) => (goals ? [head, 'goal'] : [head]))],
    ...of.map(({ names, summary }) => [...names, ...columns.flatMap((column) => cellsOf(column, summary))]),
  ]
  const withLate = summaries.filter(({ summary }) => summary.late.length > 0)
  return {
    errors: table(errorColumns, summaries),
    forecasts: table(forecastColumns, summaries),
    late: table(lateColumns, withLate),
    figures: summaries.flatMap(({ name, summary }) =>
      [...errorColumns, ...forecastColumns, ...(summary.late.length > 0 ? lateColumns : [])].flatMap(
        ({ figure, unit, value, goals }): Figure[] => {
          const [first, second] = goals?.(summary) ?? []
          const made = { name: `${name}: ${figure}`, value: value(summary), unit }
          if (first === undefined) return [made]
          if (second === undefined) return [{ ...made, goal: first }]
          return [
            { ...made, goal: first },
            { ...made, name: `${made.name}, not too many`, goal: second },
          ]
        },
      ),
    ),
  }
}

function cellsOf({ value, goals, digits }: Column, summary: Summary): readonly string[] {
  const at = value(summary)
  const shown = digits === undefined ? at.toPrecision(3) : at.toFixed(digits)
  const wanted = goals?.(summary)
  if (wanted === undefined) return [shown]
  return [shown, `${wanted[0]}${wanted.every((goal) => meets(at, goal)) ? '' : ' MISSED'}`]
}

function summaryOf(rows: readonly Row[]): Summary {
  const { homes, population, windowSeconds } = rows[0]!
  const intervals = rows.reduce((sum, row) => sum + row.one.intervals + row.four.intervals, 0)
  const inside = rows.reduce((sum, { one: a, four: b }) => sum + a.covered * a.intervals + b.covered * b.intervals, 0)
  const ahead = (of: (row: Row) => ForecastErrors | undefined) => meanOf(rows.flatMap((row) => of(row) ?? []))
  return {
    ...{ homes, population, windowSeconds },
    error: (of) => rootMeanSquare(rows.map(of)),
    covered: (100 * inside) / intervals,
    truth: ahead((row) => row.forecast),
    one: ahead((row) => row.one.forecast),
    four: ahead((row) => row.four.forecast),
    late: rows.flatMap((row) => row.late ?? []),
  }
}

/** In percent of parts. */
const rootMeanSquare = (parts: readonly number[]): number =>
  100 * Math.sqrt(parts.reduce((sum, part) => sum + part * part, 0) / parts.length)

function meanOf(each: readonly ForecastErrors[]): ForecastErrors {
  const values = each.reduce((sum, errors) => sum + errors.values, 0)
  const weighed = (of: (errors: ForecastErrors) => number): number =>
    each.reduce((sum, errors) => sum + of(errors) * errors.values, 0) / values
  return {
    mape: weighed(({ mape }) => mape),
    inside90: weighed(({ inside90 }) => inside90),
    inside50: weighed(({ inside50 }) => inside50),
    values,
  }
}
