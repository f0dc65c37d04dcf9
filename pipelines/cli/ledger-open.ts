import { type Log, LogError, type LogRecord, type SchemaRegistry } from '../../connectors/contract.ts'
import { openLogView } from '../../connectors/memory/index.ts'
import type { LedgerRecord } from '../../schemas/ledger-record.ts'
import type { LoadPublic } from '../../schemas/load-public.ts'
import { topics } from '../../schemas/topics.ts'
import type { Settings } from '../runtime/settings.ts'
import { SettingsError } from '../runtime/settings-error.ts'
import type { AnyTopic } from '../runtime/stream.ts'
import { openWire } from '../runtime/wire.ts'
import { CliError } from './errors.ts'
import { asked, folderRegistry, refuseFolder } from './folder-registry.ts'

const ledgerTopic = topics.releaseLedger as AnyTopic
const publicTopic = topics.loadPublic as AnyTopic

/** A public copy as it lies in the log. */
export interface PublicCopy {
  readonly key: string
  readonly bytes: Uint8Array
  readonly timestamp: number
  /** Ledger link that it names; undefined where it does not fit its schema. */
  readonly seq: number | undefined
}

/** The ledger of a deployment and what was published from it, to be read only. */
export interface OpenedLedger {
  /** Links in order; undefined stands for a record that does not fit the schema. */
  readonly links: () => AsyncGenerator<LedgerRecord | undefined>
  /** Copies of load.public by partition, in order, as far as they are now; undefined where it cannot be read. */
  readonly copies: () => Promise<readonly AsyncGenerator<PublicCopy>[] | undefined>
  /** Reads the sealed bytes of a public record. */
  readonly decodePublic: (bytes: Uint8Array) => LoadPublic
  readonly close: () => Promise<void>
}

/**
 * Opens the ledger where the settings say that it lies: in Kafka, or in the folder of the durable log, also while a process
 * runs over that. Nothing is written, locked, joined or registered. Rejects with one sentence where it cannot be read.
 */
export async function openLedger(settings: Settings, dataFolder?: string): Promise<OpenedLedger> {
  const folder = dataFolder ?? settings.dataFolder
  if (dataFolder !== undefined || (folder !== undefined && !settings.kafka)) {
    return over(await openLogView({ folder: folder ?? '' }).catch(refuseFolder), await folderRegistry(folder ?? ''))
  }
  const missing = [
    ...(settings.kafka
      ? []
      : [
          'kafka.brokers (METERVEIL_KAFKA_BROKERS) or dataFolder (METERVEIL_DATA_FOLDER) is missing: it says where the ledger lies',
        ]),
    ...(settings.kafka && !settings.registry
      ? ['registry.url (METERVEIL_REGISTRY_URL) is missing: it says how the ledger is to be read']
      : []),
  ]
  if (missing.length > 0) throw new SettingsError(missing)
  const { kafkaOptionsOf, registryOptionsOf } = await import('./connections.ts')
  const { kafkaLog } = await import('../../connectors/kafka/index.ts')
  const { confluentSchemaRegistry } = await import('../../connectors/registry/index.ts')
  const { checkKafka, startDeadlineMs } = await import('./start-checks.ts')
  const [kafka, registryOptions] = [kafkaOptionsOf(settings), registryOptionsOf(settings)]
  if (!kafka || !registryOptions) throw new TypeError('the settings were checked')
  await checkKafka(kafka, settings, {
    topics: ['release.ledger'],
    rights: [{ resource: 'topic', name: 'release.ledger', pattern: 'literal', operations: ['read'] }],
  })
  return over(kafkaLog(kafka), confluentSchemaRegistry({ ...registryOptions, timeoutMs: startDeadlineMs }))
}

async function over(log: Log, registry: SchemaRegistry): Promise<OpenedLedger> {
  try {
    const wire = await openWire(asked(registry), [ledgerTopic, publicTopic])
    const domains = await log.partitions(ledgerTopic.name)
    if (domains !== 1) {
      throw new CliError(
        `${ledgerTopic.name} has ${domains} partitions, and this version knows one release domain.`,
        'Read it with the version that wrote it.',
      )
    }
    const decodePublic = (bytes: Uint8Array) => wire.decode(publicTopic, bytes) as LoadPublic
    return {
      decodePublic,
      links: async function* () {
        const { first, end } = await log.bounds(ledgerTopic.name, 0, 'read_committed')
        for await (const { value } of readOn(log, ledgerTopic.name, 0, first, end)) {
          yield attempt(() => wire.decode(ledgerTopic, value ?? new Uint8Array()) as LedgerRecord)
        }
      },
      copies: async () => {
        const ranges = await steadyRanges(log).catch((error: unknown) => {
          if (error instanceof LogError && hidden.includes(error.code)) return undefined
          throw error
        })
        return ranges?.map(async function* ({ first, end }, partition) {
          for await (const { key, value, timestamp } of readOn(log, publicTopic.name, partition, first, end)) {
            const bytes = value ?? new Uint8Array()
            const seq = attempt(() => decodePublic(bytes).ledgerSeq)
            yield { key: Buffer.from(key ?? []).toString('utf8'), bytes, timestamp, seq }
          }
        })
      },
      close: () => log.close(),
    }
  } catch (error) {
    await log.close()
    throw error
  }
}

const hidden: readonly string[] = ['unauthorized', 'topic_unknown']

function attempt<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch {
    return undefined
  }
}

interface Range {
  readonly first: bigint
  readonly end: bigint
}

const tries = 20

/** Where every partition of load.public ends, with no publication in between: a seal is in all of them or in none. */
async function steadyRanges(log: Log): Promise<readonly Range[]> {
  const count = await log.partitions(publicTopic.name)
  const look = async () => {
    const ranges: Range[] = []
    for (let p = 0; p < count; p++) ranges.push(await log.bounds(publicTopic.name, p, 'read_committed'))
    return ranges
  }
  let before = await look()
  for (let n = 0; count > 1 && n < tries; n++) {
    const now = await look()
    if (now.every(({ end }, p) => end === before[p]?.end)) return now
    before = now
  }
  return before
}

async function* readOn(
  log: Log,
  topic: string,
  partition: number,
  first: bigint,
  end: bigint,
): AsyncGenerator<LogRecord> {
  if (first >= end) return
  const reader = await log.read(topic, partition, first, 'read_committed')
  try {
    for (let next = first; next < end; ) {
      const fetched = await reader.poll({ maxRecords: 1_000, maxBytes: 16_000_000, waitMs: 1_000 })
      for (const record of fetched.records) if (record.offset < end) yield record
      if (fetched.next <= next && fetched.records.length === 0) return
      next = fetched.next
    }
  } finally {
    await reader.close()
  }
}
