import { createRequire } from 'node:module'
import type { Kafka } from 'kafkajs'
import { clusterOf } from './kafkajs-internals.ts'

const apiKey = 44
const topicResource = 2
const set = 0

/** One setting of one topic. */
export interface ConfigChange {
  readonly topic: string
  readonly name: string
  readonly value: string
}

/**
 * Sets single settings of topics and leaves all others as they are. kafkajs speaks AlterConfigs only, which puts every
 * setting that it is not told back to the default, also those that somebody else set in between; this is
 * IncrementalAlterConfigs, version 0 (KIP-339). With `validateOnly` the broker checks them and changes nothing.
 *
 * Rejects with kafkajs's own errors, and with the broker's sentence where it refuses a value.
 */
export async function alterConfigs(
  kafka: Kafka,
  changes: readonly ConfigChange[],
  { validateOnly = false }: { readonly validateOnly?: boolean } = {},
): Promise<void> {
  const cluster = clusterOf(kafka)
  await cluster.connect()
  try {
    const broker = await cluster.brokerPool.findConnectedBroker()
    const { brokers } = await broker.metadata([])
    const pool = await cluster.connectionPoolBuilder.build(brokers[0]!)
    pool.setVersions(cluster.brokerPool.versions)
    pool.setSupportAuthenticationProtocol(true)
    try {
      const answers = (await pool.send({
        request: {
          apiKey,
          apiVersion: 0,
          apiName: 'IncrementalAlterConfigs',
          encode: async () => {
            const buffer = encode(changes, validateOnly)
            return { buf: buffer, buffer }
          },
        },
        response: {
          decode: async (answer: Buffer) => ({ answer, clientSideThrottleTime: answer.readInt32BE(0) }),
          parse: async ({ answer }: { answer: Buffer }) => decode(answer),
        },
      })) as readonly Answer[]
      const failed = answers.find(({ code }) => code !== 0)
      if (failed) throw brokerError(failed)
    } finally {
      await pool.destroy()
    }
  } finally {
    await cluster.disconnect()
  }
}

interface Answer {
  readonly code: number
  readonly message: string | null
  readonly topic: string
}

const { createErrorFromCode } = createRequire(import.meta.url)('kafkajs/src/protocol/error') as {
  readonly createErrorFromCode: (code: number) => Error & { message: string }
}

function brokerError({ code, message, topic }: Answer): Error {
  const error = createErrorFromCode(code)
  if (message) error.message = `${topic}: ${message}`
  return error
}

function encode(changes: readonly ConfigChange[], validateOnly: boolean): Buffer {
  const byTopic = Map.groupBy(changes, ({ topic }) => topic)
  const parts: Buffer[] = [int32(byTopic.size)]
  for (const [topic, settings] of byTopic) {
    parts.push(Buffer.of(topicResource), text(topic), int32(settings.length))
    for (const { name, value } of settings) parts.push(text(name), Buffer.of(set), text(value))
  }
  return Buffer.concat([...parts, Buffer.of(validateOnly ? 1 : 0)])
}

function decode(answer: Buffer): readonly Answer[] {
  let at = 8
  const string = (): string | null => {
    const length = answer.readInt16BE(at)
    at += 2
    if (length < 0) return null
    at += length
    return answer.toString('utf8', at - length, at)
  }
  return Array.from({ length: answer.readInt32BE(4) }, () => {
    const code = answer.readInt16BE(at)
    at += 2
    const message = string()
    at += 1
    return { code, message, topic: string() ?? '' }
  })
}

function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeInt32BE(value)
  return bytes
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  const length = Buffer.allocUnsafe(2)
  length.writeInt16BE(bytes.length)
  return Buffer.concat([length, bytes])
}
