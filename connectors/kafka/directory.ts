import { setTimeout as pause } from 'node:timers/promises'
import { type Bounds, type Isolation, LogError } from '../contract.ts'
import { failureOf, isRetriable, toLogError } from './errors.ts'
import { type Cluster, fetchOffset, type Line, type Node, openLine } from './kafkajs-internals.ts'
import type { Settings } from './options.ts'
import { now, retrying, within } from './retry.ts'

/** Where partitions are and what they hold. Answers nothing that a transaction depends on without asking the brokers. */
export interface Directory {
  readonly cluster: Cluster
  readonly partitions: (topic: string) => Promise<number>
  /** Like `partitions`, but asks a broker now. */
  readonly recounted: (topic: string) => Promise<number>
  /** Fails with `topic_unknown` unless the partition exists. */
  readonly requirePartition: (topic: string, partition: number) => Promise<void>
  readonly bounds: (topic: string, partition: number, isolation: Isolation) => Promise<Bounds>
  readonly committed: (group: string, topic: string, partition: number) => Promise<bigint | undefined>
  /** A line to the leader of a partition. */
  readonly lineToLeader: (topic: string, partition: number) => Promise<Line>
  readonly lineToCoordinator: (group: string) => Promise<Line>
  /**
   * Runs a call that looks for the coordinator of a group or a transactional id. kafkajs fails in the same way where no
   * broker answers and where the principal may not ask; the latter is found out here, and is `unauthorized`.
   */
  readonly clarified: <T>(asked: Asked, call: () => Promise<T>) => Promise<T>
  /** Doubts where the partitions of a topic are: the next who needs them asks. */
  readonly forget: (topic: string) => void
  /** Waits until a topic can be seen with all its leaders; answers its number of partitions. */
  readonly appeared: (topic: string) => Promise<number>
  readonly close: () => Promise<void>
}

/** Whose coordinator is looked for. */
export interface Asked {
  readonly group?: string
  readonly transactionalId?: string
}

interface Known {
  readonly leaders: ReadonlyMap<number, number>
  readonly until: number
}

/** How long to ask why no coordinator was named. */
const clarifyMs = 2_000
/** How long unanswered requests may hold up the end. */
const goodbyeMs = 2_000
/** How long an unknown topic or partition may be one that not every broker has heard of yet. */
const propagationMs = 500
const propagationPauseMs = 50

const groupCoordinator = 0
const transactionCoordinator = 1

const latest = -1
const earliest = -2

export function openDirectory(
  cluster: Cluster,
  { deadlineMs, metadataMaxAgeMs }: Pick<Settings, 'deadlineMs' | 'metadataMaxAgeMs'>,
): Directory {
  const topics = new Map<string, Known>()
  const nodes = new Map<number, Node>()
  let connecting: Promise<void> | undefined
  const connected = (): Promise<void> => {
    connecting ??= cluster
      .connect()
      .then(() => cluster.refreshMetadata())
      .catch((error: unknown) => {
        connecting = undefined
        throw error
      })
    return connecting
  }

  const ask = async <T>(what: string, call: () => Promise<T>, ms = deadlineMs): Promise<T> => {
    try {
      return await retrying(ms, isRetriable, async () => {
        await connected()
        return call()
      })
    } catch (error) {
      throw toLogError(error, what, 'retriable')
    }
  }

  const fetchTopic = async (topic: string): Promise<Known> => {
    const broker = await cluster.brokerPool.findConnectedBroker()
    const { brokers, topicMetadata } = await broker.metadata([topic])
    for (const node of brokers) nodes.set(node.nodeId, node)
    const partitions = topicMetadata[0]?.partitionMetadata ?? []
    const known = {
      leaders: new Map(partitions.map(({ partitionId, leader }) => [partitionId, leader])),
      until: now() + metadataMaxAgeMs,
    }
    topics.set(topic, known)
    return known
  }
  const fetchPatiently = (topic: string): Promise<Known> => {
    const patientUntil = now() + propagationMs
    return ask(`looking for topic ${topic}`, async () => {
      try {
        return await fetchTopic(topic)
      } catch (error) {
        if (failureOf(error).code === 3 && now() > patientUntil) throw unknownTopic(topic)
        throw error
      }
    })
  }
  const forget = (topic: string) => {
    const known = topics.get(topic)
    if (known !== undefined) topics.set(topic, { ...known, until: 0 })
  }
  const find = async (topic: string): Promise<Known> => {
    const known = topics.get(topic)
    return known !== undefined && known.until > now() ? known : fetchPatiently(topic)
  }
  const leaderOf = async (topic: string, partition: number): Promise<number> => {
    let known = await find(topic)
    for (const patientUntil = now() + propagationMs; !known.leaders.has(partition); ) {
      if (now() > patientUntil) throw new LogError('topic_unknown', `there is no partition ${topic}[${partition}]`)
      await pause(propagationPauseMs)
      known = await fetchPatiently(topic)
    }
    return known.leaders.get(partition)!
  }

  const offset = (topic: string, partition: number, isolationLevel: number, timestamp: number): Promise<bigint> =>
    ask(`asking for the bounds of ${topic}[${partition}]`, async () => {
      try {
        const broker = await cluster.findBroker({ nodeId: await leaderOf(topic, partition) })
        const { responses } = await broker.listOffsets({
          replicaId: -1,
          isolationLevel,
          topics: [{ topic, partitions: [{ partition, timestamp }] }],
        })
        return BigInt(responses[0]!.partitions[0]!.offset)
      } catch (error) {
        forget(topic)
        throw error
      }
    })

  const refusal = async (type: number, id: string): Promise<LogError | undefined> => {
    try {
      const broker = await cluster.brokerPool.findConnectedBroker()
      await within(clarifyMs, broker.findGroupCoordinator({ groupId: id, coordinatorType: type }))
      return undefined
    } catch (error) {
      const known = toLogError(error, type === groupCoordinator ? `group ${id}` : `transactional id ${id}`, 'retriable')
      return known.code === 'unauthorized' ? known : undefined
    }
  }
  const clarified = async <T>({ group, transactionalId }: Asked, call: () => Promise<T>): Promise<T> => {
    try {
      return await call()
    } catch (error) {
      if (failureOf(error).type !== 'KafkaJSGroupCoordinatorNotFound') throw error
      const refused =
        (transactionalId === undefined ? undefined : await refusal(transactionCoordinator, transactionalId)) ??
        (group === undefined ? undefined : await refusal(groupCoordinator, group))
      throw refused ?? error
    }
  }

  return {
    cluster,
    clarified,
    partitions: async (topic) => (await find(topic)).leaders.size,
    recounted: async (topic) => (await fetchPatiently(topic)).leaders.size,
    requirePartition: async (topic, partition) => {
      // Partitions never go, so one that was seen needs no broker.
      if (!topics.get(topic)?.leaders.has(partition)) await leaderOf(topic, partition)
    },
    bounds: async (topic, partition, isolation) => {
      const level = isolation === 'read_committed' ? 1 : 0
      const end = await offset(topic, partition, level, latest)
      // Asked second: what is deleted in between must not leave a first offset below what can be read.
      const first = await offset(topic, partition, 0, earliest)
      return { first, end: end < first ? first : end }
    },
    committed: async (group, topic, partition) => {
      await leaderOf(topic, partition)
      return ask(`asking for the offset of group ${group}`, async () => {
        const coordinator = await clarified({ group }, () => cluster.findGroupCoordinator({ groupId: group }))
        const { errorCode, next } = await fetchOffset(coordinator, group, topic, partition)
        if (errorCode !== 0) throw Object.assign(new Error(`the offset of group ${group}`), { code: errorCode })
        return next < 0n ? undefined : next
      })
    },
    lineToLeader: async (topic, partition) => {
      const nodeId = await leaderOf(topic, partition)
      await connected()
      const node = nodes.get(nodeId)
      if (node === undefined) throw new LogError('retriable', `${topic}[${partition}] has no leader now`)
      return openLine(cluster, node)
    },
    lineToCoordinator: (group) =>
      ask(`looking for the coordinator of group ${group}`, async () => {
        const { coordinator } = await clarified({ group }, () =>
          cluster.findGroupCoordinatorMetadata({ groupId: group, coordinatorType: groupCoordinator }),
        )
        return openLine(cluster, coordinator)
      }),
    forget,
    appeared: (topic) =>
      ask(`waiting for topic ${topic}`, async () => {
        const { leaders } = await fetchTopic(topic)
        if (leaders.size > 0 && [...leaders.values()].every((leader) => leader >= 0)) return leaders.size
        throw new LogError('retriable', `topic ${topic} has no leaders yet`)
      }),
    close: async () => {
      // kafkajs waits for every answer that is outstanding, for as long as a request may take.
      await within(goodbyeMs, cluster.disconnect()).catch(() => {})
    },
  }
}

const unknownTopic = (topic: string) => new LogError('topic_unknown', `there is no topic ${topic}: create it first`)
