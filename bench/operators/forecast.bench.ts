// What forecasts cost: a utility tree of 1,111 groups, refreshed every hour, in processor time and in bytes a series.
//   npm run bench -- forecast [--days 9]
// Time is processor time of this thread, so that other load on the machine does not count. Values are a daily course with noise; a final value
// follows each preliminary one a day later, as from a release.
import { parseArgs } from 'node:util'
import type { Collector, Envelope } from '../../operators/contract/operator.ts'
import { forecast } from '../../operators/forecast/index.ts'
import type { ForecastPublic } from '../../schemas/forecast-public.ts'
import type { LoadPublic } from '../../schemas/load-public.ts'
import { type Level, levels } from '../../schemas/register-entry.ts'
import { simulationRandom } from '../fleet/random.ts'
import { type Figure, report } from '../report.ts'
import { releasedRecord } from '../utility/released-record.ts'

const { values } = parseArgs({ options: { days: { type: 'string', default: '9' } } })
const days = Number(values.days)
const perDay = 48
const stepMs = 1_800_000
const start = Date.UTC(2026, 0, 12)
const feederSize = 1_000
const sigma = 100_000

interface Place {
  readonly level: Level
  readonly group: string
  readonly parent: string | null
  readonly size: number
}

const places: Place[] = levels.flatMap((level, depth) =>
  Array.from({ length: 10 ** depth }, (_, i) => ({
    level,
    group: `${level}-${i}`,
    parent: depth === 0 ? null : `${levels[depth - 1]}-${Math.floor(i / 10)}`,
    size: feederSize * 10 ** (levels.length - 1 - depth),
  })),
)
const parents = new Map(places.map(({ level, group, parent }) => [`${level} ${group}`, parent]))

const random = simulationRandom(1, 'topology', 0)
const loadOf = (n: number, size: number): number =>
  Math.round(size * (200 + 80 * Math.sin((2 * Math.PI * (n % perDay)) / perDay)) + sigma * random.normal())

const drawn = Array.from({ length: days * perDay }, (_, n) => places.map(({ size }) => loadOf(n, size)))
const seal = (n: number, final: boolean): Envelope<LoadPublic>[] =>
  places.map(({ level, group, size }, i) => ({
    value: releasedRecord({
      level,
      group,
      registered: size,
      window: start + n * stepMs,
      windowSeconds: stepMs / 1_000,
      phase: final ? 'final' : 'preliminary',
      rawWh: drawn[n]![i]! + (final ? size : 0),
      sigma2: `${(final ? 2 : 1) * sigma ** 2}`,
      ledgerSeq: 2 * n + (final ? 1 : 0),
    }),
    origin: { topic: 'load.public', partition: 0, offset: 0n, receivedAt: 0 },
  }))

let made = 0
const refuse = (reason: unknown): never => {
  throw new Error(`a record of the bench was left out: ${String(reason)}`)
}
const out: Collector<ForecastPublic> = {
  emit: () => {
    made += 1
  },
  drop: (_, reason) => refuse(reason),
  reject: (_, reason) => refuse(reason),
}

const memory = (): number => {
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

const operator = forecast({
  timeZone: 'Etc/UTC',
  parentOf: ({ level, group }) => parents.get(`${level} ${group}`),
})
const before = memory()
const state = operator.restore([], [])
const context = {
  partition: 0,
  seq: 0,
  progress: 0,
  floor: 0,
  keptFrom: 0,
  whole: { value: null, origin: seal(0, false)[0]!.origin },
}
let records = 0
let micros = 0
/** Of the last day, when every model is at work. */
let lastDay = { micros: 0, made: 0 }
const take = (batch: readonly Envelope<LoadPublic>[], last: boolean): void => {
  const [began, count] = [process.threadCpuUsage(), made]
  operator.process(batch, state, out, context)
  const { user, system } = process.threadCpuUsage(began)
  records += batch.length
  micros += user + system
  if (last) lastDay = { micros: lastDay.micros + user + system, made: lastDay.made + made - count }
}
for (let n = 0; n < days * perDay; n++) {
  const last = n >= (days - 1) * perDay
  take(seal(n, false), last)
  // The final values of a day follow at six in the morning.
  if (n >= perDay && n % perDay === 12) {
    for (let window = n - 12 - perDay; window < n - 12; window++) take(seal(window, true), last)
  }
}
const bytes = (memory() - before) / places.length

const figures: Figure[] = [
  {
    name: 'forecast of one group and hour, all that led to it',
    value: lastDay.micros / lastDay.made / 1_000,
    unit: 'ms',
    goal: '<= 0.5',
  },
  { name: 'state of one series', value: bytes / 1_024, unit: 'KiB', goal: '<= 64' },
  { name: 'rebuild: released values read again', value: records / (micros / 1e6), unit: '/s' },
  { name: 'groups', value: places.length, unit: '' },
  { name: 'forecasts made', value: made, unit: '' },
]
report('forecast', figures)
