// How many frames a second one core takes from meter.frames to forecast.public, through all four pipelines on the in-process log.
// The frames of a fleet's day are encoded and appended beforehand; only the pipelines are timed, in processor time of this
// process, so that other work on the machine does not count.
import { hours } from '../../operators/contract/clock.ts'
import { openWorld } from '../../pipelines/simulation/world.ts'
import { createFleet } from '../fleet/index.ts'
import { profilePrivacy } from '../privacy-profile.ts'
import { report } from '../report.ts'
import { stageTimes } from '../stage-times.ts'

const homes = Number(process.argv[2] ?? 6_000)
const partitions = 4
const start = Date.UTC(2026, 0, 12)
const end = start + hours(30.5)

const fleet = createFleet({
  seed: 1,
  homes,
  start,
  partitions,
  profileNames: { described: 'interval-30min', objects: 'interval-30min' },
})
const { entries, register, keyring } = fleet
const { zone, timeZone } = entries[0]!
const { clock, log, frameRecord, launch } = await openWorld({
  entries,
  register,
  keyring,
  zone,
  timeZone,
  partitions,
  start,
})
let frames = 0
for (const { at, arrivals } of fleet.arrivals(end)) {
  await log.append(arrivals.map(({ partition, frame }) => frameRecord(partition, frame)))
  clock.moveTo(at)
  frames += arrivals.length
}

const stages = stageTimes()
globalThis.gc?.()
const profile = await profilePrivacy()
const cpu = process.cpuUsage()
const wall = performance.now()
const { running, activity } = await launch({ observer: stages.observer })
await activity.rest(running.done)
clock.moveTo(end)
await activity.rest(running.done)
const used = process.cpuUsage(cpu)
const seconds = (used.user + used.system) / 1e6
const wallSeconds = (performance.now() - wall) / 1_000
const privacy = await profile.stop()
await running.stop()

report('frames-to-forecast', [
  { name: 'frames', value: frames, unit: 'frames' },
  { name: 'frames per second of one core', value: frames / seconds, unit: 'frames/s', goal: '>= 35000' },
  { name: 'frames per second of wall time', value: frames / wallSeconds, unit: 'frames/s' },
  { name: 'processor time per frame', value: (seconds / frames) * 1e6, unit: 'us' },
  { name: 'of it in operators', value: (stages.seconds() / frames) * 1e6, unit: 'us' },
  { name: 'of it privacy but for pseudonyms, by a profile', value: privacy, unit: '%' },
  { name: 'peak memory', value: process.resourceUsage().maxRSS / 1_024, unit: 'MiB' },
  ...stages.figures(frames),
])
