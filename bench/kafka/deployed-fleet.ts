import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kafkaLog } from '../../connectors/kafka/index.ts'
import { confluentSchemaRegistry } from '../../connectors/registry/index.ts'
import { days } from '../../operators/contract/clock.ts'
import { loadRegister } from '../../pipelines/cli/register-topic.ts'
import { readSettings } from '../../pipelines/runtime/settings.ts'
import { openWire } from '../../pipelines/runtime/wire.ts'
import { topicSpecs, topics } from '../../schemas/topics.ts'
import { ownServices } from '../../test/helpers/services.ts'
import { createFleet, type Tick } from '../fleet/index.ts'
import { meterSecrets } from '../fleet/keys.ts'

const seed = 1
const dayMs = 86_400_000

export interface DeployedFleetOptions {
  readonly homes: number
  readonly partitions: number
  /** Days before today on which the fleet's day began. Default 2: its last retries are behind us. */
  readonly daysAgo?: number
}

/**
 * Kafka, a registry and Redis of our own with the topics, schemas, keys and register that a fleet needs, and its day to be
 * appended: what `meterveil run` finds in a deployment.
 */
export async function deployFleet({ homes, partitions, daysAgo = 2 }: DeployedFleetOptions) {
  const own = await ownServices({ kafka: true, registry: true, redis: true })
  if (own.skip) throw new Error(own.skip)
  const start = Math.floor(Date.now() / dayMs) * dayMs - daysAgo * dayMs
  const profileNames = { described: 'interval-30min', objects: 'interval-30min' }
  const fleet = createFleet({ seed, homes, start, timeZone: 'UTC', partitions, profileNames })
  const folder = mkdtempSync(join(tmpdir(), 'meterveil-bench-'))
  writeKeys(
    folder,
    fleet.entries.map(({ keyRef }) => keyRef),
  )
  const brokers = own.address('kafka').split(',')
  const log = kafkaLog({ brokers })
  await log.createTopics(topicSpecs(partitions))
  const registry = confluentSchemaRegistry({ url: own.address('registry') })
  const wire = await openWire(registry, Object.values(topics))
  await loadRegister(log, registry, fleet.entries, { horizonDays: 14, remove: false, dryRun: false, now: Date.now() })
  const redis = new URL(own.address('redis'))
  const settings = readSettings({
    env: {
      METERVEIL_MODE: 'development',
      METERVEIL_PARTITIONS: String(partitions),
      METERVEIL_KAFKA_BROKERS: brokers.join(','),
      METERVEIL_REGISTRY_URL: own.address('registry'),
      METERVEIL_REDIS_NODES: redis.host,
      METERVEIL_KEYRING_FOLDER: folder,
      METERVEIL_ZONE: fleet.entries[0]!.zone,
      METERVEIL_ASSIGNMENT: 'ordinal',
      METERVEIL_ORDINAL: '0',
      METERVEIL_WORKERS: '1',
    },
  })
  return {
    own,
    brokers,
    log,
    fleet,
    settings,
    end: start + days(1) + dayMs,
    /** Appends the frames of some ticks; answers how many, and how many bytes. */
    append: async (ticks: Iterable<Tick>) => {
      let frames = 0
      let bytes = 0
      let records: Parameters<typeof log.append>[0][number][] = []
      const flush = async () => {
        await log.append(records)
        records = []
      }
      for (const { arrivals } of ticks) {
        for (const { partition, frame } of arrivals) {
          const value = wire.encode(topics.meterFrames, frame)
          records.push({ topic: topics.meterFrames.name, partition, key: null, value })
          bytes += value.length
          frames += 1
        }
        if (records.length > 5_000) await flush()
      }
      await flush()
      return { frames, bytes }
    },
    close: async () => {
      await log.close()
      await own.stop()
      rmSync(folder, { recursive: true })
    },
  }
}

function writeKeys(folder: string, references: readonly string[]): void {
  const secret = (name: string, text: string) => writeFileSync(join(folder, name), text, { mode: 0o600 })
  mkdirSync(folder, { recursive: true })
  secret('master.key', '5a'.repeat(32))
  const meters = references.map((ref) => {
    const { encryption, authentication } = meterSecrets(seed, ref)!
    const hex = { encryption: encryption.export().toString('hex'), authentication: Buffer.from(authentication) }
    return `${JSON.stringify({ ref, ...hex, authentication: hex.authentication.toString('hex') })}\n`
  })
  secret('meters.jsonl', meters.join(''))
}
