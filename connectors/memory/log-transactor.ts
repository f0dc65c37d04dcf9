import { LogError, type Transactor } from '../contract.ts'
import { type Broker, offsetKey, type Producer } from './log-broker.ts'
import type { Transaction } from './log-partition.ts'
import { appendStep, endStep } from './log-steps.ts'

/** Fences the older owner of `transactionalId`, aborts what it left open, and makes the new one. */
export async function openTransactor(broker: Broker, transactionalId: string, timeoutMs: number): Promise<Transactor> {
  broker.requireOpen()
  const producer = broker.producers.get(transactionalId) ?? { id: transactionalId, epoch: -1, transaction: null }
  broker.producers.set(transactionalId, producer)
  producer.epoch += 1
  const epoch = producer.epoch
  await abortLeftover(broker, producer)
  if (producer.epoch !== epoch) throw fenced(transactionalId)
  return transactorOf(broker, producer, epoch, timeoutMs)
}

/** Aborts every open transaction whose time is over, and fences its owner. Answers the earliest deadline left. */
export async function expireTransactions(broker: Broker): Promise<number> {
  let earliest = Number.POSITIVE_INFINITY
  const now = broker.clock.now()
  for (const producer of broker.producers.values()) {
    const deadline = producer.transaction?.deadline ?? Number.POSITIVE_INFINITY
    if (deadline <= now) await expire(broker, producer)
    else earliest = Math.min(earliest, deadline)
  }
  return earliest
}

async function expire(broker: Broker, producer: Producer): Promise<void> {
  producer.epoch += 1
  await abortLeftover(broker, producer)
}

async function abortLeftover(broker: Broker, producer: Producer): Promise<void> {
  const left = producer.transaction
  if (left === null) return
  await broker.submit(endStep(broker, producer, 'aborted', () => (left.state === 'open' ? left : undefined)))
}

function transactorOf(broker: Broker, producer: Producer, epoch: number, timeoutMs: number): Transactor {
  let transaction: Transaction | null = null
  let closed = false

  const requireOwner = () => {
    if (closed) throw new LogError('closed', `the transactor ${producer.id} is closed`)
    if (producer.epoch !== epoch) throw fenced(producer.id)
  }
  const requireLive = async () => {
    broker.requireOpen()
    requireOwner()
    if (transaction !== null && transaction.deadline <= broker.clock.now()) await expire(broker, producer)
    requireOwner()
  }
  const current = (): Transaction => {
    requireOwner()
    if (transaction === null || transaction.state !== 'open') {
      throw new LogError('transaction_state', `the transactor ${producer.id} has no open transaction: call begin first`)
    }
    return transaction
  }
  // As on Kafka, a transaction lives from its first record or offset on, not from begin.
  const started = (): Transaction => {
    const open = current()
    open.deadline = Math.min(open.deadline, broker.clock.now() + timeoutMs)
    return open
  }
  const end = async (outcome: 'committed' | 'aborted') => {
    await requireLive()
    await broker.submit(endStep(broker, producer, outcome, current))
    transaction = null
  }

  return {
    begin: async () => {
      await requireLive()
      if (transaction !== null) {
        throw new LogError('transaction_state', `the transactor ${producer.id} has a transaction open already`)
      }
      transaction = broker.begin(producer)
    },
    sendOffsets: async (group, topic, partition, next) => {
      await requireLive()
      broker.partition(topic, partition)
      started().offsets.set(offsetKey(group, topic, partition), Number(next))
    },
    send: async (records) => {
      await requireLive()
      await broker.submit(appendStep(broker, records, records.length > 0 ? started : current))
    },
    commit: () => end('committed'),
    abort: () => end('aborted'),
    close: async () => {
      closed = true
    },
  }
}

function fenced(transactionalId: string): LogError {
  return new LogError(
    'fenced',
    `another owner opened ${transactionalId}, or its transaction timed out: throw this transactor away`,
  )
}
