import type { Published } from '../../../operators/contract/published.ts'
import { type PartialSumsOptions, partialSums } from '../../../operators/privacy/partial-sums.ts'
import { type PublishOptions, publish as publishSeals } from '../../../operators/privacy/publish.ts'
import { type Pipeline, pipeline } from '../../../pipelines/runtime/index.ts'
import type { Codec } from '../../../schemas/codec.ts'
import type { LoadPartial } from '../../../schemas/load-partial.ts'
import type { LoadPublic } from '../../../schemas/load-public.ts'
import { topics } from '../../../schemas/topics.ts'

/** A planted [publish]: what it copies from the ledger is changed, or left out where `change` answers undefined. */
export function publishing(
  change: (record: LoadPublic) => LoadPublic | undefined,
  stamp: (record: LoadPublic, tick: number) => number = (_, tick) => tick,
): (options: PublishOptions) => Pipeline {
  return (options) => {
    const real = publishSeals(options)
    const codec = options.codec as Codec<LoadPublic>
    const altered = (copy: Published<LoadPublic>): Published<LoadPublic> | undefined => {
      const before = codec.decode(copy.bytes)
      const record = change(before)
      const timestamp = stamp(before, copy.timestamp)
      return record && { ...copy, timestamp, bytes: record === before ? copy.bytes : codec.encode(record) }
    }
    const step: typeof real = {
      ...real,
      process: (batch, state, out, context) =>
        real.process(
          batch,
          state,
          {
            ...out,
            emit: (from, copy) => {
              const changed = altered(copy)
              if (changed) out.emit(from, changed)
            },
          },
          context,
        ),
    }
    return pipeline(
      'publish',
      topics.releaseLedger,
      (ledger) => ledger.lowerAccumulating(step).to(topics.loadPublic, { partition: 'key' }),
      {
        state: topics.publishState,
        history: { topic: topics.loadPublic, read: 'last', partition: 'every' },
        notBefore: (record) => (record.kind === 'seal' ? record.tick : 0),
      },
    )
  }
}

/** Real sums with each partial changed before anybody sees it. */
export const changedSums =
  (change: (partial: LoadPartial) => LoadPartial) =>
  (options: PartialSumsOptions): ReturnType<typeof partialSums> => {
    const real = partialSums(options)
    return {
      ...real,
      process: (batch, out, context) =>
        real.process(batch, { ...out, emit: (from, partial) => out.emit(from, change(partial)) }, context),
    }
  }

/** Real sums that also remember how many readings each window of a group truly has: what no publisher may know. */
export function countingSums() {
  const counts = new Map<string, number>()
  const name = (level: string, group: string, channel: string, window: number, late: boolean): string =>
    `${level} ${group} ${channel} ${window} ${late}`
  return {
    sums: changedSums((partial) => {
      for (const { level, group, channel, window, phase, count } of partial.cells) {
        const key = name(level, group, channel, window, phase === 'late')
        counts.set(key, (counts.get(key) ?? 0) + count)
      }
      return partial
    }),
    of: ({ level, group, channel, window, phase }: LoadPublic): number =>
      counts.get(name(level, group, channel, window, phase === 'final')) ?? 0,
    /** The most readings that any window of a group had. */
    most: (level: string, group: string): number =>
      [...counts].reduce(
        (most, [key, count]) => (key.startsWith(`${level} ${group} `) ? Math.max(most, count) : most),
        0,
      ),
    reset: () => counts.clear(),
  }
}
