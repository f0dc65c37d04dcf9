import type { Kafka } from 'kafkajs'
import type { OutgoingRecord } from '../contract.ts'
import type { Directory } from './directory.ts'
import { isRetriable, toLogError } from './errors.ts'
import type { Settings } from './options.ts'
import { goodbye } from './retry.ts'
import { createSendingProducer, readyProducer, type SendingProducer } from './sender.ts'
import { requirePartitions } from './transactor.ts'

export interface Appender {
  readonly append: (records: readonly OutgoingRecord[]) => Promise<void>
  readonly close: () => Promise<void>
}

/**
 * Appends outside transactions, each record once: an unanswered send is repeated under the same sequence numbers. One call
 * at a time, because kafkajs takes numbers back when a send fails, and another send would get them meanwhile: the broker
 * would take it for the repetition, and drop it.
 */
export function createAppender(kafka: Kafka, directory: Directory, settings: Settings): Appender {
  let last: Promise<void> = Promise.resolve()
  let current: SendingProducer | undefined

  const connected = async (): Promise<SendingProducer> => {
    if (current !== undefined) return current
    const make = () => createSendingProducer(kafka, settings)
    current = await readyProducer(settings, make, (fresh) => fresh.connect())
    return current
  }
  const send = async (records: readonly OutgoingRecord[]): Promise<void> => {
    let sent = false
    try {
      await requirePartitions(directory, records)
      const { producer, sendAll } = await connected()
      sent = true
      await sendAll((batch) => producer.sendBatch(batch), records, isRetriable)
    } catch (error) {
      const known = toLogError(error, 'append', sent ? 'unknown_outcome' : 'retriable')
      // A repetition may still be under way in it: its numbers must not meet those of later sends.
      if (known.code === 'unknown_outcome') discard()
      throw known
    }
  }
  const discard = () => {
    const old = current
    current = undefined
    void old?.producer.disconnect().catch(() => {})
  }

  return {
    append: (records) => {
      const turn = last.then(() => send(records))
      last = turn.catch(() => {})
      return turn
    },
    close: async () => {
      const old = current
      current = undefined
      if (old !== undefined) await goodbye(old.producer)
    },
  }
}
