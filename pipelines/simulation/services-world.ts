import type { Log, StateView } from '../../connectors/contract.ts'
import { deleteTopics } from '../../connectors/kafka/delete-topics.ts'
import { kafkaLog } from '../../connectors/kafka/index.ts'
import { openTopology } from '../../connectors/kafka/topology-admin.ts'
import { openRedisView } from '../../connectors/redis/index.ts'
import { confluentSchemaRegistry } from '../../connectors/registry/index.ts'
import { virtualClock } from '../../operators/contract/clock.ts'
import { topics } from '../../schemas/topics.ts'
import { stagedLog } from './staged-log.ts'
import { watchQuiet } from './watch-quiet.ts'
import { openWorldOn, type World, type WorldOptions } from './world.ts'

/** Where the services are. */
export interface ServiceAddresses {
  /** `host:port,…`. */
  readonly kafka: string
  /** URLs. */
  readonly registry: string
  readonly redis: string
}

/** The cluster holds topics that no simulation made: what is in them is not ours to delete. */
export class ForeignTopicsError extends Error {
  override readonly name = 'ForeignTopicsError'
}

export interface ServicesWorld extends World<Log, StateView> {
  readonly close: () => Promise<void>
}

/** How long a poll waits on real brokers, ms: two polls in vain tell that a task rests. */
const lingerMs = 25

/**
 * A world on Kafka, a registry and Redis. Topics have their usual names, so that any client finds them; those of an earlier
 * simulation are replaced. A simulation's meter.frames are stamped by who writes them, which no deployment allows: that
 * tells them apart. Rejects with `ForeignTopicsError` where a deployment's topics are found.
 */
export async function openServicesWorld(
  options: WorldOptions,
  { kafka, registry, redis }: ServiceAddresses,
): Promise<ServicesWorld> {
  const brokers = { brokers: kafka.split(',') }
  await clearTopics(brokers)
  const clock = virtualClock(options.start)
  const log = stagedLog(kafkaLog(brokers), clock)
  try {
    const view = await openRedisView({ ...redisOptions(redis), keyPrefix: 'meterveil-simulation' })
    const world = await openWorldOn(options, clock, {
      log,
      view,
      registry: confluentSchemaRegistry({ url: registry }),
      watch: watchQuiet,
      task: { lingerMs },
      send: async (arrivals, frameRecord) => {
        await log.append(
          arrivals.map(({ partition, frame, receivedAt }) => ({
            ...frameRecord(partition, frame),
            timestamp: receivedAt,
          })),
        )
        clock.moveTo(arrivals.at(-1)?.receivedAt ?? clock.now())
      },
    })
    return {
      ...world,
      close: async () => {
        await view.close()
        await log.close()
      },
    }
  } catch (error) {
    await log.close()
    throw error
  }
}

async function clearTopics(options: { readonly brokers: readonly string[] }): Promise<void> {
  const names = Object.values(topics).map(({ name }) => name)
  const admin = openTopology(options)
  try {
    const found = (await admin.read(names, { acls: false })).topics
    if (found.size === 0) return
    const stamps = found.get(topics.meterFrames.name)?.configs['message.timestamp.type']
    if (stamps !== 'CreateTime') throw new ForeignTopicsError('this Kafka holds the topics of a deployment')
  } finally {
    await admin.close()
  }
  await deleteTopics(options, names)
}

function redisOptions(url: string): Parameters<typeof openRedisView>[0] {
  const { hostname, port, username, password } = new URL(url)
  return {
    nodes: [{ host: hostname, port: port === '' ? 6_379 : Number(port) }],
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
  }
}
