import { Redis } from 'ioredis'
import { openCheck, type Verdict, verdictText } from '../../../bench/fleet/checker.ts'
import { fates } from '../../../bench/fleet/journal.ts'
import type { Fate } from '../../../operators/contract/observer.ts'
import type { Published } from '../../../operators/contract/published.ts'
import { kAnonymize } from '../../../operators/privacy/k-anonymize/index.ts'
import { resolvePolicy } from '../../../operators/privacy/release/policy.ts'
import { countFates, pseudonymsOf } from '../../../pipelines/cli/demo-scenario.ts'
import { batchHeader } from '../../../pipelines/runtime/task.ts'
import type { AcceptedBatch } from '../../../schemas/accepted-batch.ts'
import type { HouseholdReading } from '../../../schemas/household-reading.ts'
import type { LedgerRecord } from '../../../schemas/ledger-record.ts'
import type { LoadPublic } from '../../../schemas/load-public.ts'
import type { RejectedFrame } from '../../../schemas/rejected-frame.ts'
import { topics } from '../../../schemas/topics.ts'
import { checkRelease } from '../../helpers/release-checker.ts'
import { canaryScan, type Scan } from './canaries.ts'
import { openSums, type Sums } from './check-sums.ts'
import type { Stage } from './stage.ts'
import { stream } from './stream.ts'

/** What a stage came to. */
export interface Outcome {
  readonly verdict: Verdict
  /** Whether the counters were checked, too: not where workers were killed, since theirs died with them. */
  readonly counted: boolean
  readonly intervals: number
  readonly frames: number
  readonly batches: number
  readonly refused: number
  readonly seals: number
  /** Copies in load.public that a read_uncommitted reader sees, aborted ones included. */
  readonly published: number
  readonly visibleTwice: number
  readonly forecasts: number
  /** Everything that must not be, in words; empty if all is well. */
  readonly faults: readonly string[]
}

const noFacts = { seconds: 0, operators: new Map(), sent: new Map(), progress: 0 } as const

/** Checks everything that the topics of a stage promise, from the topics and the fleet's own journal alone. */
export async function checkStage(stage: Stage): Promise<Outcome> {
  const { fleet, partitions, crew } = stage
  const faults: string[] = []
  const scan = canaryScan(fleet.entries, stage.options.seed)
  const check = openCheck(fleet.journal, {
    pseudonymOf: pseudonymsOf(fleet.keyring),
    sequenceAt: stage.sequenceAt,
  })
  const told = new Map<string, number>()
  const sums = openSums(stage)
  let batches = 0
  let refused = 0
  for (let partition = 0; partition < partitions; partition++) {
    const last = await checkChain(stage, partition, faults)
    batches += last
    await checkReadings(stage, partition, last, { check, scan, sums, told, faults })
    refused += await checkRefused(stage, partition, check.refused, faults)
  }
  checkAttributes(stage, told, faults)
  // Counters live in the processes and die with them; where none was killed they have to agree with the log.
  const counted = countFates()
  const all = [...crew.fates.values()].reduce((sum, count) => sum + count, 0)
  counted.observer.batch('readings', 0, { ...noFacts, records: all, fates: crew.fates as ReadonlyMap<Fate, number> })
  const verdict = check.verdict(counted.totals())
  const whole = crew.deaths.every(({ how }) => how === 'drained') && !/transaction (?:unknown|fenced)/.test(crew.log())
  if (whole && !verdict.ok) faults.push(`I7: the counters disagree: ${verdictText(verdict).replaceAll('\n', '; ')}`)
  for (const name of ['lost', 'duplicate', 'wrong', 'unexpected', 'misjudged'] as const) {
    const { count, examples } = verdict[name]
    if (count > 0) faults.push(`I1: ${count} intervals ${name}, journal ${examples.join(', ')}`)
  }
  const released = stage.options.pipelines === undefined
  const release = released
    ? await checkReleases(stage, sums, scan, faults)
    : { seals: 0, published: 0, visibleTwice: 0 }
  const forecasts = released ? await checkForecasts(stage, scan, faults) : 0
  await checkRedis(stage, scan, faults)
  const leak = scan(Buffer.from(crew.log(), 'utf8'))
  if (leak) faults.push(`I6: the log of a worker holds ${leak}`)

  return {
    verdict,
    counted: whole,
    intervals: verdict.found,
    frames: fleet.journal.sightings(),
    batches,
    refused,
    ...release,
    forecasts,
    faults: summed(faults),
  }
}

/** I3 to I5: what was sealed, charged and published. */
async function checkReleases(stage: Stage, sums: Sums, scan: Scan, faults: string[]) {
  const { log, wire, policy } = stage
  await sums.partials(faults)
  await sums.restricted(faults, scan)
  const ledger: LedgerRecord[] = []
  for await (const { value } of stream(stage, topics.releaseLedger.name, 0, 'read_committed')) {
    if (value) ledger.push(wire.decode(topics.releaseLedger as never, value) as LedgerRecord)
  }
  const published: Published<LoadPublic>[] = []
  for (let partition = 0; partition < (await log.partitions(topics.loadPublic.name)); partition++) {
    for await (const { key, value, timestamp } of stream(
      stage,
      topics.loadPublic.name,
      partition,
      'read_uncommitted',
    )) {
      const found = scan(value!)
      if (found) faults.push(`I6: load.public holds ${found}`)
      published.push({ key: Buffer.from(key!).toString(), bytes: value!, timestamp })
    }
  }
  const { cap } = resolvePolicy(policy)
  const codec = { decode: (bytes: Uint8Array) => wire.decode(topics.loadPublic as never, bytes) as LoadPublic }
  faults.push(...checkRelease({ ledger, published, codec, cap, digests: sums.digests(ledger) }))
  const seals = ledger.filter((link) => link.kind === 'seal')
  const records = published.map(({ bytes }) => codec.decode(bytes))
  const names = new Set(records.map(({ ledgerSeq }, i) => `${ledgerSeq} ${published[i]!.key}`))
  const due = seals.reduce((sum, { count }) => sum + count, 0)
  if (names.size !== due) faults.push(`I3: ${due} records are sealed, ${names.size} are public`)
  const inTime = seals.filter(({ date }) => sums.dates.includes(date)).length
  if (inTime !== sums.expectedSeals) {
    faults.push(`I3: ${sums.expectedSeals} windows and phases are due, ${inTime} are sealed`)
  }
  for (const name of sums.groupsTooSmall(records)) faults.push(`I5: ${name} is released with too few points`)
  return { seals: seals.length, published: published.length, visibleTwice: published.length - names.size }
}

/** I2: the links are dense, hang together, and cover the input without gap or overlap. Answers the last number. */
async function checkChain(stage: Stage, partition: number, faults: string[]): Promise<number> {
  const { log, wire } = stage
  const topic = topics.meterAccepted
  let last: AcceptedBatch | undefined
  for await (const { value } of stream(stage, topic.name, partition, 'read_committed')) {
    if (!value) continue
    const one = wire.decode(topic as never, value) as AcceptedBatch
    if (one.kind !== 'batch') continue
    const follows = one.seq === (last?.seq ?? 0) + 1 && (!last || Buffer.compare(one.prev, last.hash) === 0)
    if (!follows) faults.push(`I2: link ${one.seq} follows link ${last?.seq ?? 0}`)
    if (last && one.inFrom !== last.inTo) faults.push(`I2: link ${one.seq} does not begin where the one before ended`)
    if (last && (one.floor < last.floor || one.progress < last.progress))
      faults.push('I2: the floor or progress went back')
    last = one
  }
  const { end } = await log.bounds(topics.meterFrames.name, partition, 'read_committed')
  if (last && last.inTo !== end) faults.push(`I8: links end at ${last.inTo}, the input at ${end}`)
  const committed = await log.committed('readings', topics.meterFrames.name, partition)
  if (last && committed !== last.inTo) faults.push(`I2: the group stands at ${committed}, the links at ${last.inTo}`)
  return last?.seq ?? 0
}

interface ReadingTools {
  readonly check: { readonly reading: (reading: HouseholdReading) => void }
  readonly scan: Scan
  readonly sums: Sums
  readonly told: Map<string, number>
  readonly faults: string[]
}

/** I1, I2: the readings themselves, in the order of their batches, each of which is vouched for. */
async function checkReadings(stage: Stage, partition: number, last: number, tools: ReadingTools): Promise<void> {
  const { check, scan, sums, told, faults } = tools
  const topic = topics.householdReadings
  let batch = 0
  for await (const { value, headers } of stream(stage, topic.name, partition, 'read_committed')) {
    const found = scan(value!)
    if (found) faults.push(`I6: household.readings holds ${found}`)
    const seq = Number(headers[batchHeader])
    if (!(seq >= batch)) faults.push(`I2: batch ${seq} comes after batch ${batch}`)
    if (!(seq <= last)) faults.push(`I2: batch ${seq} has no link`)
    batch = seq
    const reading = stage.wire.decode(topic as never, value!) as HouseholdReading
    check.reading(reading)
    sums.reading(reading)
    const attributes = [reading.area, reading.tariff, reading.heating, reading.dwelling].join(' ')
    told.set(attributes, (told.get(attributes) ?? 0) + 1)
  }
}

/** I7: every frame that can only have been refused has one record, under a reason that its fault explains; others have none. */
async function checkRefused(
  stage: Stage,
  partition: number,
  note: (record: RejectedFrame) => void,
  faults: string[],
): Promise<number> {
  const { wire, fleet, sequences } = stage
  const topic = topics.meterRejected
  const seen = new Set<number>()
  for await (const { value } of stream(stage, topic.name, partition, 'read_committed')) {
    const record = wire.decode(topic as never, value!) as RejectedFrame
    note(record)
    if (record.kind !== 'rejected') continue
    if (seen.has(record.offset)) faults.push(`I7: the frame at ${record.offset} is refused twice`)
    seen.add(record.offset)
  }
  sequences[partition]!.forEach((seq, offset) => {
    const { accepted, drops, rejects } = fates[fleet.journal.sighting(seq).fate]
    const must = !accepted && drops.length === 0
    const may = rejects === 'any' || rejects.length > 0
    if (must && !seen.has(offset)) faults.push(`I7: the frame at ${offset} vanished without a record`)
    if (!may && seen.has(offset)) faults.push(`I7: the frame at ${offset} was refused without a reason`)
  })
  return seen.size
}

/** I5 for attributes: each combination that travels is shared by enough registered homes. */
function checkAttributes({ fleet }: Stage, told: ReadonlyMap<string, number>, faults: string[]): void {
  const k = 20
  const shared = new Map<string, Set<string>>()
  const { of } = kAnonymize(fleet.entries, { k })
  for (const entry of fleet.entries) {
    const { area, tariff, heating, dwelling } = of(entry)
    const name = [area, tariff, heating, dwelling].join(' ')
    shared.set(name, (shared.get(name) ?? new Set()).add(entry.connection))
  }
  for (const name of told.keys()) {
    const homes = shared.get(name)?.size ?? 0
    if (homes < Math.min(k, fleet.journal.homes)) faults.push(`I5: ${name} is shared by ${homes} homes only`)
  }
}

/** I6: the view names nobody, neither in its keys nor in what they hold. */
async function checkRedis({ options: { redis, prefix } }: Stage, scan: Scan, faults: string[]): Promise<void> {
  const client = new Redis(redis)
  try {
    for (const key of await client.keysBuffer(`${prefix}*`)) {
      const kind = await client.type(key)
      const held =
        kind === 'string'
          ? [await client.getBuffer(key)]
          : kind === 'hash'
            ? Object.entries(await client.hgetallBuffer(key)).flatMap(([name, value]) => [Buffer.from(name), value])
            : kind === 'zset'
              ? await client.zrangeBuffer(key, '0', '-1')
              : await client.smembersBuffer(key)
      for (const bytes of [key, ...held]) {
        const found = bytes && scan(bytes)
        if (found) faults.push(`I6: Redis holds ${found}`)
      }
    }
  } finally {
    client.disconnect()
  }
}

/** A forecast is made once for each group, channel and newest seal it knows. */
async function checkForecasts(stage: Stage, scan: Scan, faults: string[]): Promise<number> {
  const { log, wire } = stage
  const topic = topics.forecastPublic
  const seen = new Set<string>()
  let count = 0
  for (let partition = 0; partition < (await log.partitions(topic.name)); partition++) {
    for await (const { value } of stream(stage, topic.name, partition, 'read_committed')) {
      const found = scan(value!)
      if (found) faults.push(`I6: forecast.public holds ${found}`)
      const { level, group, channel, start } = topic.codec.decode(value!.subarray(5))
      const name = `${level}/${group} ${channel} ${new Date(start).toISOString()}`
      if (seen.has(name)) faults.push(`I3: ${name} is forecast twice`)
      seen.add(name)
      count++
      wire.decode(topic as never, value!)
    }
  }
  return count
}

/** The first of each kind in full, the others by number. */
function summed(faults: readonly string[]): string[] {
  const groups = Map.groupBy(faults, (fault) => fault.replaceAll(/[\d.T:Z-]+/g, '#'))
  return [...groups.values()].flatMap((all) =>
    all.length > 3 ? [...all.slice(0, 3), `… and ${all.length - 3} more like these`] : all,
  )
}
