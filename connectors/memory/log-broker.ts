import { setMaxListeners } from 'node:events'
import type { Clock } from '../../operators/contract/clock.ts'
import { LogError } from '../contract.ts'
import type { Content, Partition, Transaction } from './log-partition.ts'
import type { Change, Step } from './log-steps.ts'

/** The newest owner of a transactional id. */
export interface Producer {
  readonly id: string
  epoch: number
  transaction: Transaction | null
}

/** Keeps changes on a disk. The broker calls one method at a time. */
export interface Journal {
  /** Writes changes that count together or not at all; a rejection means that none of them counts. */
  readonly write: (changes: readonly Change[]) => Promise<void>
  /** Replaces all that the files of a partition hold. */
  readonly rewrite: (partition: Partition, content: Content) => Promise<void>
  /** Makes `first` the first offset of a partition and drops files that lie below it. */
  readonly truncate: (partition: Partition, first: number) => Promise<void>
  readonly close: () => Promise<void>
}

/** What the parts of the in-process log share. */
export interface Broker {
  readonly clock: Clock
  readonly topics: Map<string, readonly Partition[]>
  readonly producers: Map<string, Producer>
  /** Committed offsets by `offsetKey`. */
  readonly committed: Map<string, number>
  readonly begun: Set<number>
  /** Called after every end of a transaction, and once the log closes. */
  readonly endWaiters: Set<() => void>
  /** Aborts, once the log closes, what waits in it. */
  readonly closing: AbortController
  readonly partition: (topic: string, index: number) => Partition
  readonly begin: (producer: Producer) => Transaction
  /** Does a step; resolves once it is on disk, where there is one, and visible. */
  readonly submit: (step: Step) => Promise<void>
  /**
   * Changes a partition outside of steps, while nothing is being written: what `prepare` answers is written first and
   * then applied; undefined means that there is nothing to do.
   */
  readonly rework: <T>(rework: {
    readonly prepare: () => T | undefined
    readonly write: (journal: Journal, prepared: T) => Promise<void>
    readonly apply: (prepared: T) => void
  }) => Promise<void>
  readonly requireOpen: () => void
  readonly close: () => Promise<void>
}

/** The committed offset of a key, once no transaction that holds another is undecided. */
export async function stableOffset(broker: Broker, key: string): Promise<number | undefined> {
  const undecided = () => [...broker.producers.values()].some(({ transaction }) => transaction?.offsets.has(key))
  if (!undecided()) return broker.committed.get(key)
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>()
  const look = () => {
    if (broker.closing.signal.aborted) reject(new LogError('closed', 'the log is closed'))
    else if (undecided()) return
    else resolve(broker.committed.get(key))
    broker.endWaiters.delete(look)
  }
  broker.endWaiters.add(look)
  return promise
}

/** Reason of aborts that only end a wait. The default one is an error with a stack, which takes longer than most waits. */
export const waitOver = 'the wait is over'

export function offsetKey(group: string, topic: string, partition: number): string {
  return `${group}\u0000${topic}\u0000${partition}`
}

/** What a broker keeps; a new one begins with nothing. */
export interface BrokerState {
  readonly topics: Map<string, readonly Partition[]>
  readonly committed: Map<string, number>
  /** Number of the newest transaction. */
  lastTransaction: number
  /** Numbers of transactions that began and have not ended. */
  readonly begun: Set<number>
}

export const emptyState = (): BrokerState => ({
  topics: new Map(),
  committed: new Map(),
  lastTransaction: 0,
  begun: new Set(),
})

/** A broker, in memory only or over a journal. */
export function createBroker(clock: Clock, state: BrokerState, journal?: Journal): Broker {
  const closing = new AbortController()
  setMaxListeners(0, closing.signal)
  const requireOpen = () => {
    if (closing.signal.aborted) throw new LogError('closed', 'the log is closed')
  }
  const endWaiters = new Set<() => void>()
  const queue = journal === undefined ? undefined : writeQueue(journal)
  return {
    clock,
    topics: state.topics,
    committed: state.committed,
    begun: state.begun,
    endWaiters,
    producers: new Map(),
    closing,
    partition: (topic, index) => {
      const found = state.topics.get(topic)?.[index]
      if (found === undefined) throw new LogError('topic_unknown', `there is no partition ${topic}[${index}]`)
      return found
    },
    begin: (producer) => {
      state.lastTransaction += 1
      state.begun.add(state.lastTransaction)
      const transaction: Transaction = {
        id: state.lastTransaction,
        transactionalId: producer.id,
        state: 'open',
        deadline: Number.POSITIVE_INFINITY,
        partitions: new Set(),
        offsets: new Map(),
      }
      producer.transaction = transaction
      return transaction
    },
    submit: async (step) => {
      requireOpen()
      if (queue !== undefined) return queue.submit(step)
      step.stage()
      step.publish()
    },
    rework: async ({ prepare, write, apply }) => {
      requireOpen()
      const act = async () => {
        const prepared = prepare()
        if (prepared === undefined) return
        if (journal !== undefined) await write(journal, prepared)
        apply(prepared)
      }
      await (queue === undefined ? act() : queue.alone(act))
    },
    requireOpen,
    close: async () => {
      closing.abort(waitOver)
      for (const look of endWaiters) look()
      await queue?.drain()
      await journal?.close()
    },
  }
}

interface WriteQueue {
  readonly submit: (step: Step) => Promise<void>
  readonly alone: (act: () => Promise<void>) => Promise<void>
  readonly drain: () => Promise<void>
}

interface Waiting {
  readonly work: Step | (() => Promise<void>)
  readonly done: PromiseWithResolvers<void>
}

/** Writes whatever has come in meanwhile as one group, so that callers at the same time share a sync of the disk. */
function writeQueue(journal: Journal): WriteQueue {
  let waiting: Waiting[] = []
  let pumping: Promise<void> | undefined

  const writeGroup = async (group: readonly Waiting[]) => {
    const changes: Change[] = []
    const staged: { readonly step: Step; readonly done: PromiseWithResolvers<void> }[] = []
    for (const { work, done } of group) {
      if (typeof work === 'function') continue
      try {
        const change = work.stage()
        if (change !== undefined) changes.push(change)
        staged.push({ step: work, done })
      } catch (error) {
        done.reject(error)
      }
    }
    try {
      if (changes.length > 0) await journal.write(changes)
    } catch (error) {
      for (const { step } of staged.toReversed()) step.undo()
      for (const { done } of staged) done.reject(error)
      return
    }
    for (const { step, done } of staged) {
      step.publish()
      done.resolve()
    }
  }

  const pump = async () => {
    while (waiting.length > 0) {
      const first = waiting[0]!
      if (typeof first.work === 'function') {
        waiting = waiting.slice(1)
        await first.work().then(first.done.resolve, first.done.reject)
        continue
      }
      const until = waiting.findIndex(({ work }) => typeof work === 'function')
      const group = until < 0 ? waiting : waiting.slice(0, until)
      waiting = until < 0 ? [] : waiting.slice(until)
      await writeGroup(group)
    }
    pumping = undefined
  }

  const put = (work: Waiting['work']): Promise<void> => {
    const done = Promise.withResolvers<void>()
    waiting.push({ work, done })
    // Starting in the next microtask lets calls of the same turn share the first group too.
    pumping ??= Promise.resolve().then(pump)
    return done.promise
  }
  return {
    submit: put,
    alone: put,
    drain: async () => {
      while (pumping !== undefined) await pumping
    },
  }
}
