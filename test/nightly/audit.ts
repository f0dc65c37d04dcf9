// npm run nightly:audit [-- --runs 1e6] [--hours 12] [--rho 1/2] [--phases preliminary] [--crash] [--selection] [--keep
// FOLDER]: the end-to-end audit
// over both phases of a day or one, in all cores, until there are so many runs a world or the hours are over; what it found is
// kept in bench/reports/, with how many runs there were. Exit code 1 where a bound is above what is claimed: right code is accused once in a million nights. With
// --selection over five days in which half of the cap, rho 1 by default, selects groups at the edge of the threshold; ten claims,
// each held as surely. A FOLDER keeps what was seen, so that a night that was cut short is gone on with by the same command.
import { parseArgs } from 'node:util'
import { commit, type Figure, report } from '../../bench/report.ts'
import { auditPolicy } from '../../pipelines/simulation/audit-stage.ts'
import { auditOf, claimsOf } from '../attacks/end-to-end/claims.ts'
import { type Crowd, crowd } from '../attacks/end-to-end/crowd.ts'
import { holdSelection, inWords, selectionClaims } from '../attacks/end-to-end/selection-claims.ts'
import { selectionCrowd } from '../attacks/end-to-end/selection-crowd.ts'
import { selectionPolicy } from '../attacks/end-to-end/selection-world.ts'
import { keptRuns } from './kept-runs.ts'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1e6' },
    hours: { type: 'string', default: '12' },
    rho: { type: 'string' },
    phases: { type: 'string', default: 'both' },
    crash: { type: 'boolean', default: false },
    selection: { type: 'boolean', default: false },
    keep: { type: 'string' },
  },
})
const [wanted, hours] = [Number(values.runs), Number(values.hours)]
if (!(wanted >= 100) || !(hours > 0)) {
  process.stderr.write('--runs takes 100 or more, --hours more than 0\n')
  process.exit(2)
}
const { phases } = values
if (phases !== 'both' && phases !== 'preliminary') {
  process.stderr.write('--phases takes both or preliminary\n')
  process.exit(2)
}
const say = (line: string) => process.stdout.write(`${line}\n`)
const grouped = (count: number): string => Math.round(count).toLocaleString('en-GB')
const began = performance.now()
const minutesGone = (): number => (performance.now() - began) / 60_000

const rhoPerDay = values.rho ?? (values.selection ? '1/1' : auditPolicy().rhoPerDay)
const crash = values.crash ? ({ pipeline: 'publish', step: 'produce', at: 'after', nth: 1 } as const) : undefined
const part = (runs: number): Promise<Crowd> =>
  values.selection
    ? selectionCrowd({ world: { values: true }, rhoPerDay, crash, runs })
    : crowd({ world: { phases }, rhoPerDay, crash, runs })
const all: { names: readonly string[]; with: Crowd['with'][number][]; without: Crowd['without'][number][] } = {
  names: [],
  with: [],
  without: [],
}
const take = (seen: Crowd): void => {
  all.names = seen.names
  for (const row of seen.with) all.with.push(row)
  for (const row of seen.without) all.without.push(row)
}
const { keep, crash: crashes, selection } = values
const kept =
  keep === undefined ? undefined : keptRuns(keep, { commit: commit(), phases, rhoPerDay, crashes, selection })
for (const seen of kept?.shares() ?? []) take(seen)
if (all.with.length > 0) say(`${grouped(all.with.length)} runs a world were kept`)
// Small shares first, so that the hours are kept also where a run is slow.
for (let share = Math.min(wanted, 2_000); all.with.length < wanted && minutesGone() < hours * 60; share = 20_000) {
  const next = await part(Math.min(share, wanted - all.with.length))
  kept?.add(next)
  take(next)
  say(
    `${grouped(all.with.length)} runs a world, ${next.cpuMs.toFixed(1)} ms of CPU each, ${minutesGone().toFixed(1)} min`,
  )
}
const figures: Figure[] = [
  { name: 'runs', value: all.with.length, unit: 'a world', goal: `>= ${wanted}` },
  ...(values.selection ? boundsOfSelection() : boundsOfValues()),
]
// Refuted or short of runs, the exit code is 1.
const name = [values.selection ? 'selection' : phases, ...(crash ? ['crash'] : [])].join('-')
report(`nightly-audit-${name}`, figures, wanted >= 1e6)

function boundsOfValues(): readonly Figure[] {
  const claims = claimsOf(rhoPerDay)
  const { mu, epsilon, rho } = auditOf({ ...all, cpuMs: 0 }, claims.delta)
  return [
    { name: `mu, by ${mu.event}`, value: mu.lower, unit: 'at least', goal: `<= ${claims.mu}` },
    { name: `epsilon at delta ${claims.delta}`, value: epsilon.lower, unit: 'at least', goal: `<= ${claims.epsilon}` },
    { name: 'rho', value: rho.lower, unit: 'at least', goal: `<= ${claims.rho}` },
  ]
}

function boundsOfSelection(): readonly Figure[] {
  const held = holdSelection({ ...all, cpuMs: 0 }, selectionClaims(selectionPolicy(rhoPerDay)))
  return held.map((each) => ({ name: inWords(each), value: each.lower, unit: 'at least', goal: `<= ${each.claimed}` }))
}
