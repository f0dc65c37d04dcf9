import type { Kafka, Transaction } from 'kafkajs'
import { LogError, type OutgoingRecord, type Transactor } from '../contract.ts'
import type { Directory } from './directory.ts'
import { isAnsweredRetriable, toLogError } from './errors.ts'
import type { Settings } from './options.ts'
import { goodbye, retrying, within } from './retry.ts'
import { createSendingProducer, readyProducer, type SendingProducer } from './sender.ts'

/**
 * Makes the newest owner of a transactional id. Connecting alone fences nobody: only beginning a transaction asks the
 * coordinator for a new epoch, which settles what the old owner left open. Ending it at once sends nothing.
 */
export async function openTransactor(
  kafka: Kafka,
  directory: Directory,
  settings: Settings,
  transactionalId: string,
  timeoutMs: number,
): Promise<Transactor> {
  const what = `opening ${transactionalId}`
  try {
    const make = () => createSendingProducer(kafka, settings, { transactionalId, timeoutMs })
    const sending = await readyProducer(settings, make, async (fresh, wanted) => {
      await fresh.connect()
      wanted()
      const first = await directory.clarified({ transactionalId }, () => fresh.transaction())
      wanted()
      await first.abort()
    })
    return transactorOf(sending, directory, settings, transactionalId)
  } catch (error) {
    throw toLogError(error, what, 'retriable')
  }
}

function transactorOf(
  sending: SendingProducer,
  directory: Directory,
  settings: Settings,
  transactionalId: string,
): Transactor {
  let transaction: Transaction | undefined
  /** A broker refused records for good: what is left is to abort. */
  let refused = false
  let dead: LogError | undefined

  const die = (error: LogError): LogError => {
    if (dead === undefined) {
      dead = error
      transaction = undefined
      void goodbye(sending.producer)
    }
    return dead
  }
  const requireAlive = () => {
    if (dead !== undefined) throw dead
  }
  const current = (): Transaction => {
    requireAlive()
    if (transaction !== undefined) return transaction
    throw new LogError('transaction_state', `the transactor ${transactionalId} has no open transaction: begin one`)
  }
  const usable = (): Transaction => {
    const open = current()
    if (!refused) return open
    throw new LogError('transaction_state', `a broker refused records of ${transactionalId}: abort the transaction`)
  }

  /**
   * Ends the transaction. It is asked once: after an answer that does not come, or that is an error, kafkajs cannot go on,
   * and whether the transaction counts is for the next owner's coordinator to say.
   */
  const end = async (outcome: 'commit' | 'abort', open: Transaction): Promise<void> => {
    try {
      await within(settings.deadlineMs, open[outcome]())
      transaction = undefined
      refused = false
    } catch (error) {
      throw die(toLogError(error, `${outcome} of ${transactionalId}`, 'unknown_outcome'))
    }
  }

  return {
    begin: async () => {
      requireAlive()
      if (transaction !== undefined) {
        throw new LogError('transaction_state', `the transactor ${transactionalId} has a transaction open already`)
      }
      try {
        transaction = await within(settings.deadlineMs, sending.producer.transaction())
      } catch (error) {
        throw die(toLogError(error, `begin of ${transactionalId}`, 'unknown_outcome'))
      }
    },
    sendOffsets: async (group, topic, partition, next) => {
      const open = usable()
      await directory.requirePartition(topic, partition)
      const offsets = {
        consumerGroupId: group,
        topics: [{ topic, partitions: [{ partition, offset: next.toString() }] }],
      }
      try {
        // Right after a commit its markers are still being written: the broker answers 51 to every second first request.
        await retrying(settings.deadlineMs, isAnsweredRetriable, () =>
          directory.clarified({ transactionalId, group }, () => open.sendOffsets(offsets)),
        )
      } catch (error) {
        throw die(toLogError(error, `offsets of ${transactionalId}`, 'unknown_outcome'))
      }
    },
    send: async (records: readonly OutgoingRecord[]) => {
      const open = usable()
      await requirePartitions(directory, records)
      try {
        await sending.sendAll((batch) => open.sendBatch(batch), records, isAnsweredRetriable)
      } catch (error) {
        const known = toLogError(error, `send of ${transactionalId}`, 'unknown_outcome')
        if (known.code === 'fenced' || known.code === 'unknown_outcome') throw die(known)
        refused = !(error instanceof LogError)
        throw known
      }
    },
    commit: async () => {
      await end('commit', usable())
    },
    abort: async () => {
      await end('abort', current())
    },
    close: async () => {
      if (dead === undefined) await goodbye(sending.producer)
      transaction = undefined
      dead = new LogError('closed', `the transactor ${transactionalId} is closed`)
    },
  }
}

/** Refuses a send as a whole before any of it leaves, if one of its partitions does not exist. */
export async function requirePartitions(directory: Directory, records: readonly OutgoingRecord[]): Promise<void> {
  let topic = ''
  let partition = -1
  for (const record of records) {
    if (record.topic === topic && record.partition === partition) continue
    topic = record.topic
    partition = record.partition
    await directory.requirePartition(topic, partition)
  }
}
