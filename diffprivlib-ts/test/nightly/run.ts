// npm run nightly [-- --draws 1e9] [--hours 12] [--save FILE] [words]: chi-square and Kolmogorov-Smirnov of every sampler family whose name holds
// one of the words, over secure bits, by all cores, the fastest first. Families too slow for their share of the hours draw less, and the
// report says how much. An interrupt ends the run at what was drawn. FILE gets every statistic with its limit, the machine and the commit.
import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { families } from './families.ts'
import type { Family } from './family.ts'
import { addCounts, type Counts, failed, falseAlarm, type Verdict, verdictsOf } from './goodness.ts'
import { type Figure, reportOf } from './report.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    draws: { type: 'string', default: '1e9' },
    hours: { type: 'string', default: '12' },
    save: { type: 'string' },
  },
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
const began = performance.now()
const end = began + Number(values.hours) * 3_600_000
let interrupted = false
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (interrupted = true))

/** A thread that draws a family. */
const threadOf = ({ name }: Family) => {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: name })
  const count = (part: number): Promise<Counts> =>
    new Promise((resolve, reject) => {
      worker.removeAllListeners('error')
      worker.once('message', resolve).once('error', reject)
      worker.postMessage(part)
    })
  return { count, close: () => worker.terminate() }
}

/** Draws a second, by one thread. */
const speedOf = async (family: Family): Promise<number> => {
  const { count, close } = threadOf(family)
  // The first count also computes the law.
  await count(1_000)
  let speed = 0
  for (let part = 1_000, millis = 0; millis < 300; part *= 3) {
    const started = performance.now()
    await count(part)
    millis = performance.now() - started
    speed = (1000 * part) / millis
  }
  await close()
  return speed
}

/** Counts of all draws asked for, or of what is drawn when the time is over: two seconds' work of each thread at the least. */
const countOf = async (family: Family, speed: number, until: number): Promise<Counts> => {
  const chunk = Math.ceil(Math.min(draws / cores, Math.max(1_000, 2 * speed)))
  let left = draws
  const parts = Array.from({ length: cores }, async () => {
    const { count, close } = threadOf(family)
    let counts: Counts | undefined
    do {
      const part = Math.min(left, chunk)
      if (part <= 0) break
      left -= part
      const more = await count(part)
      counts = counts ? addCounts(counts, more) : more
    } while (!interrupted && performance.now() < until)
    await close()
    return counts
  })
  return (await Promise.all(parts)).filter((counts) => counts !== undefined).reduce(addCounts)
}

const lineOf = ({ test, statistic, limit }: Verdict): string =>
  `  ${test.padEnd(48)} ${statistic.toPrecision(6).padStart(12)}  limit ${limit.toPrecision(6).padStart(11)}${statistic <= limit ? '' : '  FAILED'}`

say(
  `${grouped(draws)} draws of each family on ${cores} cores; a right sampler passes a limit with ${falseAlarm} at most`,
)
const speeds: [Family, number][] = []
for (const family of chosen) if (!interrupted) speeds.push([family, await speedOf(family)])
speeds.sort(([, a], [, b]) => b - a)

let [tests, failures, short] = [0, 0, 0]
const figures: Figure[] = []
for (const [i, [family, speed]] of speeds.entries()) {
  if (interrupted) break
  const started = performance.now()
  const counts = await countOf(family, speed, started + (end - started) / (speeds.length - i))
  const verdicts = verdictsOf(family, counts)
  say(`${family.name}: ${grouped(counts.draws)} draws in ${((performance.now() - started) / 1000).toFixed(1)} s`)
  for (const verdict of verdicts) say(lineOf(verdict))
  tests += verdicts.length
  failures += failed(verdicts).length
  if (counts.draws < draws && !interrupted) short += 1
  figures.push({ name: family.name, value: counts.draws, unit: 'draws', goal: `>= ${draws}` })
  for (const { test, statistic, limit } of verdicts)
    figures.push({ name: `${family.name}: ${test}`, value: statistic, unit: 'statistic', goal: `<= ${limit}` })
  if (values.save !== undefined) writeFileSync(values.save, `${JSON.stringify(reportOf(figures), null, 2)}\n`)
}
say(
  `${tests} tests, ${failures} failed, false-alarm rate of the whole run at most ${(tests * falseAlarm).toExponential(1)}, ${((performance.now() - began) / 60_000).toFixed(1)} min`,
)
if (short > 0)
  say(`${short} of the families were too slow for ${grouped(draws)} draws in ${values.hours} h: give more --hours`)
if (interrupted) say('interrupted: the families not named were not drawn')
process.exitCode = failures > 0 ? 1 : 0
