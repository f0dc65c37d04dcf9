// What it costs to decide what may travel with each household of a register, at a million households.
//   npm run bench -- k-anonymize [--homes 1000000]
// Time is processor time of the process, so that other load on the machine does not count; memory is the process's peak, with the register streamed.
import { type KAnonymized, kAnonymize } from '../../operators/privacy/k-anonymize/index.ts'
import type { RegisterEntry } from '../../schemas/register-entry.ts'
import { defaultMix } from '../fleet/homes.ts'
import { defaultMeterMix, defaultProfileNames, meterOf, registerEntry } from '../fleet/meters.ts'
import { topologyOf } from '../fleet/topology.ts'
import { type Figure, report } from '../report.ts'

const at = process.argv.indexOf('--homes')
const homes = at < 0 ? 1_000_000 : Number(process.argv[at + 1])
const k = 20

const topology = topologyOf({
  homes,
  feeders: Math.max(1, Math.floor(homes / 1_000)),
  substations: Math.max(1, Math.floor(homes / 10_000)),
  regions: Math.max(1, Math.floor(homes / 100_000)),
})
const options = {
  seed: 1,
  topology,
  partitions: 8,
  timeZone: 'Europe/Berlin',
  zone: 'de',
  homeMix: defaultMix,
  profileNames: defaultProfileNames,
}

/** Entries one after another, so that what is measured holds no second copy of the register. A feeder is an area of its own. */
function* register(): Generator<RegisterEntry> {
  for (let home = 0; home < homes; home++) {
    const entry = registerEntry(options, meterOf(options.seed, home, 0, defaultMeterMix), 0, null)
    yield { ...entry, area: entry.groups.feeder.replace('feeder', 'area') }
  }
}

const seconds = (work: () => void): number => {
  const started = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(started)
  return (user + system) / 1e6
}

const peakGiB = (): number => process.resourceUsage().maxRSS / 2 ** 20

const making = seconds(() => {
  for (const _ of register());
})
let first: KAnonymized | undefined
const one = seconds(() => {
  first = kAnonymize(register(), { k })
})
const peakOfOne = peakGiB()
const [zone] = first!.zones
const two = seconds(() => {
  kAnonymize(register(), { k, previous: first!.classOf })
})
const figures: Figure[] = [
  { name: 'first epoch', value: one - making, unit: 's processor', goal: '<= 10' },
  { name: 'first epoch: peak memory', value: peakOfOne, unit: 'GiB', goal: '<= 1' },
  { name: 'next epoch, held against the first', value: two - making, unit: 's processor', goal: '<= 10' },
  { name: 'next epoch: peak memory, both held', value: peakGiB(), unit: 'GiB', goal: '<= 1' },
  { name: 'loss', value: zone!.loss, unit: 'of 1' },
  { name: 'told nothing of', value: zone!.suppressedHomes, unit: 'homes' },
  { name: 'classes', value: zone!.classes, unit: 'classes' },
  { name: 'smallest class', value: zone!.smallestClass, unit: 'homes', goal: `>= ${k}` },
]
report('k-anonymize', figures)
