import kafkajs from 'kafkajs'
import { LogError } from '../contract.ts'
import { createClient } from './client.ts'
import { openDirectory } from './directory.ts'
import { isRetriable, toLogError } from './errors.ts'
import { askGroup, askTopics, askTransactionalId, type Question, type TopicAnswer } from './inspect-protocol.ts'
import { clusterOf } from './kafkajs-internals.ts'
import { type KafkaLogOptions, withDefaults } from './options.ts'
import { goodbye, retrying } from './retry.ts'

const { ConfigResourceTypes } = kafkajs

/** What a principal may do; the names of Kafka's ACLs. */
export const inspectedOperations = ['READ', 'WRITE', 'DESCRIBE', 'DESCRIBE_CONFIGS'] as const
export type InspectedOperation = (typeof inspectedOperations)[number]

const operationNumbers: Readonly<Record<InspectedOperation, number>> = {
  READ: 3,
  WRITE: 4,
  DESCRIBE: 8,
  DESCRIBE_CONFIGS: 10,
}

/** How a topic stands to the principal that asks. */
export type TopicStanding =
  | { readonly state: 'present'; readonly partitions: number; readonly may: ReadonlySet<InspectedOperation> }
  /** Not there, or so the broker says. */
  | { readonly state: 'missing' }
  /** The principal may not even know whether it is there. */
  | { readonly state: 'hidden' }

/** Looks at a cluster with the eyes of a principal. Nothing is written, joined or fenced, and nobody at work is disturbed. */
export interface KafkaInspection {
  readonly topics: (names: readonly string[]) => Promise<ReadonlyMap<string, TopicStanding>>
  /** Settings of topics that the principal may see them of. */
  readonly configs: (names: readonly string[]) => Promise<ReadonlyMap<string, Readonly<Record<string, string>>>>
  /** What may be done with a group, which need not exist yet. */
  readonly group: (name: string) => Promise<ReadonlySet<InspectedOperation>>
  /** Whether transactions under this id may be begun. */
  readonly mayTransact: (transactionalId: string) => Promise<boolean>
  readonly close: () => Promise<void>
}

/**
 * Opens an inspection; connects with the first call. Calls end within `deadlineMs` and reject with `LogError`: `retriable`
 * where no broker answered, a `RefusedError` where the brokers let this client not in.
 */
export function inspectKafka(options: KafkaLogOptions): KafkaInspection {
  const settings = withDefaults(options)
  // What kafkajs tries again by itself it tries beyond our deadline, which would keep a process that gave up from ending.
  const kafka = createClient(settings, { retries: 0 })
  const cluster = clusterOf(kafka)
  const directory = openDirectory(cluster, settings)
  const admin = kafka.admin()
  let connected: Promise<void> | undefined
  const connect = () => {
    connected ??= cluster.connect().catch((error: unknown) => {
      connected = undefined
      throw error
    })
    return connected
  }
  const asking = async <T>(what: string, call: () => Promise<T>): Promise<T> => {
    try {
      return await retrying(settings.deadlineMs, isRetriable, async () => {
        await connect()
        return call()
      })
    } catch (error) {
      throw toLogError(error, what, 'retriable')
    }
  }

  return {
    topics: (names) =>
      asking('asking for topics', async () => {
        const answers = await send(await cluster.brokerPool.findConnectedBroker(), askTopics(names))
        return new Map(answers.map((answer) => [answer.name, standingOf(answer)]))
      }),
    configs: (names) =>
      asking('asking for the settings of topics', async () => {
        if (names.length === 0) return new Map()
        await admin.connect()
        const { resources } = await admin.describeConfigs({
          includeSynonyms: false,
          resources: names.map((name) => ({ type: ConfigResourceTypes.TOPIC, name })),
        })
        return new Map(
          resources.map(({ resourceName, configEntries }) => [
            resourceName,
            Object.fromEntries(configEntries.map(({ configName, configValue }) => [configName, configValue])),
          ]),
        )
      }),
    group: async (name) => {
      try {
        return await asking(`asking for group ${name}`, async () => {
          const coordinator = await directory.clarified({ group: name }, () =>
            cluster.findGroupCoordinator({ groupId: name }),
          )
          const { errorCode, operations } = await send(coordinator, askGroup(name))
          if (errorCode === groupUnauthorized) return new Set<InspectedOperation>()
          if (errorCode !== 0) throw answered(errorCode)
          return operationsOf(operations)
        })
      } catch (error) {
        if (error instanceof LogError && error.code === 'unauthorized') return new Set()
        throw error
      }
    },
    mayTransact: (transactionalId) =>
      asking(`asking for the transactional id ${transactionalId}`, async () => {
        const code = await send(await cluster.brokerPool.findConnectedBroker(), askTransactionalId(transactionalId))
        if (code === transactionalIdUnauthorized) return false
        if (code === invalidTimeout) return true
        throw answered(code)
      }),
    close: async () => {
      await Promise.allSettled([goodbye(admin), directory.close()])
    },
  }
}

const unknownTopic = 3
const topicUnauthorized = 29
const groupUnauthorized = 30
const invalidTimeout = 50
const transactionalIdUnauthorized = 53

/** An error that a broker answered with, to be tried again or not as those that kafkajs reads. */
const answered = (code: number) => Object.assign(new Error(`the broker answered with error ${code}`), { code })

function standingOf({ errorCode, partitions, operations }: TopicAnswer): TopicStanding {
  switch (errorCode) {
    case 0:
      return { state: 'present', partitions, may: operationsOf(operations) }
    case unknownTopic:
      return { state: 'missing' }
    case topicUnauthorized:
      return { state: 'hidden' }
    default:
      throw answered(errorCode)
  }
}

const operationsOf = (bits: number): ReadonlySet<InspectedOperation> =>
  new Set(inspectedOperations.filter((name) => (bits >>> operationNumbers[name]) & 1))

interface Askable {
  readonly connectionPool: { readonly send: (exchange: { request: object; response: object }) => Promise<unknown> }
}

async function send<T>(broker: Askable, { apiKey, apiVersion, apiName, body, read }: Question<T>): Promise<T> {
  const request = { apiKey, apiVersion, apiName, encode: async () => ({ buf: body, buffer: body }) }
  const response = {
    decode: async (answer: Buffer) => ({ answer, clientSideThrottleTime: 0 }),
    parse: async ({ answer }: { readonly answer: Buffer }) => read(answer),
  }
  return (await broker.connectionPool.send({ request, response })) as T
}
