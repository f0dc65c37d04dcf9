// npm run nightly [-- --draws 1e9] [--hours 12] [words]: chi-square and Kolmogorov-Smirnov of every sampler family whose name holds one of the
// words, over secure bits, by all cores. Families too slow for their share of the hours draw less, and the report says how much.
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { type Family, families } from './families.ts'
import { addCounts, type Counts, failed, falseAlarm, type Verdict, verdictsOf } from './goodness.ts'
import type { Task } from './worker.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { draws: { type: 'string', default: '1e9' }, hours: { type: 'string', default: '12' } },
})
const draws = Number(values.draws)
const cores = availableParallelism()
const chosen = families.filter(
  ({ name }) => positionals.length === 0 || positionals.some((word) => name.includes(word)),
)
if (chosen.length === 0 || !(draws >= 1_000) || !(Number(values.hours) > 0)) {
  process.stderr.write(`--draws takes 1000 or more, --hours more than 0; the families are:\n`)
  for (const { name } of families) process.stderr.write(`  ${name}\n`)
  process.exit(2)
}

const say = (line: string) => process.stdout.write(`${line}\n`)
const grouped = (count: number): string => Math.round(count).toLocaleString('en-GB')

const inThread = (task: Task): Promise<unknown> =>
  new Promise((resolve, reject) => {
    new Worker(new URL('./worker.ts', import.meta.url), { workerData: task })
      .once('message', resolve)
      .once('error', reject)
  })

/** How many draws each family gets: those that are slow share what the fast ones leave of the time. */
const shares = async (): Promise<ReadonlyMap<Family, number>> => {
  const speeds: [Family, number][] = []
  for (const family of chosen) speeds.push([family, (await inThread({ family: family.name })) as number])
  speeds.sort(([, a], [, b]) => b - a)
  let left = Number(values.hours) * 3600 * cores
  return new Map(
    speeds.map(([family, speed], i) => {
      const share = Math.min(draws, Math.ceil((speed * left) / (speeds.length - i)))
      left -= share / speed
      return [family, share]
    }),
  )
}

const count = async (family: Family, total: number): Promise<Counts> => {
  const parts = await Promise.all(
    Array.from({ length: cores }, () => inThread({ family: family.name, draws: Math.ceil(total / cores) })),
  )
  return (parts as Counts[]).reduce(addCounts)
}

const lineOf = ({ test, statistic, limit }: Verdict): string =>
  `  ${test.padEnd(48)} ${statistic.toPrecision(6).padStart(12)}  limit ${limit.toPrecision(6).padStart(11)}${statistic <= limit ? '' : '  FAILED'}`

say(
  `${grouped(draws)} draws of each family on ${cores} cores; a right sampler passes a limit with ${falseAlarm} at most`,
)
let [tests, failures, short] = [0, 0, 0]
const began = performance.now()
for (const [family, share] of await shares()) {
  const started = performance.now()
  const counts = await count(family, share)
  const verdicts = verdictsOf(family, counts)
  say(`${family.name}: ${grouped(counts.draws)} draws in ${((performance.now() - started) / 1000).toFixed(1)} s`)
  for (const verdict of verdicts) say(lineOf(verdict))
  tests += verdicts.length
  failures += failed(verdicts).length
  if (counts.draws < draws) short += 1
}
say(
  `${tests} tests, ${failures} failed, false-alarm rate of the whole run at most ${(tests * falseAlarm).toExponential(1)}, ${((performance.now() - began) / 60_000).toFixed(1)} min`,
)
if (short > 0)
  say(`${short} of the families were too slow for ${grouped(draws)} draws in ${values.hours} h: give more --hours`)
process.exitCode = failures > 0 ? 1 : 0
