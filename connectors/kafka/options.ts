import type { ConnectionOptions } from 'node:tls'

/** Where the brokers are, how to prove who we are, and how long to wait for answers. Times in ms. */
export interface KafkaLogOptions {
  /** `host:port` of some brokers; the others are found through them. */
  readonly brokers: readonly string[]
  /** Name in the brokers' logs and quotas. Optional: `meterveil`. */
  readonly clientId?: string
  /** TLS: `true` for the machine's own authorities, or `ca`, and `key` and `cert` for mutual TLS. Optional: none. */
  readonly ssl?: boolean | Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'passphrase' | 'servername'>
  /** SASL user. Optional: none. */
  readonly sasl?: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
    readonly username: string
    readonly password: string
  }
  /** What sends are compressed with; ciphertext gains nothing from it. Optional: `none`. */
  readonly compression?: 'none' | 'gzip' | 'zstd'
  /** Replicas of topics created here. Optional: the brokers' default. */
  readonly replicationFactor?: number
  /** How long a call may take, retries included. Optional: 30,000. */
  readonly deadlineMs?: number
  /** How long one request may stay unanswered. Optional: 15,000. */
  readonly requestTimeoutMs?: number
  /** How long to wait for a connection. Optional: 5,000. */
  readonly connectionTimeoutMs?: number
  /** A member not heard of for so long is out of its group. Optional: 6,000. */
  readonly sessionTimeoutMs?: number
  /** How long a group waits for a member that gives its partitions up. Optional: 60,000. */
  readonly rebalanceTimeoutMs?: number
  /** How long a count of partitions is believed: a group gives out new ones at the latest after it. Optional: 10,000. */
  readonly metadataMaxAgeMs?: number
  /** Told what the client has to say about connections and retries. Never record content. Optional: nobody. */
  readonly onDiagnostic?: (level: 'error' | 'warn' | 'info' | 'debug', message: string) => void
}

/** Options with their defaults. */
export type Settings = Required<Omit<KafkaLogOptions, 'ssl' | 'sasl' | 'replicationFactor' | 'onDiagnostic'>> &
  Pick<KafkaLogOptions, 'ssl' | 'sasl' | 'replicationFactor' | 'onDiagnostic'>

export function withDefaults(options: KafkaLogOptions): Settings {
  return {
    clientId: 'meterveil',
    compression: 'none',
    deadlineMs: 30_000,
    requestTimeoutMs: 15_000,
    connectionTimeoutMs: 5_000,
    sessionTimeoutMs: 6_000,
    rebalanceTimeoutMs: 60_000,
    metadataMaxAgeMs: 10_000,
    ...options,
  }
}
