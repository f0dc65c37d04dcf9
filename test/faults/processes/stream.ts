import type { Isolation, LogRecord } from '../../../connectors/contract.ts'
import type { Stage } from './stage.ts'

const chunk = 2_000

/** Reads a topic from its first record to its end, a bounded number of records at a time. */
export async function* stream(
  { log }: Pick<Stage, 'log'>,
  topic: string,
  partition: number,
  isolation: Isolation,
): AsyncGenerator<LogRecord> {
  const { first, end } = await log.bounds(topic, partition, isolation)
  const reader = await log.read(topic, partition, first, isolation)
  try {
    for (let next = first; next < end; ) {
      const fetched = await reader.poll({ maxRecords: chunk, maxBytes: 4_000_000, waitMs: 1_000 })
      for (const record of fetched.records) if (record.offset < end) yield record
      if (fetched.next <= next && fetched.records.length === 0) break
      next = fetched.next
    }
  } finally {
    await reader.close()
  }
}
