import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { KafkaLogOptions } from '../../connectors/kafka/index.ts'
import { KeyringError } from '../../connectors/keyring/index.ts'
import { readSecretFile } from '../../connectors/keyring/secret-file.ts'
import type { RedisViewOptions } from '../../connectors/redis/index.ts'
import type { ConfluentRegistryOptions } from '../../connectors/registry/index.ts'
import type { Settings } from '../runtime/settings.ts'
import { SettingsError } from '../runtime/settings-error.ts'
import type { TlsFiles } from '../runtime/settings-services.ts'

/** How the services of a deployment are reached, passwords and keys read from their files. */
export interface Connections {
  readonly kafka: KafkaLogOptions | undefined
  readonly registry: ConfluentRegistryOptions | undefined
  readonly redis: RedisViewOptions | undefined
}

/** All three at once. Throws `SettingsError` with every file that cannot be used. */
export function connectionsOf(settings: Settings): Connections {
  const problems: string[] = []
  const collect = <T>(read: (settings: Settings) => T): T | undefined => {
    try {
      return read(settings)
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error
      problems.push(...error.problems)
      return undefined
    }
  }
  const connections = {
    kafka: collect(kafkaOptionsOf),
    registry: collect(registryOptionsOf),
    redis: collect(redisOptionsOf),
  }
  if (problems.length > 0) throw new SettingsError(problems)
  return connections
}

/** How Kafka is reached; `undefined` where no broker is named. Throws `SettingsError` for files that cannot be used. */
export function kafkaOptionsOf({ kafka }: Settings): KafkaLogOptions | undefined {
  if (!kafka) return undefined
  const files = reading()
  const tls = files.tls('kafka', kafka)
  const password = files.password('kafka.sasl', kafka.sasl?.passwordFile)
  files.refuse()
  const { brokers, sasl, compression, replicationFactor } = kafka
  return {
    brokers,
    compression,
    ...(kafka.tls ? { ssl: Object.keys(tls).length > 0 ? tls : true } : {}),
    ...(sasl && password !== undefined
      ? { sasl: { mechanism: sasl.mechanism, username: sasl.username, password } }
      : {}),
    ...(replicationFactor === undefined ? {} : { replicationFactor }),
  }
}

/** How the registry is reached; `undefined` where none is named. Throws `SettingsError` for files that cannot be used. */
export function registryOptionsOf({ registry }: Settings): ConfluentRegistryOptions | undefined {
  if (!registry) return undefined
  const files = reading()
  const tls = files.tls('registry', registry)
  const password = files.password('registry', registry.user?.passwordFile)
  files.refuse()
  const url = new URL(registry.url)
  if (registry.user && password !== undefined) {
    url.username = encodeURIComponent(registry.user.username)
    url.password = encodeURIComponent(password)
  }
  return { url: url.href, ...(Object.keys(tls).length > 0 ? { tls } : {}) }
}

/** How Redis is reached; `undefined` where no node is named. Throws `SettingsError` for files that cannot be used. */
export function redisOptionsOf({ redis }: Settings): RedisViewOptions | undefined {
  if (!redis) return undefined
  const files = reading()
  const tls = files.tls('redis', redis)
  const password = files.password('redis', redis.passwordFile)
  files.refuse()
  const { nodes, cluster, username, keyPrefix } = redis
  return {
    nodes,
    cluster,
    keyPrefix,
    ...(redis.tls ? { tls } : {}),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  }
}

interface PemTexts {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

/** Reads the files that settings name and gathers what is wrong with them. No message holds what a file holds. */
function reading(): {
  readonly tls: (service: string, files: TlsFiles) => PemTexts
  readonly password: (prefix: string, path: string | undefined) => string | undefined
  /** Throws `SettingsError` if anything was wrong. */
  readonly refuse: () => void
} {
  const problems: string[] = []
  const secret = (setting: string, path: string): string | undefined => {
    try {
      return readSecretFile(path, `write the secret into it, and chmod 600 it`, `the folder of ${setting}`).toString(
        'utf8',
      )
    } catch (error) {
      if (!(error instanceof KeyringError)) throw error
      problems.push(`${setting} cannot be used: ${error.message}`)
      return undefined
    }
  }
  const certificate = (setting: string, path: string | undefined): string | undefined => {
    if (path === undefined) return undefined
    const name = basename(path)
    try {
      const text = readFileSync(path, 'utf8')
      new X509Certificate(text)
      return text
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      const why =
        code === 'ENOENT'
          ? 'does not exist'
          : code?.startsWith('E') && !code.startsWith('ERR_')
            ? `cannot be read (${code})`
            : 'holds no certificate in PEM'
      problems.push(`${setting} cannot be used: ${name} ${why}`)
      return undefined
    }
  }
  const privateKey = (setting: string, path: string | undefined, cert: string | undefined): string | undefined => {
    const text = path === undefined ? undefined : secret(setting, path)
    if (path === undefined || text === undefined) return undefined
    try {
      const key = createPrivateKey(text)
      if (cert === undefined || new X509Certificate(cert).checkPrivateKey(key)) return text
      problems.push(`${setting} cannot be used: ${basename(path)} is not the key of the certificate`)
    } catch {
      problems.push(`${setting} cannot be used: ${basename(path)} holds no unencrypted private key in PEM`)
    }
    return undefined
  }
  return {
    tls: (service, { caFile, certFile, keyFile }) => {
      const ca = certificate(`${service}.caFile`, caFile)
      const cert = certificate(`${service}.certFile`, certFile)
      const key = privateKey(`${service}.keyFile`, keyFile, cert)
      return {
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
      }
    },
    password: (prefix, path) => {
      const setting = `${prefix}.passwordFile`
      const text = path === undefined ? undefined : secret(setting, path)?.replace(/\r?\n$/, '')
      if (text !== '') return text
      problems.push(`${setting} cannot be used: ${basename(path ?? '')} is empty`)
      return undefined
    },
    refuse: () => {
      if (problems.length > 0) throw new SettingsError(problems)
    },
  }
}
