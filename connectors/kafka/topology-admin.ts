import kafkajs, { type Admin, type Kafka } from 'kafkajs'
import type { Operation, ResourceKind } from '../../schemas/access.ts'
import { LogError } from '../contract.ts'
import { alterConfigs } from './alter-configs.ts'
import { createClient } from './client.ts'
import { type Directory, openDirectory } from './directory.ts'
import { failureOf, isRetriable, toLogError } from './errors.ts'
import { clusterOf } from './kafkajs-internals.ts'
import { type KafkaLogOptions, type Settings, withDefaults } from './options.ts'
import { goodbye, retrying } from './retry.ts'
import { entriesOf, passIfExisting } from './topics.ts'
import type { AclBinding, ActualTopic, Step, Topology } from './topology.ts'

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ConfigResourceTypes, ResourcePatternTypes } = kafkajs

/** A step that the brokers do; schemas are the registry's. */
export type BrokerStep = Exclude<Step, { readonly kind: 'register-schema' }>

/** Reads what the brokers hold and changes it, one step at a time. Every call rejects with `LogError`. */
export interface TopologyAdmin {
  /** Topics among `names` that are there, and with `acls` every right. Right after a change it may answer from before. */
  readonly read: (names: readonly string[], options: { acls: boolean }) => Promise<Omit<Topology, 'schemas'>>
  /** Has the brokers check steps as far as they can without doing them: limits, policies, and that we may. */
  readonly check: (steps: readonly BrokerStep[]) => Promise<void>
  /** Does a step; done twice it is as good as once. */
  readonly perform: (step: BrokerStep) => Promise<void>
  readonly close: () => Promise<void>
}

const securityDisabled = 54
const invalidPartitions = 37
/** The brokers looked at what was asked and will never do it; their sentence says why. */
const refusedCodes: ReadonlySet<number | undefined> = new Set([invalidPartitions, 38, 39, 40, 42, 44])

export function openTopology(options: KafkaLogOptions): TopologyAdmin {
  const settings = withDefaults(options)
  const kafka = createClient(settings)
  const directory = openDirectory(clusterOf(kafka), settings)
  const admin = kafka.admin()
  let connected: Promise<void> | undefined
  const connect = (): Promise<void> => {
    connected ??= admin.connect().catch((error: unknown) => {
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
      throw refused(error, what)
    }
  }
  return {
    read: async (names, { acls }) => {
      const { brokers } = await asking('asking for the brokers', () => admin.describeCluster())
      const topics = await readTopics(asking, admin, directory, names)
      return { brokers: brokers.length, topics, acls: acls ? await readAcls(asking, admin) : undefined }
    },
    check: (steps) => checkSteps(asking, kafka, admin, steps),
    perform: (step) => performStep(asking, { kafka, admin, directory, settings }, step),
    close: async () => {
      await goodbye(admin)
      await directory.close()
    },
  }
}

type Asking = <T>(what: string, call: () => Promise<T>) => Promise<T>

function refused(error: unknown, what: string): LogError {
  const { code, message } = failureOf(error)
  return refusedCodes.has(code)
    ? new LogError('topic_differs', `${what}: ${message}`)
    : toLogError(error, what, 'retriable')
}

async function readTopics(
  asking: Asking,
  admin: Admin,
  directory: Directory,
  names: readonly string[],
): Promise<ReadonlyMap<string, ActualTopic>> {
  const listed = await asking('listing topics', () => admin.listTopics())
  const there = names.filter((name) => listed.includes(name))
  if (there.length === 0) return new Map()
  const metadata = await asking('looking at topics', () => admin.fetchTopicMetadata({ topics: there }))
  const { resources } = await asking('reading the settings of topics', () =>
    admin.describeConfigs({
      includeSynonyms: false,
      resources: there.map((name) => ({ type: ConfigResourceTypes.TOPIC, name })),
    }),
  )
  const topics = new Map<string, ActualTopic>()
  for (const { name, partitions } of metadata.topics) {
    const { configEntries = [] } = resources.find(({ resourceName }) => resourceName === name) ?? {}
    const bounds = await Promise.all(
      partitions.map(({ partitionId }) => directory.bounds(name, partitionId, 'read_uncommitted')),
    )
    topics.set(name, {
      partitions: partitions.length,
      replicationFactor: Math.min(...partitions.map(({ replicas }) => replicas.length)),
      configs: Object.fromEntries(configEntries.map(({ configName, configValue }) => [configName, configValue])),
      holdsRecords: bounds.some(({ first, end }) => end > first),
    })
  }
  return topics
}

const resourceKinds = new Map<number, ResourceKind>([
  [AclResourceTypes.TOPIC, 'topic'],
  [AclResourceTypes.GROUP, 'group'],
  [AclResourceTypes.TRANSACTIONAL_ID, 'transactional-id'],
  [AclResourceTypes.CLUSTER, 'cluster'],
])
const operations = new Map<number, Operation | 'all'>([
  [AclOperationTypes.ALL, 'all'],
  [AclOperationTypes.READ, 'read'],
  [AclOperationTypes.WRITE, 'write'],
  [AclOperationTypes.CREATE, 'create'],
  [AclOperationTypes.DELETE, 'delete'],
  [AclOperationTypes.ALTER, 'alter'],
  [AclOperationTypes.DESCRIBE, 'describe'],
  [AclOperationTypes.DESCRIBE_CONFIGS, 'describe-configs'],
  [AclOperationTypes.ALTER_CONFIGS, 'alter-configs'],
])
const numberOf = <T>(names: ReadonlyMap<number, T>, name: T): number =>
  [...names].find(([, known]) => known === name)![0]

async function readAcls(asking: Asking, admin: Admin): Promise<readonly AclBinding[] | undefined> {
  const found = await asking('reading the rights', async () => {
    try {
      return await admin.describeAcls({
        resourceType: AclResourceTypes.ANY,
        resourcePatternType: ResourcePatternTypes.ANY,
        operation: AclOperationTypes.ANY,
        permissionType: AclPermissionTypes.ANY,
      } as Parameters<Admin['describeAcls']>[0])
    } catch (error) {
      if (failureOf(error).code === securityDisabled) return undefined
      throw error
    }
  })
  return found?.resources.flatMap(({ resourceType, resourceName, resourcePatternType, acls }) =>
    acls.map(
      ({ principal, host, operation, permissionType }): AclBinding => ({
        principal,
        host,
        resource: resourceKinds.get(resourceType) ?? 'other',
        name: resourceName,
        pattern: patternOf(resourcePatternType),
        operation: operations.get(operation) ?? 'other',
        permission: permissionType === AclPermissionTypes.DENY ? 'deny' : 'allow',
      }),
    ),
  )
}

const patternOf = (type: number): AclBinding['pattern'] =>
  type === ResourcePatternTypes.PREFIXED ? 'prefixed' : 'literal'

/** A binding as kafkajs takes it; only those that are declared or were read with known names are ever sent. */
const aclEntry = ({ principal, host, resource, name, pattern, operation, permission }: AclBinding) => ({
  principal,
  host,
  resourceType: numberOf(resourceKinds, resource as ResourceKind),
  resourceName: name,
  resourcePatternType: pattern === 'prefixed' ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
  operation: numberOf(operations, operation as Operation),
  permissionType: permission === 'deny' ? AclPermissionTypes.DENY : AclPermissionTypes.ALLOW,
})

type OfKind<K extends Step['kind']> = Extract<Step, { readonly kind: K }>

const ofKind = <K extends Step['kind']>(steps: readonly Step[], kind: K): readonly OfKind<K>[] =>
  steps.filter((step): step is OfKind<K> => step.kind === kind)

const newTopic = ({ topic, partitions, replicationFactor, configs }: OfKind<'create-topic'>) => ({
  topic,
  numPartitions: partitions,
  replicationFactor,
  configEntries: entriesOf(configs),
})

async function checkSteps(asking: Asking, kafka: Kafka, admin: Admin, steps: readonly BrokerStep[]): Promise<void> {
  const topics = ofKind(steps, 'create-topic').map(newTopic)
  if (topics.length > 0) {
    await asking('checking new topics', () => admin.createTopics({ topics, validateOnly: true, waitForLeaders: false }))
  }
  const topicPartitions = ofKind(steps, 'grow-topic').map(({ topic, to }) => ({ topic, count: to }))
  if (topicPartitions.length > 0) {
    await asking('checking new partitions', () => admin.createPartitions({ topicPartitions, validateOnly: true }))
  }
  const changes = ofKind(steps, 'change-config').map(({ topic, name, to }) => ({ topic, name, value: to }))
  if (changes.length > 0) {
    await asking('checking settings of topics', () => alterConfigs(kafka, changes, { validateOnly: true }))
  }
}

interface Clients {
  readonly kafka: Kafka
  readonly admin: Admin
  readonly directory: Directory
  readonly settings: Settings
}

async function performStep(asking: Asking, { kafka, admin, directory }: Clients, step: BrokerStep): Promise<void> {
  switch (step.kind) {
    case 'create-topic': {
      await asking(`creating topic ${step.topic}`, async () => {
        try {
          await admin.createTopics({ topics: [newTopic(step)], waitForLeaders: false })
        } catch (error) {
          passIfExisting(error)
        }
      })
      await directory.appeared(step.topic)
      return
    }
    case 'grow-topic': {
      await asking(`adding partitions to ${step.topic}`, async () => {
        try {
          await admin.createPartitions({ topicPartitions: [{ topic: step.topic, count: step.to }] })
        } catch (error) {
          if (failureOf(error).code !== invalidPartitions) throw error
          // An answer that was lost: the request before this one did it.
          if ((await directory.appeared(step.topic)) !== step.to) throw error
        }
      })
      return
    }
    case 'change-config': {
      const { topic, name, to } = step
      await asking(`setting ${name} of ${topic}`, () => alterConfigs(kafka, [{ topic, name, value: to }]))
      return
    }
    case 'add-acl': {
      await asking('adding a right', () => admin.createAcls({ acl: [aclEntry(step.acl)] }))
      return
    }
    case 'remove-acl': {
      await asking('taking a right away', () => admin.deleteAcls({ filters: [aclEntry(step.acl)] }))
      return
    }
  }
}
