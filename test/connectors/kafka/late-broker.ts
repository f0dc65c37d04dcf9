import { setTimeout as pause } from 'node:timers/promises'
import type { Kafka } from 'kafkajs'

/** What a producer asks of brokers before it may send. */
export type Asked = 'connect' | 'transaction' | 'abort'

/**
 * A client whose brokers answer, but after `ms` to one of the calls. As with kafkajs, an answer to `connect` that comes after
 * `disconnect` leaves the producer connected.
 */
export function lateBroker(late: Asked, ms: number) {
  const calls: Asked[] = []
  let made = 0
  const live = new Set<number>()
  const answer = async (call: Asked) => {
    calls.push(call)
    if (call === late) await pause(ms)
  }
  const producer = () => {
    const own = made++
    return {
      connect: async () => {
        await answer('connect')
        live.add(own)
      },
      disconnect: async () => void live.delete(own),
      transaction: async () => {
        await answer('transaction')
        return { abort: () => answer('abort') }
      },
      sendBatch: async () => [],
    }
  }
  return {
    kafka: { producer } as unknown as Kafka,
    calls,
    made: () => made,
    live: () => live.size,
  }
}
