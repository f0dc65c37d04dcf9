import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'
import kafkajs, { type Kafka as KafkaClient, type KafkaConfig, type SASLOptions } from 'kafkajs'
import type { Settings } from './options.ts'

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs

// kafkajs names zstd but brings no codec for it.
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: ({ buffer }: { readonly buffer: Buffer }) => promisify(zstdCompress)(buffer),
  decompress: (bytes: Buffer) => promisify(zstdDecompress)(bytes),
})

export const compressionTypes = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  zstd: CompressionTypes.ZSTD,
} as const

const levelNames = new Map([
  [logLevel.ERROR, 'error'],
  [logLevel.WARN, 'warn'],
  [logLevel.INFO, 'info'],
  [logLevel.DEBUG, 'debug'],
] as const)

/**
 * A kafkajs client: silent unless somebody listens, and impatient, because retries and deadlines are ours. `retries` are its
 * own, of a connection or a request.
 */
export function createClient(settings: Settings, { retries = 6 }: { readonly retries?: number } = {}): KafkaClient {
  const { brokers, clientId, ssl, sasl, connectionTimeoutMs, requestTimeoutMs, onDiagnostic } = settings
  const config: KafkaConfig = {
    brokers: [...brokers],
    clientId,
    connectionTimeout: connectionTimeoutMs,
    requestTimeout: requestTimeoutMs,
    retry: { initialRetryTime: 20, maxRetryTime: 1_000, factor: 0, multiplier: 2, retries },
    logLevel: onDiagnostic === undefined ? logLevel.NOTHING : logLevel.INFO,
    logCreator:
      () =>
      ({ level, log: { message, broker, error } }) => {
        const parts = [message, broker, error].filter((part) => typeof part === 'string')
        onDiagnostic?.(levelNames.get(level as 1) ?? 'info', parts.join(' '))
      },
  }
  if (ssl !== undefined) config.ssl = ssl
  if (sasl !== undefined) config.sasl = { ...sasl } as SASLOptions
  return new Kafka(config)
}
