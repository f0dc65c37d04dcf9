// Kafka with ACLs, a registry and Redis behind TLS, as a production deployment meets them, for the real command.
import { mkdirSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect as connectPlain } from 'node:net'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import kafkajs, { type AclEntry, type Admin } from 'kafkajs'
import { type Right, type Role, rightsOf } from '../../../schemas/access.ts'
import { type TopicName, topicSpecs, topics } from '../../../schemas/topics.ts'
import type { OwnServices } from '../../helpers/services.ts'
import { type Started, start } from './command.ts'

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ConfigResourceTypes, Kafka, ResourcePatternTypes } =
  kafkajs

type Env = Readonly<Record<string, string>>

/** A door with TLS in front of a plain service. */
export async function tlsDoor(own: OwnServices, target: string): Promise<{ address: string; close: () => void }> {
  const { cert, key } = own.credentials('broker')
  const [host, port] = target.split(':') as [string, string]
  const server = createServer({ cert, key }, (socket) => {
    const inner = connectPlain(Number(port), host)
    inner.on('error', () => socket.destroy())
    socket.on('error', () => inner.destroy())
    socket.pipe(inner).pipe(socket)
  })
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  server.unref()
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() }
}

/** Writes what a principal proves itself with into files, and answers the settings that name them. */
export function credentialFiles(own: OwnServices, folder: string, principal: string): Env {
  const at = join(folder, principal)
  mkdirSync(at, { recursive: true })
  const { ca, cert, key } = own.credentials(principal)
  const write = (name: string, text: string) => {
    writeFileSync(join(at, name), text, { mode: 0o600 })
    return join(at, name)
  }
  return {
    METERVEIL_KAFKA_BROKERS: own.address('kafka'),
    METERVEIL_KAFKA_TLS: 'true',
    METERVEIL_KAFKA_CA_FILE: write('ca.crt', ca),
    METERVEIL_KAFKA_CERT_FILE: write('own.crt', cert),
    METERVEIL_KAFKA_KEY_FILE: write('own.key', key),
  }
}

/** The same principal with its password, or with another one. */
export function passwordFiles(own: OwnServices, folder: string, principal: string, password?: string): Env {
  const file = join(folder, `${principal}.password`)
  writeFileSync(file, `${password ?? own.credentials(principal).password}\n`, { mode: 0o600 })
  const {
    METERVEIL_KAFKA_CERT_FILE: _cert,
    METERVEIL_KAFKA_KEY_FILE: _key,
    ...tls
  } = credentialFiles(own, folder, principal)
  return {
    ...tls,
    METERVEIL_KAFKA_BROKERS: own.saslAddress(),
    METERVEIL_KAFKA_SASL_MECHANISM: 'scram-sha-512',
    METERVEIL_KAFKA_SASL_USERNAME: principal,
    METERVEIL_KAFKA_SASL_PASSWORD_FILE: file,
  }
}

/** Everything that the administrator does by hand here. */
export async function administrator(own: OwnServices) {
  const { ca, cert, key } = own.credentials('admin')
  const client = new Kafka({
    brokers: own.address('kafka').split(','),
    ssl: { ca, cert, key },
    logLevel: kafkajs.logLevel.NOTHING,
  }).admin()
  await client.connect()
  return {
    client,
    create: (names: readonly TopicName[], partitions: number, configs: Readonly<Record<string, string>> = {}) =>
      create(client, names, partitions, configs),
    grow: (topic: string, count: number) =>
      client.createPartitions({ topicPartitions: [{ topic, count }] }).then(() => {}),
    /** Sets these, and everything else back to the brokers' default. */
    setConfigs: (topic: string, configs: Readonly<Record<string, string>>) =>
      client
        .alterConfigs({
          validateOnly: false,
          resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries: entriesOf(configs) }],
        })
        .then(() => {}),
    /** Grants a principal what roles need, less what is left out. */
    grant: (principal: string, roles: readonly Role[], without: (right: Right) => boolean = () => false) =>
      client.createAcls({ acl: aclsOf(principal, roles, without) }).then(() => {}),
  }
}

const entriesOf = (configs: Readonly<Record<string, string>>) =>
  Object.entries(configs).map(([name, value]) => ({ name, value }))

async function create(
  client: Admin,
  names: readonly TopicName[],
  partitions: number,
  configs: Readonly<Record<string, string>>,
): Promise<void> {
  const chosen = topicSpecs(partitions).filter(({ name }) => names.includes(name))
  await client.createTopics({
    waitForLeaders: false,
    topics: chosen.map((spec) => ({
      topic: spec.name,
      numPartitions: spec.partitions,
      replicationFactor: 1,
      configEntries: entriesOf({
        'message.timestamp.type': spec.timestamps === 'append' ? 'LogAppendTime' : 'CreateTime',
        'cleanup.policy': spec.cleanup,
        'retention.ms': String(spec.retentionMs ?? -1),
        ...configs,
      }),
    })),
  })
}

function aclsOf(principal: string, roles: readonly Role[], without: (right: Right) => boolean): AclEntry[] {
  const names = Object.values(topics).map(({ name }) => name)
  const kinds = { topic: 'TOPIC', group: 'GROUP', 'transactional-id': 'TRANSACTIONAL_ID', cluster: 'CLUSTER' } as const
  return roles
    .flatMap((role) => rightsOf(role, names))
    .filter((right) => !without(right))
    .flatMap(({ resource, name, pattern, operations }) =>
      operations.map((operation) => ({
        principal: `User:${principal}`,
        host: '*',
        resourceType: AclResourceTypes[kinds[resource]],
        resourceName: name,
        resourcePatternType: pattern === 'literal' ? ResourcePatternTypes.LITERAL : ResourcePatternTypes.PREFIXED,
        operation: AclOperationTypes[operation.toUpperCase().replace('-', '_') as 'READ'],
        permissionType: AclPermissionTypes.ALLOW,
      })),
    )
}

/** Starts the real command, which must end by itself. */
export const ends = (args: readonly string[], env: Env, main: string) => (start(args, env, main) as Started).ended
