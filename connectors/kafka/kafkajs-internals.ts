import { createRequire } from 'node:module'
import type { Kafka } from 'kafkajs'
import { answeredError, type TopicAnswer } from './answered-error.ts'
import { decodeOffsetFetch, encodeOffsetFetch, type FetchedOffset, offsetFetchVersion } from './offset-fetch.ts'
import { encodeProduce, type ProduceParameters, portMessage } from './produce-request.ts'

/*
 * Everything taken from inside kafkajs 2.2.4, which its public interface does not give:
 *  - reading a partition from an offset without joining a group, with control records and both isolation levels;
 *  - offsets by isolation level;
 *  - the group protocol, so that a member can finish its work before it joins again;
 *  - the bytes of a produce request, which kafkajs takes ten times as long to write;
 *  - which topics of a request were refused, of which kafkajs tells the first code only;
 *  - the request for a group's stable offset, of which kafkajs knows older versions only.
 * The version is pinned exactly, and test/connectors/kafka/kafkajs-internals.test.ts fails where one of them moved.
 */
const load = createRequire(import.meta.url)

/** Requests whose answer has an error for each topic or partition. */
const naming = ['Produce', 'AddPartitionsToTxn', 'TxnOffsetCommit', 'Metadata'] as const

/** A request of the protocol, ready to send, with what reads its answer. */
interface Exchange {
  readonly request: object
  readonly response: object
  readonly requestTimeout?: number
}

type Protocol = (parameters: object) => Exchange

interface Definitions {
  readonly versions: readonly string[]
  protocol: (choice: { version: number }) => Protocol
}

const { requests, lookup } = load('kafkajs/src/protocol/requests') as {
  readonly requests: Readonly<Record<ApiName, Definitions>>
  readonly lookup: (versions: unknown) => (apiKey: number, definitions: Definitions) => Protocol
}
const apiKeys = load('kafkajs/src/protocol/requests/apiKeys') as Readonly<Record<ApiName, number>>

const { createErrorFromCode } = load('kafkajs/src/protocol/error') as {
  readonly createErrorFromCode: (code: number) => Error
}

type ApiName =
  | (typeof naming)[number]
  | 'Fetch'
  | 'OffsetFetch'
  | 'JoinGroup'
  | 'SyncGroup'
  | 'Heartbeat'
  | 'LeaveGroup'

for (const api of naming) {
  const definitions = requests[api]
  const plain = definitions.protocol
  definitions.protocol = (choice) => (parameters) => {
    const exchange = plain(choice)(parameters)
    const response = exchange.response as { readonly parse: (answer: TopicAnswer) => Promise<unknown> }
    const parse = async (answer: TopicAnswer) => {
      const told = answeredError(answer)
      if (told === undefined) return response.parse(answer)
      throw Object.assign(createErrorFromCode(told.code), { topics: told.topics })
    }
    return { ...exchange, response: { ...response, parse } }
  }
}

/** Versions of Produce that differ in their answers only. */
const encoded = { from: 3, to: 7 }

const plainProtocol = requests.Produce.protocol
requests.Produce.protocol =
  ({ version }) =>
  (parameters) => {
    const exchange = plainProtocol({ version })(parameters)
    if (version < encoded.from || version > encoded.to || !isOurs(parameters as ProduceParameters)) return exchange
    const encode = async () => {
      const buffer = await encodeProduce(parameters as ProduceParameters)
      return { buf: buffer, buffer }
    }
    return { ...exchange, request: { ...exchange.request, encode } }
  }

/** Messages of the port are bytes; those that another user of kafkajs in this process sends may be anything it takes. */
function isOurs({ topicData, compression }: ProduceParameters): boolean {
  if (![0, 1, 4].includes(compression)) return false
  return topicData.every(({ partitions }) =>
    partitions.every(({ messages }) => messages.every((message) => portMessage in message)),
  )
}

interface RequestQueue {
  readonly pending: readonly unknown[]
  scheduleCheckPendingRequests: () => void
}
const queue = (load('kafkajs/src/network/requestQueue') as { readonly prototype: RequestQueue }).prototype

// Without anything pending, kafkajs sets a timer of minus two trillion ms, which Node makes 1 ms and, from 24 on, warns of,
// for ever: 12 idle connections took 6 % of a core. A request that has to wait sets its own timer.
const scheduleCheck = queue.scheduleCheckPendingRequests
queue.scheduleCheckPendingRequests = function (this: RequestQueue) {
  if (this.pending.length > 0) scheduleCheck.call(this)
}

export interface PartitionMetadata {
  readonly partitionId: number
  readonly leader: number
}

export interface Node {
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

interface OffsetAnswer {
  readonly responses: readonly {
    readonly partitions: readonly { readonly partition: number; readonly offset: string }[]
  }[]
}

interface Broker {
  readonly connectionPool: Pick<ConnectionPool, 'send'>
  readonly metadata: (topics: readonly string[]) => Promise<{
    readonly brokers: readonly Node[]
    readonly topicMetadata: readonly {
      readonly topic: string
      readonly partitionMetadata: readonly PartitionMetadata[]
    }[]
  }>
  readonly listOffsets: (request: object) => Promise<OffsetAnswer>
  readonly findGroupCoordinator: (request: { groupId: string; coordinatorType: number }) => Promise<unknown>
  readonly leaveGroup: (request: { groupId: string; memberId: string }) => Promise<unknown>
}

interface ConnectionPool {
  readonly setVersions: (versions: unknown) => void
  readonly setSupportAuthenticationProtocol: (supported: boolean) => void
  readonly send: (exchange: Exchange) => Promise<unknown>
  readonly destroy: () => Promise<void>
}

/** kafkajs's own view of a cluster. */
export interface Cluster {
  readonly connect: () => Promise<void>
  readonly disconnect: () => Promise<void>
  readonly refreshMetadata: () => Promise<void>
  readonly findBroker: (node: { nodeId: number }) => Promise<Broker>
  readonly findGroupCoordinator: (group: { groupId: string }) => Promise<Broker>
  readonly findGroupCoordinatorMetadata: (group: {
    groupId: string
    coordinatorType: number
  }) => Promise<{ readonly coordinator: Node }>
  readonly brokerPool: {
    readonly versions: unknown
    readonly findConnectedBroker: () => Promise<Broker>
  }
  readonly connectionPoolBuilder: {
    readonly build: (address: { host: string; port: number }) => Promise<ConnectionPool>
  }
}

/** A cluster of its own over the settings of a client. */
export function clusterOf(kafka: Kafka): Cluster {
  const key = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === 'private:Kafka:createCluster',
  )
  if (key === undefined) throw new TypeError('this is not kafkajs 2.2.4')
  const create = (kafka as unknown as Record<symbol, (options: object) => Cluster>)[key]!
  return create({ allowAutoTopicCreation: false, metadataMaxAge: 300_000 })
}

/** Asks the coordinator of a group what it has committed for a partition, undecided transactions reckoned with. */
export async function fetchOffset(
  coordinator: Broker,
  group: string,
  topic: string,
  partition: number,
): Promise<FetchedOffset> {
  const buffer = encodeOffsetFetch(group, topic, partition)
  const request = {
    apiKey: apiKeys.OffsetFetch,
    apiVersion: offsetFetchVersion,
    apiName: 'OffsetFetch',
    encode: async () => ({ buf: buffer, buffer }),
  }
  return (await coordinator.connectionPool.send({ request, response: readBy(decodeOffsetFetch) })) as FetchedOffset
}

/** What kafkajs needs of an answer that we read ourselves: no throttling, then ours. */
const readBy = <T>(decode: (answer: Buffer) => T) => ({
  decode: async (answer: Buffer) => ({ answer, clientSideThrottleTime: 0 }),
  parse: async ({ answer }: { readonly answer: Buffer }) => decode(answer),
})

/** One connection to one broker, for requests that wait: a broker answers those of a connection one after the other. */
export interface Line {
  readonly request: <T>(api: ApiName, parameters: object, decode?: (answer: Buffer) => T) => Promise<T>
  readonly close: () => Promise<void>
}

/** Opens a line; the connection itself is made, and made again, with the next request. */
export async function openLine(cluster: Cluster, { host, port }: Node): Promise<Line> {
  const { versions } = cluster.brokerPool
  const pool = await cluster.connectionPoolBuilder.build({ host, port })
  pool.setVersions(versions)
  pool.setSupportAuthenticationProtocol(true)
  return {
    request: async <T>(api: ApiName, parameters: object, decode?: (answer: Buffer) => T): Promise<T> => {
      const exchange = lookup(versions)(apiKeys[api], requests[api])(parameters)
      if (decode === undefined) return (await pool.send(exchange)) as T
      // Reading the answer ourselves is what makes batches without records, and markers, visible.
      const response = {
        decode: async (answer: Buffer) => ({ answer, clientSideThrottleTime: answer.readInt32BE(0) }),
        parse: async ({ answer }: { answer: Buffer }) => decode(answer),
      }
      return (await pool.send({ ...exchange, response })) as T
    },
    close: () => pool.destroy(),
  }
}
