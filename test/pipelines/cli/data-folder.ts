// What a log holds, read with the library after the process that wrote it has ended.
import { join } from 'node:path'
import type { Log, SchemaRegistry } from '../../../connectors/contract.ts'
import { openDurableLog, openDurableRegistry } from '../../../connectors/memory/index.ts'
import { readRange } from '../../../pipelines/runtime/changelog.ts'
import type { AnyTopic } from '../../../pipelines/runtime/stream.ts'
import { openWire } from '../../../pipelines/runtime/wire.ts'
import type { Topic } from '../../../schemas/codec.ts'
import type { Label } from '../../../schemas/label.ts'
import { topics } from '../../../schemas/topics.ts'

/** Committed values of a topic. */
export async function readTopic<T>(log: Log, registry: SchemaRegistry, topic: Topic<T, Label>): Promise<T[]> {
  const wire = await openWire(registry, [topic as AnyTopic])
  const values: T[] = []
  for (let partition = 0; partition < (await log.partitions(topic.name)); partition++) {
    const { first, end } = await log.bounds(topic.name, partition, 'read_committed')
    for (const { value } of await readRange(log, topic.name, partition, first, end)) {
      if (value) values.push(wire.decode(topic as AnyTopic, value) as T)
    }
  }
  return values
}

/** Committed values of a topic in a folder. */
export async function readFolder<T>(folder: string, topic: Topic<T, Label>): Promise<T[]> {
  const log = await openDurableLog({ folder, fsync: 'none' })
  try {
    return await readTopic(log, await openDurableRegistry({ file: join(folder, 'schema-registry.json') }), topic)
  } finally {
    await log.close()
  }
}

/** Every interval of household.readings by pseudonym, channel and start, in order. */
export async function intervalsOf(log: Log, registry: SchemaRegistry): Promise<string[]> {
  return (await readTopic(log, registry, topics.householdReadings))
    .flatMap(({ pseudonym, intervals }) =>
      intervals.map(({ channel, start }) => `${Buffer.from(pseudonym).toString('hex')} ${channel} ${start}`),
    )
    .sort()
}

/** The same of a folder. */
export async function intervalsIn(folder: string): Promise<string[]> {
  const log = await openDurableLog({ folder, fsync: 'none' })
  try {
    return await intervalsOf(log, await openDurableRegistry({ file: join(folder, 'schema-registry.json') }))
  } finally {
    await log.close()
  }
}
