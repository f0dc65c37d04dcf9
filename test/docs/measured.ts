import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { meets, type Report } from '../../bench/report.ts'
import { code, markdownTable } from './blocks.ts'

/** The figures that the README shows, as (bench, name in its report, what a reader calls it). */
const headlines: readonly (readonly [bench: string, figure: string, title: string])[] = [
  [
    'kafka-readings',
    'frames per second of one process',
    'frames a second of one process with two threads to committed readings, broker and Redis on the same two cores',
  ],
  ['kafka-readings', 'of the bare loop', 'the same in % of the bare client loop that does no work'],
  ['kafka-readings', 'frames per second, threads 1', 'frames a second of that process with one thread, the default'],
  [
    'frames-to-forecast',
    'frames per second of one core',
    'frames a second and core through all four pipelines, in-process log',
  ],
  [
    'million',
    'wall time of all pipelines',
    'a quarter hour of 1,000,000 meters through all four pipelines, in-process log, each key used for the first time',
  ],
  ['million', 'latency p99', 'latency of the same from frame to committed reading, 99 of 100, 32,000 in flight'],
  [
    'million',
    'of it privacy but for pseudonyms, by a profile',
    'part of the JavaScript of the same that is differential privacy and k-anonymity; pseudonyms are not counted',
  ],
  [
    'utility',
    'real, 30 min, 100,000 homes, smooth: four levels',
    'error of released load of 100,000 homes, four levels within epsilon 1 a day, in % of the mean load',
  ],
  [
    'utility',
    'real, 30 min, 10,000 homes, rough: one level',
    'error for 10,000 homes that are a hundred alike, the whole budget on them',
  ],
  [
    'decode-dlms',
    'ciphered push, 65 values: decode / bare AES-GCM',
    'decoding an encrypted push of 65 values, times bare AES-GCM',
  ],
  [
    'interval',
    'interval, both channels, p99',
    'one interval of 1,111 groups on four levels: draw, seal, consistency; 99 of 100',
  ],
  ['interval', 'clip state of a million homes, two days, and the sums', 'state of the release for 1,000,000 homes'],
  [
    'forecast',
    'forecast of one group and hour, all that led to it',
    'forecasting one group for 36 hours, once an hour',
  ],
  ['k-anonymize', 'first epoch', 'generalising 1,000,000 households'],
  ['dp-peers', 'ours, discrete Laplace, scale 1e5', 'exact discrete Laplace of scale 100,000, draws a second'],
  ['dp-peers', 'ours against OpenDP, the best exact peer, Laplace, scale 1e5', 'the same against OpenDP'],
]

const shown = (value: number, unit: string): string => {
  const text =
    value >= 10_000 ? Number(value.toPrecision(3)).toLocaleString('en-GB') : String(Number(value.toPrecision(3)))
  return `${text} ${unit.replace(/ processor$/, ' of processor time')}`
}

/** The table of what was measured last, from the reports that the benches save. Throws where a report or a figure is missing. */
export function measuredTable(root: string): string {
  const rows = headlines.map(([bench, name, title]) => {
    const report = JSON.parse(readFileSync(join(root, 'bench/reports', `${bench}.json`), 'utf8')) as Report
    const figure = report.figures.find((one) => one.name === name)
    if (figure === undefined) throw new Error(`the report of ${bench} has no figure "${name}"`)
    const { value, unit, goal } = figure
    return [
      title,
      shown(value, unit),
      goal === undefined ? '' : `${goal}${meets(value, goal) ? '' : ': missed'}`,
      code(bench),
      report.commit,
    ]
  })
  return markdownTable(['what', 'measured', 'goal', 'bench', 'commit'], rows)
}
