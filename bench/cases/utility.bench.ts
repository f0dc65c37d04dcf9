// How near released load comes to the truth at epsilon 1, delta 1e-6 per household-day over all kinds and levels, for groups of a
// thousand to a million households: with the whole budget on one level and with all four levels, beside per-interval noise.
// Populations are drawn from real half-hourly homes (METERVEIL_LOAD_DATA) and from the fleet's load model at 15 minutes.
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { readProfiles } from '../fleet/profiles.ts'
import { meets, report } from '../report.ts'
import type { ForecastErrors } from '../utility/forecasts.ts'
import { type Households, realHouseholds, syntheticHouseholds } from '../utility/households.ts'
import { forecastGoals, judge, type Row, rowGoals } from '../utility/rows.ts'

const { values } = parseArgs({
  options: {
    homes: { type: 'string', default: '1000000' },
    seasons: { type: 'string', default: '3' },
    days: { type: 'string', default: '35' },
    set: { type: 'string', default: 'real,synthetic' },
  },
})
const most = Number(values.homes)
const days = Number(values.days)
const warmUp = Math.min(28, days - 7)
const seasons = ['2013-02-11', '2013-05-20', '2013-08-26'].slice(0, Number(values.seasons))

const path = process.env['METERVEIL_LOAD_DATA'] ?? ''
const sets = new Map<string, (from: number) => Households>()
if (values.set.includes('real')) {
  if (existsSync(path)) {
    const profiles = readProfiles(path)
    sets.set('real, 30 min', (from) => realHouseholds(profiles, from, days))
  } else
    process.stderr.write('NO REAL HOMES: set METERVEIL_LOAD_DATA to the CSV.gz file of real loads; synthetic only\n')
}
if (values.set.includes('synthetic')) {
  sets.set('synthetic, 15 min', (from) => syntheticHouseholds(1, 100, 900, from, days))
}

const say = (text: string) => process.stderr.write(`${text}\n`)
const rows: Row[] = []
for (const [set, make] of sets) {
  for (const season of seasons) {
    const began = performance.now()
    rows.push(...judge(make(Date.parse(season)), { set, season, most, warmUp }))
    say(`${set} from ${season}: ${Math.round((performance.now() - began) / 1_000)} s`)
  }
}

/** Root mean square over the seasons, in percent. */
const percentOf = (parts: readonly number[]): number =>
  100 * Math.sqrt(parts.reduce((sum, part) => sum + part * part, 0) / parts.length)
const keys = [...new Set(rows.map(({ set, homes, population }) => `${set}|${homes}|${population}`))]
const table: string[][] = [
  [
    'set',
    'homes',
    'population',
    'one level',
    'goal',
    'alone',
    'raw',
    'clip',
    'four levels',
    'goal',
    'raw',
    'consistent',
    'clip',
  ].concat(['Laplace cap', 'tuned', 'Gaussian cap', 'tuned', 'in 95 %']),
]
const forecastTable: string[][] = [
  ['set', 'homes', 'population', 'true sums', 'one level', 'more', 'goal', 'four levels', 'more', 'goal'].concat([
    'one: in 90 %',
    'in 50 %',
    'four: in 90 %',
    'in 50 %',
  ]),
]
const figures = keys.flatMap((key) => {
  const [set, homes, population] = key.split('|') as [string, string, Row['population']]
  const mine = rows.filter((row) => `${row.set}|${row.homes}|${row.population}` === key)
  const percent = (of: (row: Row) => number): number => percentOf(mine.map(of))
  const goals = rowGoals(Number(homes), population)
  const one = percent((row) => row.one.smoothed)
  const four = percent((row) => row.four.smoothed)
  const intervals = mine.reduce((sum, row) => sum + row.one.intervals + row.four.intervals, 0)
  const inside = mine.reduce((sum, { one: a, four: b }) => sum + a.covered * a.intervals + b.covered * b.intervals, 0)
  const covered = (100 * inside) / intervals
  const shown = (value: number) => value.toPrecision(3)
  const against = (value: number, goal: number) => `<= ${goal}${meets(value, `<= ${goal}`) ? '' : ' MISSED'}`
  table.push([
    set,
    Number(homes).toLocaleString('en-GB'),
    population,
    shown(one),
    against(one, goals.one),
    shown(percent((row) => row.alone.smoothed)),
    shown(percent((row) => row.one.raw)),
    shown(percent((row) => row.one.clip)),
    shown(four),
    against(four, goals.four),
    shown(percent((row) => row.four.raw)),
    shown(percent((row) => row.four.consistent)),
    shown(percent((row) => row.four.clip)),
    shown(percent((row) => row.laplace.atCap)),
    shown(percent((row) => row.laplace.tuned)),
    shown(percent((row) => row.gaussian.atCap)),
    shown(percent((row) => row.gaussian.tuned)),
    covered.toFixed(1),
  ])
  const name = `${set}, ${Number(homes).toLocaleString('en-GB')} homes, ${population}`
  const ahead = (of: (row: Row) => ForecastErrors | undefined): ForecastErrors =>
    meanOf(mine.flatMap((row) => of(row) ?? []))
  const [truth, oneAhead, fourAhead] = [
    ahead((row) => row.forecast),
    ahead((row) => row.one.forecast),
    ahead((row) => row.four.forecast),
  ]
  const aheadGoals = forecastGoals(Number(homes))
  const more = ({ mape }: ForecastErrors): number => 100 * (mape - truth.mape)
  forecastTable.push([
    set,
    Number(homes).toLocaleString('en-GB'),
    population,
    (100 * truth.mape).toFixed(2),
    (100 * oneAhead.mape).toFixed(2),
    more(oneAhead).toFixed(2),
    against(more(oneAhead), aheadGoals.one),
    (100 * fourAhead.mape).toFixed(2),
    more(fourAhead).toFixed(2),
    against(more(fourAhead), aheadGoals.four),
    ...[oneAhead, fourAhead].flatMap(({ inside90, inside50 }) => [
      (100 * inside90).toFixed(1),
      (100 * inside50).toFixed(1),
    ]),
  ])
  return [
    { name: `${name}: one level`, value: one, unit: '%', goal: `<= ${goals.one}` },
    { name: `${name}: four levels`, value: four, unit: '%', goal: `<= ${goals.four}` },
    { name: `${name}: 95 % intervals that hold`, value: covered, unit: '%', goal: '>= 94.5' },
    { name: `${name}: 95 % intervals that hold, not too many`, value: covered, unit: '%', goal: '<= 95.5' },
    { name: `${name}: day-ahead error, true sums`, value: 100 * truth.mape, unit: '% MAPE' },
    { name: `${name}: more, one level`, value: more(oneAhead), unit: 'points', goal: `<= ${aheadGoals.one}` },
    { name: `${name}: more, four levels`, value: more(fourAhead), unit: 'points', goal: `<= ${aheadGoals.four}` },
  ]
})
function meanOf(each: readonly ForecastErrors[]): ForecastErrors {
  const values = each.reduce((sum, errors) => sum + errors.values, 0)
  const mean = (of: (errors: ForecastErrors) => number): number =>
    each.reduce((sum, errors) => sum + of(errors) * errors.values, 0) / values
  return {
    mape: mean(({ mape }) => mape),
    inside90: mean(({ inside90 }) => inside90),
    inside50: mean(({ inside50 }) => inside50),
    values,
  }
}

function print(cells: readonly (readonly string[])[]): void {
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)))
  for (const row of cells) say(row.map((cell, i) => cell.padStart(widths[i]!)).join('  '))
  say('')
}

say('')
say(
  'RMSE of released load against true unclipped sums, in % of mean load; root mean square over the seasons; preliminary values,',
)
say(
  'all in time. one level: 99.7 % of the budget on it, smoothed in real time, among the other groups of its tree; alone: a group',
)
say(
  'that knows of no others; four levels: equal parts. raw, consistent: before smoothing; clip: without any noise. Laplace: pure',
)
say(
  'epsilon 1, Gaussian: the same rho, each interval noised as one of all of the day, clipped at the fuse or at the cap that does',
)
say(
  'best on these very data. smooth: 1,000 households a feeder, each feeder with preferences of its own; rough: copies of the',
)
say(
  'same 100 homes on one date. in 95 %: intervals that hold the clipped sum. The first 28 days are learnt from, not judged.',
)
print(table)
say(
  'Day-ahead forecasts of the operator that ships, made at local midnight for 24 hours: mean absolute error of the median in %',
)
say(
  'of the true sums; from true sums, and from what was released with the whole budget on one level or equal parts on four. more:',
)
say(
  'the price of privacy in points. in 90 %, in 50 %: released values between the outer and the inner quantiles. Groups of the two',
)
say('upper levels and those below one region.')
print(forecastTable)
report('utility', figures)
