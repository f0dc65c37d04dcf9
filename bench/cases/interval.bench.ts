// What one release interval costs: 1,111 groups at four levels, both channels, from the sums to the sealed records that only
// wait for their commit: noise, least squares, smoothing, restricted rules, encoding, compression and the chain. Several days
// in a row, so that filters are settled and late seals come too. In processor time of this process, so that other work on the
// machine does not count.
import { createSecretKey } from 'node:crypto'
import { build } from 'hdr-histogram-js'
import { memoryStateView } from '../../connectors/memory/index.ts'
import { hours, minutes } from '../../operators/contract/clock.ts'
import type { BatchContext, Envelope } from '../../operators/contract/operator.ts'
import type { RegisteredGroup } from '../../operators/contract/register.ts'
import { boundContributions } from '../../operators/privacy/bound-contributions.ts'
import { secureNoise } from '../../operators/privacy/release/noise.ts'
import { defaultPolicy, type ReleasePolicy } from '../../operators/privacy/release/policy.ts'
import { type ReleaseOutput, releaseTotals } from '../../operators/privacy/release-totals.ts'
import { localDay } from '../../operators/window/local-day.ts'
import type { LoadPartial, PartialCell } from '../../schemas/load-partial.ts'
import type { Level } from '../../schemas/register-entry.ts'
import { topics } from '../../schemas/topics.ts'
import { cell } from '../../test/helpers/release-fixtures.ts'
import { report } from '../report.ts'

const days = Number(process.argv[2] ?? 4)
const timeZone = 'Europe/Berlin'
const homesPerFeeder = 1_000
const start = localDay(timeZone, Date.UTC(2026, 0, 12, 12)).start

const group = (level: Level, name: string, parent: string | null, residential: number): RegisteredGroup => ({
  level,
  group: name,
  parent,
  zone: 'de',
  timeZone,
  residential,
  other: 0,
})
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i)
const groups: readonly RegisteredGroup[] = [
  group('utility', 'utility', null, 1_000 * homesPerFeeder),
  ...range(10).map((i) => group('region', `region-${i}`, 'utility', 100 * homesPerFeeder)),
  ...range(100).map((i) => group('substation', `substation-${i}`, `region-${i % 10}`, 10 * homesPerFeeder)),
  ...range(1_000).map((i) => group('feeder', `feeder-${i}`, `substation-${i % 100}`, homesPerFeeder)),
]

/** Everything is released, so that everything is drawn. */
const policy: ReleasePolicy = { ...defaultPolicy, windowSeconds: 900, maxRelativeNoise: '1/1' }
const windowMs = policy.windowSeconds * 1_000
const key = createSecretKey(Buffer.alloc(32, 7))
const release = releaseTotals({
  domain: { name: 'bench', zone: 'de', timeZone, partitions: 1 },
  policy,
  register: { groups: (level) => groups.filter((each) => each.level === level) },
  noise: secureNoise(),
  keyring: { derived: () => key },
  published: topics.loadPublic,
})

/** The load of a home over the day, in Wh per window: low at night, high in the evening. */
const loadAt = (window: number): number =>
  Math.round(150 + 100 * Math.cos((2 * Math.PI * ((window - start) / hours(1) - 19)) / 24))

function cellsOf(window: number, phase: 'preliminary' | 'late'): PartialCell[] {
  const { date } = localDay(timeZone, window)
  return (['import', 'export'] as const).flatMap((channel) =>
    groups.map(({ level, group, residential }, i): PartialCell => {
      const share = (channel === 'import' ? 1 : 0.1) * (phase === 'preliminary' ? 1 : 0.02)
      const wh = Math.round(residential * loadAt(window) * share * (0.9 + (i % 20) / 100))
      const where = { level, group, channel, phase, window, windowSeconds: policy.windowSeconds, date }
      const rest = { count: residential, largestWh: 4_000, secondWh: 3_900, thirdWh: 3_800 }
      return cell('2026-01-12T00:00', wh, { ...where, ...rest })
    }),
  )
}

const context = { partition: 0, seq: 0, progress: 0, floor: 0, keptFrom: 0 } as BatchContext
const envelope = (value: LoadPartial): Envelope<LoadPartial> => ({
  value,
  origin: { topic: 'load.partials', partition: 0, offset: BigInt(value.seq), receivedAt: 0 },
})

const processorMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}
const microseconds = () => build({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000_000 })
const [interval, rows, late, absorbing] = [microseconds(), microseconds(), microseconds(), microseconds()]
const before = liveBytes()
const state = release.restore([], [])
let links = 0
let records = 0
let bytes = 0
let seq = 0

/** Takes in a batch, then seals until nothing is due; answers seals and processor time of each call. */
function step(cells: readonly PartialCell[], progress: number): { seals: number; ms: number }[] {
  const calls: { seals: number; ms: number }[] = []
  let batch = [envelope({ sourcePartition: 0, seq: ++seq, progress, cells })]
  for (let more = true; more; batch = []) {
    let seals = 0
    const out = {
      emit: (_: unknown, output: ReleaseOutput) => {
        if (output.to !== 'ledger') return
        links++
        if (output.record.kind !== 'seal') return
        seals++
        records += output.record.count
        bytes += output.record.records.length
      },
      drop: () => {},
      reject: () => {},
    }
    const from = processorMs()
    more = release.process(batch, state, out, context) === 'more'
    calls.push({ seals, ms: processorMs() - from })
  }
  return calls
}

const record = (histogram: ReturnType<typeof microseconds>, ms: number): void =>
  histogram.recordValue(Math.max(1, Math.round(ms * 1_000)))

/** Bytes that live: on the heap and in buffers. */
function liveBytes(): number {
  for (let n = 0; n < 3; n++) globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

step([], start + 1)
const firstMeasured = start + 86_400_000
// To the moment before a day's late values are sealed, when the most is held: thirty hours of late sums.
const end = start + days * 86_400_000 + hours(6)
for (let window = start; window < end; window += windowMs) {
  const isMeasured = window >= firstMeasured
  // The sums are there before their window falls due, two windows later: what is timed is the release alone.
  const taking = step(cellsOf(window, 'preliminary'), window + 1)
  const fallen = step([], window + minutes(5))
  const from = processorMs()
  release.changed(state)
  const rowsMs = processorMs() - from
  step(cellsOf(window, 'late'), window + minutes(6))
  if (!isMeasured) continue
  record(rows, rowsMs)
  for (const { seals, ms } of [...taking, ...fallen]) if (seals > 2) record(late, ms / seals)
  for (const { seals, ms } of taking) if (seals === 0) record(absorbing, ms)
  for (const { seals, ms } of fallen) if (seals === 2) record(interval, ms)
}
const sumsBytes = liveBytes() - before

const ms = (histogram: ReturnType<typeof microseconds>, percentile: number): number =>
  histogram.getValueAtPercentile(percentile) / 1_000

/** The clip's cells of all homes for two local days: what may still change. Answers bytes, and microseconds per reading. */
async function clipState(homes: number): Promise<{ bytes: number; microseconds: number }> {
  const empty = liveBytes()
  const view = memoryStateView()
  const clip = boundContributions({ clip: defaultPolicy.clipWhPerHalfHour, windowSeconds: policy.windowSeconds })
  const at = { gen: 'bench', seq: 0, hash: '' }
  await view.reset('clip', undefined, at, [])
  const batchSize = 2_000
  let seqOf = 0
  const last = new Float64Array(20)
  for (const day of [20_000, 20_001]) {
    for (let from = 0; from < homes; from += batchSize, seqOf++) {
      const addresses = range(Math.min(batchSize, homes - from)).map((i) => ({ table: 'clip', index: from + i, day }))
      const started = processorMs()
      const expected = { ...at, seq: seqOf, hash: seqOf === 0 ? '' : String(seqOf) }
      const found = await view.exchange('clip', { expected, lookup: addresses })
      if (found.status !== 'ok') throw new Error('the view is not where it should be')
      const cells = addresses.map((address, i) => {
        const cell = found.cells[i]
        const use = cell ? clip.state.codec.decode(cell) : { q: 0, durationSeconds: 900 }
        return { ...address, value: clip.state.codec.encode({ ...use, q: use.q + 250_000 + i }) }
      })
      const apply = { seq: seqOf + 1, hash: String(seqOf + 1), floorDay: 0, cells }
      await view.exchange('clip', { expected, apply, lookup: [] })
      last[seqOf % last.length] = processorMs() - started
    }
  }
  const bytes = liveBytes() - empty
  // Only what the last batches took: a table that gets slower as it fills would show here.
  const count = Math.min(last.length, seqOf)
  const microseconds = (last.reduce((sum, each) => sum + each, 0) * 1_000) / (count * Math.min(batchSize, homes))
  await view.close()
  return { bytes, microseconds }
}

// Once before it counts, so that both are timed warm.
await clipState(20_000)
const small = await clipState(20_000)
const million = await clipState(1_000_000)
const mebi = 2 ** 20
report('interval', [
  { name: 'groups', value: groups.length, unit: 'groups' },
  { name: 'intervals', value: interval.totalCount, unit: 'intervals' },
  { name: 'interval, both channels, p50', value: ms(interval, 50), unit: 'ms' },
  { name: 'interval, both channels, p99', value: ms(interval, 99), unit: 'ms', goal: '<= 50' },
  { name: 'interval, both channels, longest', value: interval.maxValue / 1_000, unit: 'ms' },
  { name: 'late seal of one channel, p50', value: ms(late, 50), unit: 'ms' },
  { name: 'taking in the sums of an interval, p50', value: ms(absorbing, 50), unit: 'ms' },
  { name: 'state rows of an interval, p50', value: ms(rows, 50), unit: 'ms' },
  { name: 'state rows of an interval, p99', value: ms(rows, 99), unit: 'ms' },
  {
    name: 'clip state of a million homes, two days, and the sums',
    value: (million.bytes + sumsBytes) / mebi,
    unit: 'MiB',
    goal: '<= 64',
  },
  { name: 'of it the clip', value: million.bytes / mebi, unit: 'MiB' },
  { name: 'of it sums, released values and filters', value: sumsBytes / mebi, unit: 'MiB' },
  { name: 'clip state, per reading, of 20,000 homes', value: small.microseconds, unit: 'us' },
  { name: 'clip state, per reading, of 1,000,000 homes', value: million.microseconds, unit: 'us' },
  { name: 'bytes of a record in its seal', value: bytes / records, unit: 'B' },
  { name: 'ledger links', value: links, unit: 'links' },
])
