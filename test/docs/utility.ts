import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Figure, meets, type Report } from '../../bench/report.ts'
import { markdownTable } from './blocks.ts'

const real = 'real, 30 min'
const loads: readonly (readonly [set: string, title: string])[] = [
  [real, 'real homes, half hours'],
  ['synthetic, 15 min', 'simulated homes, quarter hours'],
]
const sizes: readonly (readonly [homes: string, populations: readonly string[]])[] = [
  ['1,000', ['smooth', 'rough']],
  ['10,000', ['smooth', 'rough']],
  ['100,000', ['smooth']],
  ['1,000,000', ['smooth']],
]
/** Figures of the report by what a reader calls them. */
const columns: readonly (readonly [figure: string, title: string])[] = [
  ['four levels', 'four levels: smooth, rough'],
  ['four levels, clip', 'of it the clip'],
  ['four levels, raw', 'before smoothing'],
  ['one level', 'whole budget on one level'],
  ['one level, clip', 'of it the clip'],
  ['Laplace, best cap', 'per-interval Laplace, best cap'],
  ['Gaussian, best cap', 'per-interval Gaussian, best cap'],
]

/** To two digits; all of a hundred and more. */
const rounded = (value: number): string =>
  value === 0 ? '0' : value >= 99.5 ? Math.round(value).toString() : value.toPrecision(2)

/**
 * How near released load comes, for analysts: a table, and what else the report of the `utility` bench says. Throws where
 * the report lacks a figure.
 */
export function utilityBlock(root: string): string {
  const { figures } = JSON.parse(readFileSync(join(root, 'bench/reports/utility.json'), 'utf8')) as Report
  return utilityText(figures)
}

/** The same of these figures. */
export function utilityText(figures: readonly Figure[]): string {
  const figure = (name: string): number => {
    const found = figures.find((one) => one.name === name)
    if (found === undefined) throw new Error(`the report of utility has no figure "${name}"`)
    return found.value
  }
  const table = markdownTable(
    ['load', 'homes', ...columns.map(([, title]) => title)],
    loads.flatMap(([set, title]) =>
      sizes.map(([homes, populations]) => [
        title,
        homes,
        ...columns.map(([name]) =>
          populations.map((population) => rounded(figure(`${set}, ${homes} homes, ${population}: ${name}`))).join(', '),
        ),
      ]),
    ),
  )
  return `${table}${[intervals(figures), lateReadings(figure), goals(figures)].map(wrapped).join('\n\n')}\n\n`
}

function intervals(figures: readonly Figure[]): string {
  const held = figures.filter(({ name }) => name.endsWith(': 95 % intervals that hold')).map(({ value }) => value)
  const [least, most] = [Math.min(...held), Math.max(...held)].map((value) => value.toFixed(2))
  return `The 95 % intervals around \`rawWh\` held the sum without noise in ${least} to ${most} of 100 windows, over all rows.`
}

function lateReadings(figure: (name: string) => number): string {
  const of = (homes: string, name: string) => rounded(figure(`${real}, ${homes} homes, smooth: late: ${name}`))
  const both = (name: string) => `${of('1,000', name)} % and ${of('10,000', name)} %`
  return (
    'The table is of readings that all come in time. Where readings come late as they do in the simulated fleet by default, ' +
    `preliminary values for 10,000 real homes lack ${of('10,000', 'missing in preliminary values')} % of the load, ` +
    `\`expectedLateWh\` beside them says ${of('10,000', 'expectedLateWh')} %, and final values still lack ` +
    `${of('10,000', 'missing in final values')} %. The error of \`smoothedWh\` on four levels, for 1,000 and 10,000 such homes, is then ` +
    `${both('error, preliminary')} in preliminary values, ${both('error, preliminary with expectedLateWh')} if \`expectedLateWh\` is ` +
    `added to them, and ${both('error, final')} in final values.`
  )
}

function goals(figures: readonly Figure[]): string {
  const missed = figures.flatMap(({ name, value, unit, goal }) =>
    goal === undefined || meets(value, goal) ? [] : [`${name}, ${Number(value.toPrecision(3))} ${unit} (goal ${goal})`],
  )
  const outcome =
    missed.length === 0
      ? 'all are met'
      : `all are met but ${missed.length === 1 ? 'one' : missed.length}: ${missed.join('; ')}`
  return (
    `Of the goals that the bench holds errors, intervals and day-ahead forecasts against, ${outcome}. Goals for errors are set ` +
    'for half hours; those for quarter hours are 1.41 times as high, as half the load has noise that is only 1.41 times less.'
  )
}

/** Lines of at most 150 characters, as the pages have them. */
function wrapped(text: string): string {
  const lines: string[] = ['']
  for (const word of text.split(/ (?!%)/)) {
    const line = lines.at(-1) as string
    if (line.length + 1 + word.length > 150) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines.join('\n')
}
