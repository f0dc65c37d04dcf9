// One quarter hour of a million meters: own keys, titles and counters, 1,111 groups at four levels, 3 % retries. The frames are made
// beforehand; then they go through all four pipelines as fast as these take them, on one thread of one process, and the
// outcome is compared with the journal. Latency is from the append of a frame to the commit of its batch, in wall time.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { build } from 'hdr-histogram-js'
import { minutes } from '../../operators/contract/clock.ts'
import type { Observer } from '../../operators/contract/observer.ts'
import { defaultPolicy } from '../../operators/privacy/release/policy.ts'
import { countFates, pseudonymsOf } from '../../pipelines/cli/demo-scenario.ts'
import { observers, silentObserver } from '../../pipelines/runtime/index.ts'
import { openWorld } from '../../pipelines/simulation/world.ts'
import { topics } from '../../schemas/topics.ts'
import { checkReadings } from '../fleet/checker.ts'
import { createMillion } from '../fleet/million.ts'
import { profilePrivacy } from '../privacy-profile.ts'
import { report } from '../report.ts'
import { stageTimes } from '../stage-times.ts'

const homes = Number(process.argv[2] ?? 1_000_000)
const partitions = 8
const start = Date.UTC(2026, 0, 12)
/** Frames between the append and the commit; more only adds latency. */
const maxInFlight = 32_000

const say = (text: string) => process.stderr.write(`${text}\n`)
say(`making the frames of ${homes.toLocaleString('en-GB')} meters ...`)
const made = performance.now()
const fleet = await createMillion({
  seed: 1,
  start,
  homes,
  partitions,
  profileNames: { described: 'interval-15min', objects: 'interval-15min' },
})
const { register, keyring } = fleet
function* allEntries() {
  for (let home = 0; home < homes; home++) yield register.entryOf(home)
}
say(`made in ${((performance.now() - made) / 1_000).toFixed(1)} s; loading register and keys ...`)
// A deployment has its register and keys before frames come.
for (const { keyRef } of allEntries()) keyring.meterKeys(keyRef)

const first = register.entryOf(0)
const world = await openWorld({
  entries: allEntries(),
  register,
  keyring,
  zone: first.zone,
  timeZone: first.timeZone,
  partitions,
  start,
  policy: { ...defaultPolicy, windowSeconds: 900 },
})
const { clock, log } = world
const latency = build({ lowestDiscernibleValue: 1, highestTrackableValue: 600_000, numberOfSignificantValueDigits: 3 })
const waiting: { readonly appended: number; count: number }[][] = Array.from({ length: partitions }, () => [])
const timing: Observer = {
  ...silentObserver,
  batch: (pipeline, partition, { records }) => {
    if (pipeline !== 'readings') return
    const now = performance.now()
    for (let left = records; left > 0; ) {
      const oldest = waiting[partition]![0]!
      const taken = Math.min(left, oldest.count)
      latency.recordValueWithCount(Math.max(1, Math.round(now - oldest.appended)), taken)
      oldest.count -= taken
      left -= taken
      if (oldest.count === 0) waiting[partition]!.shift()
    }
  },
}
const counts = countFates()
const stages = stageTimes()
const { running, activity } = await world.launch({
  observer: observers(counts.observer, timing, stages.observer),
  task: { heartbeatMs: minutes(1) },
})
await activity.rest(running.done)

// What a listener would hand over, ready to be appended: making it is not the pipelines' work.
const sequences: number[][] = Array.from({ length: partitions }, () => [])
const ticks = Array.from(fleet.arrivals(), ({ at, arrivals }) => {
  const counts = new Array<number>(partitions).fill(0)
  const records = arrivals.map(({ partition, frame, seq }) => {
    sequences[partition]!.push(seq)
    counts[partition]! += 1
    return world.frameRecord(partition, frame)
  })
  return { at, records, counts }
})

globalThis.gc?.()
/** By then the month is generalised and the local day open: what is done once a month and once a day is no quarter hour's. */
const warmUp = homes / 10
let profile: Awaited<ReturnType<typeof profilePrivacy>> | undefined
let sent = 0
const wall = performance.now()
const cpu = process.cpuUsage()
for (const { at, records, counts: perPartition } of ticks) {
  clock.moveTo(at)
  await log.append(records)
  const appended = performance.now()
  perPartition.forEach((count, partition) => {
    if (count > 0) waiting[partition]!.push({ appended, count })
  })
  sent += records.length
  if (profile === undefined && sent >= warmUp) {
    await activity.rest(running.done)
    profile = await profilePrivacy()
  }
  // The pipelines are given as much as they may have in flight, so that their batches are full.
  while (sent - counts.processed() > maxInFlight) await nextTurn()
}
await activity.rest(running.done)
const readingSeconds = (performance.now() - wall) / 1_000
clock.moveTo(start + minutes(15 + 20 + 5))
for (let i = 0; i < 6; i++) {
  await activity.rest(running.done)
  clock.advance(minutes(1))
}
await activity.rest(running.done)
const used = process.cpuUsage(cpu)
const seconds = (used.user + used.system) / 1e6
const wallSeconds = (performance.now() - wall) / 1_000
const privacy = (await profile?.stop()) ?? Number.NaN
await running.stop()
const peak = process.resourceUsage().maxRSS / 1_024

say('checking against the journal ...')
const released = await world.read(topics.loadPublic)
const verdict = checkReadings(fleet.journal, {
  readings: await world.read(topics.householdReadings),
  rejected: await world.read(topics.meterRejected),
  counts: counts.totals(),
  pseudonymOf: pseudonymsOf(keyring),
  sequenceAt: (partition, offset) => sequences[partition]?.[offset],
})
const utility = released.find(
  ({ level, channel, window }) => level === 'utility' && channel === 'import' && window === start,
)
const truth = fleet.trueLoad('utility', 'utility')
report('million', [
  { name: 'meters', value: homes, unit: 'meters' },
  { name: 'frames', value: sent, unit: 'frames' },
  { name: 'frames per second of wall time, to committed readings', value: sent / readingSeconds, unit: 'frames/s' },
  { name: 'frames per second of one core, all pipelines', value: sent / seconds, unit: 'frames/s' },
  { name: 'wall time of all pipelines', value: wallSeconds, unit: 's' },
  { name: 'processor time per frame', value: (seconds / sent) * 1e6, unit: 'us' },
  { name: 'of it privacy but for pseudonyms, by a profile', value: privacy, unit: '%', goal: '<= 5' },
  { name: 'latency p50', value: latency.getValueAtPercentile(50), unit: 'ms' },
  { name: 'latency p99', value: latency.getValueAtPercentile(99), unit: 'ms' },
  { name: 'latency p99.9', value: latency.getValueAtPercentile(99.9), unit: 'ms' },
  { name: 'peak memory', value: peak, unit: 'MiB' },
  {
    name: 'public records of the quarter hour',
    value: released.filter(({ window }) => window === start).length,
    unit: 'records',
  },
  {
    name: 'released load of the utility off the truth',
    value: utility?.rawWh == null ? Number.NaN : Math.abs(utility.rawWh / truth - 1) * 100,
    unit: '%',
  },
  { name: 'intervals that had to arrive', value: verdict.required, unit: 'intervals' },
  { name: 'lost', value: verdict.lost.count, unit: 'intervals', goal: '<= 0' },
  { name: 'more than once', value: verdict.duplicate.count, unit: 'intervals', goal: '<= 0' },
  {
    name: 'wrong or never sent',
    value: verdict.wrong.count + verdict.unexpected.count,
    unit: 'intervals',
    goal: '<= 0',
  },
  { name: 'checker agrees in full (1 yes, 0 no)', value: verdict.ok ? 1 : 0, unit: '', goal: '>= 1' },
  ...stages.figures(sent),
])
