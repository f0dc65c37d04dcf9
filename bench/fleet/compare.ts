import { stdout } from 'node:process'
import { slotsOf } from './calendar.ts'
import { type HomeMix, homeTraits } from './homes.ts'
import { loadModel } from './load-model.ts'
import { type LoadStatistics, loadStatistics, quantileLevels } from './load-statistics.ts'
import { readProfiles } from './profiles.ts'

/** Half-hourly series of `count` synthetic homes over `days` days from 1 January of a year, in London time. */
export function syntheticHomes(options: {
  readonly seed: number
  readonly count: number
  readonly year: number
  readonly days: number
  readonly mix?: HomeMix
}): readonly Int32Array[] {
  const { seed, count, year, days, mix } = options
  const slots = slotsOf({ start: Date.UTC(year, 0, 1), days, intervalSeconds: 1_800, timeZone: 'Europe/London' })
  const model = loadModel(seed, slots)
  const exported = new Int32Array(50)
  return Array.from({ length: count }, (_, home) => {
    const traits = homeTraits(seed, home, mix)
    const series = new Int32Array(slots.count)
    for (const day of slots.days) {
      exported.fill(0)
      const importWh = series.subarray(day.firstSlot, day.firstSlot + day.slots)
      model.fillDay(traits, day, importWh, exported, 0)
    }
    return series
  })
}

/** The comparison as text: one line per statistic, the real set beside the synthetic one. */
export function comparisonTable(real: LoadStatistics, synthetic: LoadStatistics): string {
  const rows: string[][] = [['', `real (${real.homes} homes)`, `synthetic (${synthetic.homes} homes)`, 'ratio']]
  const row = (name: string, a: number, b: number, digits: number): void => {
    rows.push([name, a.toFixed(digits), b.toFixed(digits), (b / a).toFixed(2)])
  }
  const quantiles = (name: string, a: readonly number[], b: readonly number[]): void => {
    quantileLevels.forEach((level, i) => {
      row(`${name}, quantile ${level}`, a[i] as number, b[i] as number, 0)
    })
  }
  row('mean energy per day, kWh', real.meanDayKwh, synthetic.meanDayKwh, 2)
  quantiles('energy per half hour, Wh', real.halfHourWh, synthetic.halfHourWh)
  quantiles('energy per household-day, Wh', real.dayWh, synthetic.dayWh)
  quantiles('L2 norm of a household-day, Wh', real.dayNormWh, synthetic.dayNormWh)
  quantiles('mean day of a home, Wh', real.homeMeanDayWh, synthetic.homeMeanDayWh)
  ;['30 minutes', '1 hour', '1 day', '1 week'].forEach((lag, i) => {
    row(`autocorrelation, ${lag}`, real.autocorrelation[i] as number, synthetic.autocorrelation[i] as number, 3)
  })
  row('share of 16:00–21:00', real.eveningShare, synthetic.eveningShare, 3)
  row('share of 00:00–06:00', real.nightShare, synthetic.nightShare, 3)
  row('weekend over weekday', real.weekendRatio, synthetic.weekendRatio, 3)
  row('winter over summer', real.winterRatio, synthetic.winterRatio, 3)
  row('coincidence of daily peaks', real.coincidence, synthetic.coincidence, 3)
  row('variation of a home’s days', real.dayVariation, synthetic.dayVariation, 3)
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((cells) => (cells[column] as string).length)))
  return rows
    .map((cells) =>
      cells
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] as number) : cell.padStart(widths[column] as number),
        )
        .join('  '),
    )
    .join('\n')
}

/** Statistics of the real set at `path`, and of 400 synthetic homes over the same dates: enough for steady tails. */
export function compareWith(
  path: string,
  seed: number,
): { readonly real: LoadStatistics; readonly synthetic: LoadStatistics } {
  const profiles = readProfiles(path)
  const year = new Date(profiles.start).getUTCFullYear()
  const days = Math.floor((profiles.homes[0] as Int32Array).length / 48)
  const homes = syntheticHomes({ seed, count: 400, year, days })
  return {
    real: loadStatistics(profiles.homes, profiles.start),
    synthetic: loadStatistics(homes, Date.UTC(year, 0, 1)),
  }
}

if (import.meta.main) {
  const path = process.argv[2] ?? process.env['METERVEIL_LOAD_DATA']
  if (path === undefined) {
    stdout.write('usage: node bench/fleet/compare.ts FILE.csv.gz [SEED]   (or METERVEIL_LOAD_DATA)\n')
    process.exitCode = 2
  } else {
    const { real, synthetic } = compareWith(path, Number(process.argv[3] ?? 1))
    stdout.write(`${comparisonTable(real, synthetic)}\n`)
  }
}
