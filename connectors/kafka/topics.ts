import kafkajs, { type Kafka } from 'kafkajs'
import { LogError, type TopicSpec } from '../contract.ts'
import type { Directory } from './directory.ts'
import { failureOf, isRetriable, toLogError } from './errors.ts'
import type { Settings } from './options.ts'
import { goodbye, retrying } from './retry.ts'
import { configsOf, meaningOf } from './topic-configs.ts'
import type { Configs } from './topology.ts'

const { ConfigResourceTypes } = kafkajs

const alreadyExists = 36

/** Settings as kafkajs takes them. */
export const entriesOf = (configs: Configs) => Object.entries(configs).map(([name, value]) => ({ name, value }))

/** Creates what is missing, waits until all can be used, and refuses topics that exist with other settings. */
export async function createTopics(
  kafka: Kafka,
  directory: Directory,
  settings: Settings,
  specs: readonly TopicSpec[],
): Promise<void> {
  const admin = kafka.admin()
  const steadily = async <T>(what: string, call: () => Promise<T>): Promise<T> => {
    try {
      return await retrying(settings.deadlineMs, isRetriable, call)
    } catch (error) {
      throw toLogError(error, what, 'retriable')
    }
  }
  try {
    await steadily('connecting to create topics', () => admin.connect())
    const topics = specs.map((spec) => ({
      topic: spec.name,
      numPartitions: spec.partitions,
      replicationFactor: settings.replicationFactor ?? -1,
      configEntries: entriesOf(configsOf(spec)),
    }))
    await steadily('creating topics', async () => {
      try {
        // Waiting for leaders fails on a broker that has only just started, although it created the topic.
        await admin.createTopics({ topics, waitForLeaders: false })
      } catch (error) {
        passIfExisting(error)
      }
    })
    const counts = new Map<string, number>()
    for (const { name } of specs) counts.set(name, await directory.appeared(name))
    const { resources } = await steadily('reading the settings of topics', () =>
      admin.describeConfigs({
        includeSynonyms: false,
        resources: specs.map((spec) => ({
          type: ConfigResourceTypes.TOPIC,
          name: spec.name,
          configNames: Object.keys(meaningOf(spec)),
        })),
      }),
    )
    for (const spec of specs) {
      const entries = resources.find(({ resourceName }) => resourceName === spec.name)?.configEntries ?? []
      const present = new Map(entries.map(({ configName, configValue }) => [configName, configValue]))
      requireSame(spec, counts.get(spec.name)!, present)
    }
  } finally {
    await goodbye(admin)
  }
}

/** One answer per topic: throws the first that is not about a topic that exists. */
export function passIfExisting(error: unknown): void {
  const errors: readonly unknown[] = (error as { errors?: unknown[] }).errors ?? [error]
  for (const each of errors) {
    const failure = failureOf(each)
    if (failure.code === alreadyExists) continue
    const name = (each as { topic?: string }).topic
    if (name === undefined || isRetriable(failure)) throw each
    const known = toLogError(each, `creating topic ${name}`, 'retriable')
    if (known.code !== 'retriable') throw known
    throw new LogError('topic_differs', `topic ${name} cannot be created so: ${failure.type} (${failure.code})`)
  }
}

function requireSame(spec: TopicSpec, partitions: number, present: ReadonlyMap<string, string>): void {
  const differing = Object.entries(meaningOf(spec))
    .filter(([name, value]) => present.get(name) !== value)
    .map(([name, value]) => `${name} is ${present.get(name) ?? 'unknown'}, not ${value}`)
  if (partitions !== spec.partitions) differing.unshift(`it has ${partitions} partitions, not ${spec.partitions}`)
  if (differing.length === 0) return
  throw new LogError('topic_differs', `topic ${spec.name} exists with other settings: ${differing.join('; ')}`)
}
