import type { Log, Membership } from '../../../connectors/contract.ts'
import { LogError } from '../../../connectors/contract.ts'
import { readAll, record, text } from '../../conformance/log-harness.ts'

export interface Copying {
  readonly group: string
  readonly input: string
  readonly output: string
  /** Told of each commit that copied something. */
  readonly onCommit?: (partition: number, next: bigint) => void
  readonly onAssigned?: (partitions: readonly number[]) => void
  /** Told of each producer that had to be thrown away. */
  readonly onLost?: (partition: number, error: LogError) => void
}

const isMarker = (value: string | null) => value?.startsWith('marker') === true

/** What was copied into a partition, without markers. */
export async function copies(log: Log, output: string, partition: number): Promise<(string | null)[]> {
  const { records } = await readAll(log, output, { partition })
  return records.map(({ value }) => text(value)).filter((value) => !isMarker(value))
}

/**
 * Copies the partitions that a group assigns from one topic to another, each record once: the loop of the runtime without
 * operators. Input must be dense. Positions come from the output, after a marker of one's own has appeared in it.
 */
export async function copyAsMember(log: Log, options: Copying): Promise<Membership> {
  const { group, input, output } = options
  const tasks = new Map<number, { readonly stop: AbortController; readonly ended: Promise<void> }>()
  let membership: Membership | undefined
  let turn = 0

  const copyOnce = async (partition: number, signal: AbortSignal): Promise<void> => {
    const owner = await log.open(`${group}-${partition}`, { timeoutMs: 10_000 })
    try {
      const marker = `marker ${process.pid}/${turn++}`
      await owner.begin()
      await owner.send([record(output, marker, partition)])
      await owner.commit()
      let written: (string | null)[] = []
      while (!written.includes(marker)) {
        written = (await readAll(log, output, { partition })).records.map(({ value }) => text(value))
      }
      const position = BigInt(written.filter((value) => !isMarker(value)).length)
      const reader = await log.read(input, partition, position, 'read_committed')
      try {
        while (!signal.aborted) {
          const { records, next } = await reader.poll({ maxRecords: 50, maxBytes: 1_000_000, waitMs: 100, signal })
          if (records.length === 0) continue
          await owner.begin()
          await owner.sendOffsets(group, input, partition, next)
          await owner.send(records.map(({ value }) => record(output, text(value) ?? '', partition)))
          await owner.commit()
          options.onCommit?.(partition, next)
        }
      } finally {
        await reader.close()
      }
    } finally {
      await owner.close()
    }
  }
  const copy = async (partition: number, signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      try {
        return await copyOnce(partition, signal)
      } catch (error) {
        if (!(error instanceof LogError)) throw error
        if (!['fenced', 'unknown_outcome', 'retriable'].includes(error.code)) throw error
        options.onLost?.(partition, error)
        if (error.code === 'fenced' && (signal.aborted || !(await membership?.owns(partition)))) return
      }
    }
  }
  membership = await log.join(group, input, {
    assigned: async (partitions) => {
      for (const partition of partitions) {
        const stop = new AbortController()
        const ended = copy(partition, stop.signal)
        ended.catch((error: unknown) => process.stderr.write(`copying of ${partition} ended: ${String(error)}\n`))
        tasks.set(partition, { stop, ended })
      }
      options.onAssigned?.(partitions)
    },
    revoked: async (partitions) => {
      const ending = partitions.flatMap((partition) => tasks.get(partition) ?? [])
      for (const { stop } of ending) stop.abort()
      await Promise.all(ending.map(({ ended }) => ended))
      for (const partition of partitions) tasks.delete(partition)
    },
  })
  return membership
}
