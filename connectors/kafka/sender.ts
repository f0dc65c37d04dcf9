import { setTimeout as pause } from 'node:timers/promises'
import type { Kafka, Message, Producer, ProducerBatch, RecordMetadata } from 'kafkajs'
import type { OutgoingRecord } from '../contract.ts'
import { compressionTypes } from './client.ts'
import { type Failure, failureOf, isRetriable } from './errors.ts'
import type { Settings } from './options.ts'
import { DeadlineError, goodbye, now, retrying, within } from './retry.ts'
import { cutIntoSends, type Send } from './sends.ts'

/** Sends that would go to several brokers at once; nothing was sent. */
class SpansBrokers extends Error {
  override readonly name = 'SpansBrokers'
  /** kafkajs must not try again by itself. */
  readonly retriable = false
}

/**
 * A producer has not heard of a partition that the directory knows: one that was added. By this type kafkajs asks for the
 * topic anew before it gives up; it drops records of partitions that it has not heard of. Nothing was sent.
 */
class PartitionUnheardOf extends Error {
  override readonly name = 'PartitionUnheardOf'
  readonly type = 'UNKNOWN_TOPIC_OR_PARTITION'
  readonly code = 3
  readonly retriable = false
}

interface PartitionerArguments {
  readonly topic: string
  readonly partitionMetadata: readonly { readonly partitionId: number; readonly leader: number }[]
  readonly message: Message
}

/** A producer whose sends kafkajs never repeats by itself. */
export interface SendingProducer {
  readonly producer: Producer
  /** Sends records in order, over `sendBatch`, and again where `again` says so. All of them, or it throws. */
  readonly sendAll: (
    sendBatch: (batch: ProducerBatch) => Promise<RecordMetadata[]>,
    records: readonly OutgoingRecord[],
    again: (failure: Failure) => boolean,
  ) => Promise<void>
}

/**
 * kafkajs gives every batch of a send its next sequence number, and takes the numbers of one request back if it fails. A
 * send that reaches two brokers, of which one fails, would be repeated under new numbers at the other if leaders moved in
 * between: records twice in one transaction. So a send goes to one broker at a time, and the repetition is ours, under the
 * same numbers, by which the broker knows it.
 */
export function createSendingProducer(
  kafka: Kafka,
  settings: Settings,
  transactional?: { readonly transactionalId: string; readonly timeoutMs: number },
): SendingProducer {
  let leader: number | undefined
  const leadersOf = new WeakMap<object, ReadonlyMap<number, number>>()
  const partitioner = ({ topic, partitionMetadata, message }: PartitionerArguments): number => {
    let leaders = leadersOf.get(partitionMetadata)
    if (leaders === undefined) {
      leaders = new Map(partitionMetadata.map((each) => [each.partitionId, each.leader]))
      leadersOf.set(partitionMetadata, leaders)
    }
    const partition = message.partition!
    const found = leaders.get(partition)
    if (found === undefined) throw new PartitionUnheardOf(`there is no partition ${topic}[${partition}]`)
    leader ??= found
    if (leader !== found) throw new SpansBrokers('a send for several brokers')
    return partition
  }
  const producer = kafka.producer({
    idempotent: true,
    allowAutoTopicCreation: false,
    createPartitioner: () => partitioner,
    // An idempotent producer refuses 0 retries. No number of retries is smaller than this one.
    retry: { retries: Number.NaN },
    ...(transactional && {
      transactionalId: transactional.transactionalId,
      transactionTimeout: transactional.timeoutMs,
    }),
  })

  const sendOnce = async (
    sendBatch: (batch: ProducerBatch) => Promise<RecordMetadata[]>,
    send: Send,
    again: (failure: Failure) => boolean,
    until: number,
  ): Promise<void> => {
    for (let wait = 2; ; wait = Math.min(wait * 2, 50)) {
      leader = undefined
      try {
        const topicMessages = send.map(({ topic, batches }) => ({ topic, messages: grouped(batches) }))
        const compression = compressionTypes[settings.compression]
        await within(Math.max(1, until - now()), sendBatch({ acks: -1, compression, topicMessages }))
        return
      } catch (error) {
        if (error instanceof SpansBrokers) {
          for (const part of byPartition(send)) await sendOnce(sendBatch, part, again, until)
          return
        }
        if (!again(failureOf(error)) || now() + wait >= until) throw error
      }
      await pause(wait)
    }
  }

  return {
    producer,
    sendAll: async (sendBatch, records, again) => {
      const until = now() + settings.deadlineMs
      for (const send of cutIntoSends(records)) await sendOnce(sendBatch, send, again, until)
    },
  }
}

/**
 * A producer for which `prepare` has settled well, made anew for each try. One that is not ready by the deadline is given
 * up: it is disconnected then, and once more where the brokers answer it late, since kafkajs connects it all the same. Such
 * a producer would take its transactional id back from the owner that came after, so `prepare` has `wanted` throw for one
 * that was given up after every answer that it awaits.
 */
export async function readyProducer(
  settings: Settings,
  make: () => SendingProducer,
  prepare: (fresh: Producer, wanted: () => void) => Promise<void>,
): Promise<SendingProducer> {
  let current: SendingProducer | undefined
  let givenUp = false
  const wanted = () => {
    if (givenUp) throw new DeadlineError('answered after the deadline')
  }
  try {
    return await retrying(settings.deadlineMs, isRetriable, async () => {
      const fresh = make()
      current = fresh
      try {
        await prepare(fresh.producer, wanted)
        wanted()
        return fresh
      } catch (error) {
        void goodbye(fresh.producer)
        throw error
      }
    })
  } catch (error) {
    givenUp = true
    if (current !== undefined) void goodbye(current.producer)
    throw error
  }
}

/** One send for each partition. */
const byPartition = (send: Send): Send[] =>
  send.flatMap(({ topic, batches }) => batches.map((batch) => [{ topic, batches: [batch] }]))

/**
 * Messages that answer at once when kafkajs reduces them to groups by partition: it would copy the group so far for every
 * message, a third of the work of a transaction. The partitioner is asked once for each group.
 */
function grouped(batches: readonly Message[][]): Message[] {
  const reduce = (step: (into: object, message: Message) => object, into: Record<number, Message[]>) => {
    for (const batch of batches) {
      const [first] = batch
      if (first?.partition === undefined) continue
      step(into, first)
      into[first.partition] = batch
    }
    return into
  }
  return Object.defineProperty(batches.flat(), 'reduce', { value: reduce })
}
