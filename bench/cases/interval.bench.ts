// What one release interval costs: 1,111 groups at four levels, both channels, from the sums to the sealed records that only
// wait for their commit: noise, least squares, smoothing, restricted rules, encoding, compression and the chain. Several days
// in a row, so that filters are settled and late seals come too. Then a restart: from rows and ledger links to the first
// interval that is sealed again. In processor time of this process, so that other work on the machine does not count.
import { createSecretKey } from 'node:crypto'
import { build } from 'hdr-histogram-js'
import { memoryStateView } from '../../connectors/memory/index.ts'
import { hours, minutes } from '../../operators/contract/clock.ts'
import type { BatchContext, Envelope, StateRow } from '../../operators/contract/operator.ts'
import type { RegisteredGroup } from '../../operators/contract/register.ts'
import { boundContributions } from '../../operators/privacy/bound-contributions.ts'
import { secureNoise } from '../../operators/privacy/release/noise.ts'
import { defaultPolicy, type ReleasePolicy } from '../../operators/privacy/release/policy.ts'
import { mayBeginAt } from '../../operators/privacy/release/restore.ts'
import { type ReleaseOutput, type ReleaseTotalsOptions, releaseTotals } from '../../operators/privacy/release-totals.ts'
import { localDay } from '../../operators/window/local-day.ts'
import type { LedgerRecord } from '../../schemas/ledger-record.ts'
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
const options: ReleaseTotalsOptions = {
  domain: { name: 'bench', zone: 'de', timeZone, partitions: 1 },
  policy,
  register: { groups: (level) => groups.filter((each) => each.level === level) },
  noise: secureNoise(),
  keyring: { derived: () => key },
  published: topics.loadPublic,
}
const release = releaseTotals(options)

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
const { codec } = topics.releaseLedger
/** Links of the last days as they lie in the topic, and the names of all rows there ever were. */
const tail: { readonly bytes: Uint8Array; readonly isCheckpoint: boolean }[] = []
const rowNames = new Set<string>()
const checkpointsKept = 4

/** Keeps a link for a restart, and drops those that none needs. */
function keep(link: LedgerRecord): void {
  tail.push({ bytes: Uint8Array.from(codec.encode(link)), isCheckpoint: link.kind === 'checkpoint' })
  if (link.kind !== 'checkpoint') return
  const checkpoints = tail.flatMap(({ isCheckpoint }, i) => (isCheckpoint ? [i] : []))
  tail.splice(0, checkpoints.at(-checkpointsKept) ?? 0)
}

/** Takes in a batch, then seals until nothing is due; answers seals and processor time of each call. */
function step(
  cells: readonly PartialCell[],
  progress: number,
  of: { readonly release: typeof release; readonly state: typeof state } = { release, state },
): { seals: number; ms: number }[] {
  const calls: { seals: number; ms: number }[] = []
  let batch = [envelope({ sourcePartition: 0, seq: ++seq, progress, cells })]
  for (let more = true; more; batch = []) {
    let seals = 0
    const emitted: LedgerRecord[] = []
    const out = {
      emit: (_: unknown, output: ReleaseOutput) => {
        if (output.to !== 'ledger') return
        links++
        emitted.push(output.record)
        if (output.record.kind !== 'seal') return
        seals++
        records += output.record.count
        bytes += output.record.records.length
      },
      drop: () => {},
      reject: () => {},
    }
    const from = processorMs()
    more = of.release.process(batch, of.state, out, context) === 'more'
    calls.push({ seals, ms: processorMs() - from })
    for (const link of emitted) keep(link)
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
  const changed = release.changed(state)
  const rowsMs = processorMs() - from
  for (const { row } of changed) rowNames.add(row)
  step(cellsOf(window, 'late'), window + minutes(6))
  if (!isMeasured) continue
  record(rows, rowsMs)
  for (const { seals, ms } of [...taking, ...fallen]) if (seals > 2) record(late, ms / seals)
  for (const { seals, ms } of taking) if (seals === 0) record(absorbing, ms)
  for (const { seals, ms } of fallen) if (seals === 2) record(interval, ms)
}
const sumsBytes = liveBytes() - before - tail.reduce((sum, { bytes }) => sum + bytes.length, 0)

/** The filters of a row, told to be four weeks older: how certain they are is then worked out anew over as many weeks. */
function olderByWeeks({ row, body }: StateRow): StateRow {
  if (!row.startsWith('filters ') || body === undefined) return { row, body }
  const held = JSON.parse(Buffer.from(body).toString('utf8')) as {
    readonly through: number
    readonly filters: readonly (readonly [name: string, born: number, belief: string])[]
  }
  const filters = held.filters.map(([name, born, belief]) => [name, born - 4 * 7 * hours(24), belief])
  return { row, body: Buffer.from(JSON.stringify({ ...held, filters }), 'utf8') }
}

/** A new process: decodes the links that it needs, restores, takes in the next interval and makes its first seals. */
function restart() {
  for (const { row } of release.changed(state)) rowNames.add(row)
  for (const row of rowNames) state.dirty.add(row)
  const stored = release.changed(state).filter(({ body }) => body !== undefined)
  const aged = stored.map(olderByWeeks)
  const first = tail.findLastIndex(({ bytes, isCheckpoint }) => isCheckpoint && mayBeginAt(codec.decode(bytes), aged))
  const needed = tail.slice(Math.max(0, first))
  const cells = cellsOf(end, 'preliminary')
  globalThis.gc?.()
  const from = processorMs()
  const again = releaseTotals(options)
  const restored = again.restore(
    aged,
    needed.map(({ bytes }) => codec.decode(bytes)),
  )
  const restoredMs = processorMs() - from
  if (restored.windows.size !== state.windows.size) throw new Error('sums were not restored')
  const of = { release: again, state: restored }
  const calls = [...step(cells, end + 1, of), ...step([], end + minutes(5), of)]
  const firstSealing = calls.findIndex(({ seals }) => seals >= 2)
  if (firstSealing < 0) throw new Error('no interval was sealed after the restart')
  return {
    restoredSeconds: restoredMs / 1_000,
    seconds: (restoredMs + calls.slice(0, firstSealing + 1).reduce((sum, each) => sum + each.ms, 0)) / 1_000,
    links: needed.length,
    bytes: [...aged.map(({ body }) => body!), ...needed.map(({ bytes }) => bytes)].reduce(
      (sum, b) => sum + b.length,
      0,
    ),
  }
}
const restarted = restart()

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
  { name: 'restart: rows and the links behind them', value: restarted.bytes / mebi, unit: 'MiB' },
  { name: 'restart: links', value: restarted.links, unit: 'links' },
  { name: 'restart: state restored, smoothing of four weeks too', value: restarted.restoredSeconds, unit: 's' },
  { name: 'restart: first seals made', value: restarted.seconds, unit: 's', goal: '<= 5' },
])
