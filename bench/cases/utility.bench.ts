// How near released load comes to the truth at epsilon 1, delta 1e-6 per household-day over all kinds and levels, for groups of a
// thousand to a million households: with the whole budget on one level and with all four levels, beside per-interval noise.
// Populations are drawn from real half-hourly homes (METERVEIL_LOAD_DATA) and from the fleet's load model at 15 minutes.
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { type Profiles, readProfiles } from '../fleet/profiles.ts'
import { report } from '../report.ts'
import { judgeSeasons } from '../utility/seasons.ts'
import { utilityTables } from '../utility/table.ts'

const { values } = parseArgs({
  options: {
    homes: { type: 'string', default: '1000000' },
    seasons: { type: 'string', default: '3' },
    days: { type: 'string', default: '35' },
    set: { type: 'string', default: 'real,synthetic' },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
})
const days = Number(values.days)
const warmUp = Math.min(28, days - 7)
const seasons = ['2013-02-11', '2013-05-20', '2013-08-26'].slice(0, Number(values.seasons))

const path = process.env['METERVEIL_LOAD_DATA'] ?? ''
const sets: (readonly [set: string, profiles: Profiles | undefined])[] = []
if (values.set.includes('real')) {
  if (existsSync(path)) sets.push(['real, 30 min', readProfiles(path)])
  else process.stderr.write('NO REAL HOMES: set METERVEIL_LOAD_DATA to the CSV.gz file of real loads; synthetic only\n')
}
if (values.set.includes('synthetic')) sets.push(['synthetic, 15 min', undefined])

const say = (text: string) => process.stdout.write(`${text}\n`)
const began = performance.now()
const jobs = sets.flatMap(([set, profiles]) =>
  seasons.map((season) => ({ set, season, profiles, days, warmUp, most: Number(values.homes) })),
)
const rows = await judgeSeasons(jobs, Number(values.threads), ({ set, season }, seconds) =>
  say(`${set} from ${season}: ${Math.round(seconds)} s`),
)

function print(about: string, cells: readonly (readonly string[])[]): void {
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)))
  say(`\n${about}`)
  for (const row of cells) say(row.map((cell, i) => cell.padStart(widths[i]!)).join('  '))
}

const { errors, forecasts, late, figures } = utilityTables(rows)
print(
  `RMSE of released load against true unclipped sums, in % of mean load; root mean square over the seasons; preliminary values,
all in time. one level: 99.7 % of the budget on it, smoothed in real time, among the other groups of its tree; alone: a group
that knows of no others; four levels: equal parts. raw, consistent: before smoothing; clip: without any noise. Laplace: pure
epsilon 1, Gaussian: the same rho, each interval noised as one of all of the day, clipped at the fuse or at the cap that does
best on these very data. smooth: 1,000 households a feeder, each feeder with preferences of its own; rough: copies of the
same 100 homes on one date. in 95 %: intervals that hold the clipped sum. The first 28 days are learnt from, not judged.
goal: for half hours as set; for 15 minutes 1.41 times that, as half the load has noise that is only 1.41 times less.`,
  errors,
)
print(
  `Day-ahead forecasts of the operator that ships, made at local midnight for 24 hours: mean absolute error of the median in %
of the true sums; from true sums, and from what was released with the whole budget on one level or equal parts on four. more:
the price of privacy in points. in 90 %, in 50 %: released values between the outer and the inner quantiles. Groups of the two
upper levels and those below one region. goal: the same for windows of any length.`,
  forecasts,
)
print(
  `The same trees on four levels where readings come late as the fleet sends them by default. missing: energy that counts but
had not come when the preliminary values were sealed, in % of the load; expected: expectedLateWh beside them; missing at last:
what had not come when the final values were. Then errors as above of smoothed values: preliminary ones as they are and with
expectedLateWh added, and final ones. Households that are copies of one are late together.`,
  late,
)
say('')
const times = [
  { name: 'run time', value: (performance.now() - began) / 60_000, unit: 'minutes' },
  { name: 'run time, all threads, processor', value: process.cpuUsage().user / 60e6, unit: 'minutes' },
]
report('utility', [...figures, ...times], process.argv.length === 2 && sets.length === 2)
