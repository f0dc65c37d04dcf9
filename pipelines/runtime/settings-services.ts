import { z } from 'zod'
import { addresses, flag, hostAndPort, oneOf, path, type SettingSpec, userName, whole } from './settings-kinds.ts'

/** Files that prove who both sides are, in PEM. */
export interface TlsFiles {
  /** Authorities that vouch for the server; `undefined` takes the machine's own. */
  readonly caFile: string | undefined
  /** Certificate and key of this side, for mutual TLS. */
  readonly certFile: string | undefined
  readonly keyFile: string | undefined
}

/** A user whose password lies in a secret file. */
export interface User {
  readonly username: string
  readonly passwordFile: string
}

export interface KafkaSettings extends TlsFiles {
  /** `host:port` of some brokers. */
  readonly brokers: readonly string[]
  readonly tls: boolean
  readonly sasl: (User & { readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512' }) | undefined
  readonly compression: 'none' | 'gzip' | 'zstd'
  /** Of topics that are created; `undefined` leaves it to the brokers. */
  readonly replicationFactor: number | undefined
}

export interface RegistrySettings extends TlsFiles {
  /** Address without user and password. */
  readonly url: string
  readonly user: User | undefined
}

export interface RedisSettings extends TlsFiles {
  readonly nodes: readonly { readonly host: string; readonly port: number }[]
  readonly cluster: boolean
  readonly tls: boolean
  readonly username: string | undefined
  readonly passwordFile: string | undefined
  readonly keyPrefix: string
}

/** The services of a deployment. Without Kafka there are none: everything stays inside the process. */
export interface Services {
  readonly kafka: KafkaSettings | undefined
  readonly registry: RegistrySettings | undefined
  readonly redis: RedisSettings | undefined
}

type Service = keyof Services

const titles: Readonly<Record<Service, string>> = { kafka: 'the brokers', registry: 'the registry', redis: 'Redis' }

const files = (service: Service): readonly SettingSpec[] => {
  const prefix = `METERVEIL_${service.toUpperCase()}`
  const whose = titles[service]
  return [
    {
      key: `${service}.caFile`,
      variable: `${prefix}_CA_FILE`,
      ...path,
      fallback: "the machine's authorities",
      help: `PEM file of the authorities that vouch for ${whose}.`,
    },
    {
      key: `${service}.certFile`,
      variable: `${prefix}_CERT_FILE`,
      ...path,
      fallback: 'no mutual TLS',
      help: `PEM file of the certificate that is shown to ${whose}.`,
    },
    {
      key: `${service}.keyFile`,
      variable: `${prefix}_KEY_FILE`,
      ...path,
      fallback: 'no mutual TLS',
      help: 'PEM file of its private key, of mode 0600 and owned by the user.',
    },
  ]
}

const passwordHelp = 'File that holds its password, of mode 0600 and owned by the user.'

/** Settings of Kafka, registry and Redis. */
export const serviceSpecs: readonly SettingSpec[] = [
  {
    key: 'kafka.brokers',
    variable: 'METERVEIL_KAFKA_BROKERS',
    ...addresses,
    fallback: 'log inside the process',
    help: 'Some brokers of Kafka. `run` then needs registry.url and redis.nodes too.',
  },
  {
    key: 'kafka.tls',
    variable: 'METERVEIL_KAFKA_TLS',
    ...flag,
    fallback: 'false',
    help: 'Speak TLS to the brokers; required in production.',
  },
  ...files('kafka'),
  {
    key: 'kafka.sasl.mechanism',
    variable: 'METERVEIL_KAFKA_SASL_MECHANISM',
    ...oneOf('plain', 'scram-sha-256', 'scram-sha-512'),
    fallback: 'no SASL',
    help: 'How the brokers check the password.',
  },
  {
    key: 'kafka.sasl.username',
    variable: 'METERVEIL_KAFKA_SASL_USERNAME',
    ...userName,
    fallback: 'no SASL',
    help: 'User at the brokers.',
  },
  {
    key: 'kafka.sasl.passwordFile',
    variable: 'METERVEIL_KAFKA_SASL_PASSWORD_FILE',
    ...path,
    fallback: 'no SASL',
    help: passwordHelp,
  },
  {
    key: 'kafka.compression',
    variable: 'METERVEIL_KAFKA_COMPRESSION',
    ...oneOf('none', 'gzip', 'zstd'),
    fallback: 'none',
    help: 'What sends are compressed with. Frames are ciphertext and gain nothing.',
  },
  {
    key: 'kafka.replicationFactor',
    variable: 'METERVEIL_KAFKA_REPLICATION_FACTOR',
    ...whole(1, 15),
    fallback: "the brokers' default",
    help: 'Replicas of topics that `topics apply` creates.',
  },
  {
    key: 'registry.url',
    variable: 'METERVEIL_REGISTRY_URL',
    schema: z.string().refine(isRegistryUrl),
    range: 'an http or https address without user and password, such as https://host:8081/apis/ccompat/v7',
    withheld: true,
    fallback: 'registry inside the process',
    help: 'Base address of the Confluent-compatible API of the schema registry; https is required in production.',
  },
  {
    key: 'registry.username',
    variable: 'METERVEIL_REGISTRY_USERNAME',
    ...userName,
    fallback: 'no user',
    help: 'User of basic authentication.',
  },
  {
    key: 'registry.passwordFile',
    variable: 'METERVEIL_REGISTRY_PASSWORD_FILE',
    ...path,
    fallback: 'no user',
    help: passwordHelp,
  },
  ...files('registry'),
  {
    key: 'redis.nodes',
    variable: 'METERVEIL_REDIS_NODES',
    ...addresses,
    fallback: 'view inside the process',
    help: 'The Redis server, or some nodes of a Cluster.',
  },
  {
    key: 'redis.cluster',
    variable: 'METERVEIL_REDIS_CLUSTER',
    ...flag,
    fallback: 'false',
    help: 'Whether the nodes form a Cluster.',
  },
  {
    key: 'redis.tls',
    variable: 'METERVEIL_REDIS_TLS',
    ...flag,
    fallback: 'false',
    help: 'Speak TLS to Redis; required in production.',
  },
  ...files('redis'),
  {
    key: 'redis.username',
    variable: 'METERVEIL_REDIS_USERNAME',
    ...userName,
    fallback: 'the default user',
    help: 'User of the access control list.',
  },
  {
    key: 'redis.passwordFile',
    variable: 'METERVEIL_REDIS_PASSWORD_FILE',
    ...path,
    fallback: 'no password',
    help: passwordHelp,
  },
  {
    key: 'redis.keyPrefix',
    variable: 'METERVEIL_REDIS_KEY_PREFIX',
    schema: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/),
    range: 'up to 64 letters, digits and ._:-',
    fallback: 'meterveil',
    help: 'Begins every key, so that deployments can share a server.',
  },
]

/** The settings that are given. */
export interface Given {
  /** Also of a setting whose value is wrong, which is told already. */
  readonly has: (key: string) => boolean
  readonly value: (key: string) => unknown
  readonly mode: 'production' | 'development'
}

const addressKeys: Readonly<Record<Service, string>> = {
  kafka: 'kafka.brokers',
  registry: 'registry.url',
  redis: 'redis.nodes',
}
const services = ['kafka', 'registry', 'redis'] as const

/** What contradicts itself, leaves out what belongs to it, or would speak in the clear in production. */
export function serviceProblems(given: Given): string[] {
  const { has } = given
  const problems: string[] = []
  for (const service of services) {
    const needs = addressKeys[service]
    if (has(needs)) problems.push(...tlsProblems(service, given))
    else
      for (const { key } of serviceSpecs)
        if (key.startsWith(`${service}.`) && has(key)) problems.push(`${key} means nothing without ${needs}: set both`)
  }
  for (const service of ['registry', 'redis'] as const) {
    if (has(addressKeys[service]) && !has('kafka.brokers'))
      problems.push(`${addressKeys[service]} means nothing without kafka.brokers: set both`)
  }
  if (has('dataFolder') && has('kafka.brokers'))
    problems.push('dataFolder and kafka.brokers are two places for one log: unset one of them')
  problems.push(...missing(has, ['kafka.sasl.mechanism', 'kafka.sasl.username', 'kafka.sasl.passwordFile']))
  problems.push(...missing(has, ['registry.username', 'registry.passwordFile']))
  if (has('redis.username')) problems.push(...missing(has, ['redis.username', 'redis.passwordFile']))
  return problems
}

function tlsProblems(service: Service, given: Given): string[] {
  const { has, mode } = given
  const pair = missing(has, [`${service}.certFile`, `${service}.keyFile`])
  if (isEncrypted(service, given)) return pair
  const needs = service === 'registry' ? 'an https registry.url' : `${service}.tls`
  const useless = ['caFile', 'certFile', 'keyFile']
    .map((name) => `${service}.${name}`)
    .filter(has)
    .map((key) => `${key} means nothing without ${needs}: set both`)
  return [...pair, ...useless, ...(mode === 'production' ? [plaintext(service)] : [])]
}

function isEncrypted(service: Service, { value }: Given): boolean {
  if (service !== 'registry') return value(`${service}.tls`) === true
  const url = value('registry.url') as string | undefined
  return url === undefined || url.startsWith('https:')
}

/** The services that are named; the values must have no problems. */
export function servicesFrom(given: Given): Services {
  const { has, value } = given
  const text = (key: string) => value(key) as string | undefined
  const tlsFiles = (service: Service): TlsFiles => ({
    caFile: text(`${service}.caFile`),
    certFile: text(`${service}.certFile`),
    keyFile: text(`${service}.keyFile`),
  })
  const user = (prefix: string): User | undefined => {
    const [username, passwordFile] = [text(`${prefix}.username`), text(`${prefix}.passwordFile`)]
    return username === undefined || passwordFile === undefined ? undefined : { username, passwordFile }
  }
  const sasl = user('kafka.sasl')
  return {
    kafka: has('kafka.brokers')
      ? {
          brokers: value('kafka.brokers') as readonly string[],
          tls: isEncrypted('kafka', given),
          ...tlsFiles('kafka'),
          sasl: sasl && { ...sasl, mechanism: text('kafka.sasl.mechanism') as 'plain' },
          compression: (text('kafka.compression') ?? 'none') as KafkaSettings['compression'],
          replicationFactor: value('kafka.replicationFactor') as number | undefined,
        }
      : undefined,
    registry: has('registry.url')
      ? { url: text('registry.url') ?? '', user: user('registry'), ...tlsFiles('registry') }
      : undefined,
    redis: has('redis.nodes')
      ? {
          nodes: (value('redis.nodes') as readonly string[]).map(hostAndPort),
          cluster: value('redis.cluster') === true,
          tls: isEncrypted('redis', given),
          ...tlsFiles('redis'),
          username: text('redis.username'),
          passwordFile: text('redis.passwordFile'),
          keyPrefix: text('redis.keyPrefix') ?? 'meterveil',
        }
      : undefined,
  }
}

const plaintext = (service: Service): string =>
  service === 'registry'
    ? 'registry.url is a plain http address, which mode "production" refuses: use https, or set mode to "development"'
    : `${service}.tls is not set, and mode "production" refuses a plaintext listener: set ${service}.tls to true, or mode to "development"`

function missing(has: (key: string) => boolean, keys: readonly string[]): string[] {
  const given = keys.filter(has)
  if (given.length === 0) return []
  return keys.filter((key) => !has(key)).map((key) => `${key} is missing: it belongs to ${given.join(' and ')}`)
}

function isRegistryUrl(text: string): boolean {
  const url = URL.parse(text)
  if (url === null || !['http:', 'https:'].includes(url.protocol)) return false
  return url.username === '' && url.password === '' && url.search === '' && url.hash === ''
}
