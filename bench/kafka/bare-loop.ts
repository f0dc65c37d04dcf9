import { kafkaLog } from '../../connectors/kafka/index.ts'

export interface BareLoopOptions {
  readonly brokers: readonly string[]
  readonly prefix: string
  readonly partitions: number
  readonly records: number
  /** Bytes of a record's value. */
  readonly bytes: number
}

const batch = 2_000

/**
 * The client without any work between: for each partition at the same time consume, send offsets, send as many records,
 * commit. Answers records per second of wall time, and microseconds of this process's processor time per record.
 */
export async function bareLoop({ brokers, prefix, partitions, records, bytes }: BareLoopOptions) {
  const log = kafkaLog({ brokers })
  const [source, sink] = [`${prefix}-bare-in`, `${prefix}-bare-out`] as const
  const plain = { partitions, timestamps: 'append', cleanup: 'delete', retentionMs: null } as const
  await log.createTopics([
    { ...plain, name: source },
    { ...plain, name: sink },
  ])
  const share = Math.floor(records / partitions)
  const value = new Uint8Array(bytes).fill(7)
  for (let partition = 0; partition < partitions; partition++) {
    for (let sent = 0; sent < share; sent += batch) {
      const count = Math.min(batch, share - sent)
      await log.append(Array.from({ length: count }, () => ({ topic: source, partition, key: null, value })))
    }
  }
  const loop = async (partition: number) => {
    const transactor = await log.open(`${prefix}-bare-${partition}`, { timeoutMs: 15_000 })
    const reader = await log.read(source, partition, 0n, 'read_committed')
    for (let done = 0; done < share; ) {
      const fetched = await reader.poll({ maxRecords: batch, maxBytes: 4_000_000, waitMs: 250 })
      if (fetched.records.length === 0) continue
      await transactor.begin()
      await transactor.sendOffsets(prefix, source, partition, fetched.next)
      await transactor.send(fetched.records.map((one) => ({ topic: sink, partition, key: null, value: one.value })))
      await transactor.commit()
      done += fetched.records.length
    }
    await reader.close()
    await transactor.close()
  }
  const cpu = process.cpuUsage()
  const began = performance.now()
  await Promise.all(Array.from({ length: partitions }, (_, partition) => loop(partition)))
  const seconds = (performance.now() - began) / 1_000
  const used = process.cpuUsage(cpu)
  await log.close()
  const total = share * partitions
  return { perSecond: total / seconds, cpuMicroseconds: (used.user + used.system) / total }
}
