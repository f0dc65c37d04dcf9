import type { Log, LogRecord, OutgoingRecord } from '../../../connectors/contract.ts'
import { memorySchemaRegistry, memoryStateView } from '../../../connectors/memory/index.ts'
import { logOver } from '../../../connectors/memory/log.ts'
import { type Broker, createBroker, emptyState } from '../../../connectors/memory/log-broker.ts'
import { emptyPartition, type Partition, type Transaction } from '../../../connectors/memory/log-partition.ts'
import { type VirtualClock, virtualClock } from '../../../operators/contract/clock.ts'
import { emptyHead, headOf } from '../../../operators/privacy/ledger/chain.ts'
import { type HeadPin, reachesPin, requirePinned } from '../../../operators/privacy/ledger/pin.ts'
import type { LedgerPin } from '../../../pipelines/load.ts'
import type { Ports } from '../../../pipelines/runtime/index.ts'
import type { AnyTopic } from '../../../pipelines/runtime/stream.ts'
import { openWire, type Wire } from '../../../pipelines/runtime/wire.ts'
import type { LedgerRecord } from '../../../schemas/ledger-record.ts'
import { topicSpecs, topics } from '../../../schemas/topics.ts'
import { berlin, domain } from '../../helpers/release-fixtures.ts'

/** A public copy as a read_uncommitted reader of load.public saw it. */
export interface Copy {
  readonly key: string
  readonly bytes: Uint8Array
  readonly timestamp: number
}

/** Everything that was ever seen, whatever became of the log since. */
export interface Witnessed {
  /** Links by hexadecimal hash, of ledgers that were lost too. */
  readonly committed: Map<string, LedgerRecord>
  readonly copies: Copy[]
}

/** The content of some topics at one moment. */
export type Snapshot = ReadonlyMap<string, readonly Partition[]>

/** A log, a clock and a pin, of which parts can be set back. */
export interface Stage {
  readonly clock: VirtualClock
  readonly wire: Wire
  readonly witnessed: Witnessed
  readonly pin: LedgerPin & { head: HeadPin | undefined }
  readonly ports: () => Ports
  readonly snapshot: () => Snapshot
  /** Replaces these topics by what the snapshot holds of them. Whoever ran must be gone: older ports lead nowhere. */
  readonly restore: (snapshot: Snapshot, names: readonly string[]) => void
  readonly empty: (name: string) => void
  /** Sets the group's offset of a pipeline to anything, or forgets it. */
  readonly moveOffset: (choose: (offset: number | undefined) => number | undefined) => void
  readonly ledger: () => readonly LedgerRecord[]
  /** Committed records of a topic of one partition. */
  readonly committed: (topic: { readonly name: string }) => readonly LogRecord[]
  readonly append: (records: readonly OutgoingRecord[]) => Promise<void>
  readonly compact: () => Promise<void>
}

export const stageStart = berlin('2026-01-15T00:00')

export async function openStage(): Promise<Stage> {
  const clock = virtualClock(stageStart)
  const registry = memorySchemaRegistry()
  const wire = await openWire(registry, Object.values(topics))
  const witnessed: Witnessed = { committed: new Map(), copies: [] }
  let broker = createBroker(clock, emptyState())
  let log = logOver(broker, {})
  const links = new WeakMap<LogRecord, LedgerRecord>()
  const linkOf = (record: LogRecord): LedgerRecord => {
    const link = links.get(record) ?? (wire.decode(topics.releaseLedger as AnyTopic, record.value!) as LedgerRecord)
    links.set(record, link)
    return link
  }
  await log.createTopics(topicSpecs(1))
  const replace = (content: Snapshot, names: readonly string[]): void => {
    const state = emptyState()
    for (const [name, partitions] of copyOf(broker.topics)) state.topics.set(name, partitions)
    for (const name of names) state.topics.set(name, copyOf(content).get(name)!)
    for (const [key, offset] of broker.committed) state.committed.set(key, offset)
    broker = createBroker(clock, state)
    log = logOver(broker, {})
  }
  return {
    clock,
    wire,
    witnessed,
    pin: memoryPin(),
    ports: () => ({
      log: watched(log, wire, witnessed),
      view: memoryStateView(),
      registry,
      clock,
      seal: (bytes) => bytes,
    }),
    snapshot: () => copyOf(broker.topics),
    restore: replace,
    empty: (name) => {
      const emptied = broker.topics.get(name)!.map(({ topic, index }) => emptyPartition(topic, index))
      replace(new Map([[name, emptied]]), [name])
    },
    moveOffset: (choose) => {
      for (const [key, offset] of [...broker.committed]) {
        const next = choose(offset)
        if (next === undefined) broker.committed.delete(key)
        else broker.committed.set(key, next)
      }
    },
    ledger: () => {
      const present = committedIn(broker, topics.releaseLedger.name)
      return present.map((record) => linkOf(record))
    },
    committed: ({ name }) => committedIn(broker, name),
    append: (records) => log.append(records),
    compact: () => log.compact(topics.loadState.name),
  }
}

function committedIn(broker: Broker, name: string): readonly LogRecord[] {
  const { records, owners } = broker.partition(name, 0)
  return records.filter((_, i) => owners[i] === null || owners[i]?.state === 'committed')
}

/** As a backup holds them: what was open counts as aborted. */
function copyOf(content: Snapshot): Map<string, readonly Partition[]> {
  const owner = (transaction: Transaction | null): Transaction | null =>
    transaction === null || transaction.state === 'committed' ? null : { ...transaction, state: 'aborted' }
  const copy = (partition: Partition): Partition => ({
    ...emptyPartition(partition.topic, partition.index),
    records: [...partition.records],
    owners: partition.owners.map(owner),
    first: partition.first,
    end: partition.end,
    reserved: partition.end,
  })
  return new Map([...content].map(([name, partitions]) => [name, partitions.map(copy)]))
}

/** Sees what reaches the log, below all faults. */
function watched(log: Log, wire: Wire, { committed, copies }: Witnessed): Log {
  return {
    ...log,
    open: async (id, options) => {
      const inner = await log.open(id, options)
      let links: LedgerRecord[] = []
      return {
        ...inner,
        begin: async () => {
          await inner.begin()
          links = []
        },
        send: async (records) => {
          await inner.send(records)
          for (const { topic, key, value, timestamp } of records) {
            if (topic === topics.releaseLedger.name)
              links.push(wire.decode(topics.releaseLedger as AnyTopic, value!) as LedgerRecord)
            if (topic === topics.loadPublic.name) {
              copies.push({ key: Buffer.from(key!).toString(), bytes: value!, timestamp: timestamp ?? Number.NaN })
            }
          }
        },
        commit: async () => {
          await inner.commit()
          for (const link of links) committed.set(hashOf(link), link)
        },
      }
    },
  }
}

export const hashOf = ({ hash }: Pick<LedgerRecord, 'hash'>): string => Buffer.from(hash).toString('hex')

/** The pin as the command keeps it in a file, held in memory. */
function memoryPin(): Stage['pin'] {
  const pin: Stage['pin'] = {
    head: undefined,
    unproven: () => pin.head?.unproven,
    reaches: (link) => reachesPin(link, pin.head ?? emptyHead),
    check: async (history) => {
      const links = history as readonly LedgerRecord[]
      if (pin.head) requirePinned(pin.head, links)
      const last = links.at(-1)
      move(last ? headOf(last) : emptyHead)
    },
    committed: async (value) => move(headOf(value as LedgerRecord)),
  }
  const move = (head: { readonly seq: number; readonly hash: Uint8Array }): void => {
    if (pin.head && pin.head.seq >= head.seq) return
    pin.head = { ...pin.head, domain: domain.name, ...head }
  }
  return pin
}
