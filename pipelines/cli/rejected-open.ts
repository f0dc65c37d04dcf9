import type { Log, SchemaRegistry } from '../../connectors/contract.ts'
import { fileKeyring } from '../../connectors/keyring/index.ts'
import { openDurableLog, openLogView } from '../../connectors/memory/index.ts'
import type { Keyring } from '../../operators/contract/keyring.ts'
import { rightsOf } from '../../schemas/access.ts'
import { CodecError } from '../../schemas/codec.ts'
import type { MeterFrame } from '../../schemas/meter-frame.ts'
import type { RejectedFrame } from '../../schemas/rejected-frame.ts'
import { topics } from '../../schemas/topics.ts'
import { fetches } from '../runtime/changelog.ts'
import type { Settings } from '../runtime/settings.ts'
import { SettingsError } from '../runtime/settings-error.ts'
import type { AnyTopic } from '../runtime/stream.ts'
import { openWire } from '../runtime/wire.ts'
import { asked, folderRegistry, refuseFolder } from './folder-registry.ts'

const rejected = topics.meterRejected as AnyTopic
const frames = topics.meterFrames as AnyTopic

/** The dead letters of a deployment, and the topic that their frames came from. */
export interface OpenedLetters {
  /** Every dead letter that is there now, by partition and in order; those of a schema that is not known are left out. */
  readonly letters: () => AsyncGenerator<RejectedFrame>
  /** The frame that a value of meter.frames holds; undefined where it fits no schema. */
  readonly frameOf: (value: Uint8Array) => MeterFrame | undefined
  readonly encodeFrame: (frame: MeterFrame) => Uint8Array
  /** Appends values to meter.frames, each to its partition. */
  readonly send: (values: readonly { readonly partition: number; readonly value: Uint8Array }[]) => Promise<void>
  /** The key ring of the settings, opened when it is asked for. Throws where none is named or it cannot be used. */
  readonly keyring: () => Keyring
  readonly close: () => Promise<void>
}

/**
 * Opens the dead letters where the settings say that they lie: in Kafka, or in the folder of the durable log. To `show` them
 * disturbs nobody; to `replay` them takes the folder for itself, so no process may run over it. Rejects with one sentence.
 */
export async function openLetters(settings: Settings, purpose: 'show' | 'replay'): Promise<OpenedLetters> {
  const { log, registry } = settings.kafka
    ? await overKafka(settings, purpose)
    : await inFolder(folderOf(settings), settings, purpose)
  try {
    return await over(log, registry, settings)
  } catch (error) {
    await log.close()
    throw error
  }
}

interface Place {
  readonly log: Log
  readonly registry: SchemaRegistry
}

function folderOf({ dataFolder }: Settings): string {
  if (dataFolder !== undefined) return dataFolder
  throw new SettingsError([
    'kafka.brokers (METERVEIL_KAFKA_BROKERS) or dataFolder (METERVEIL_DATA_FOLDER) is missing: it says where refused frames lie',
  ])
}

async function inFolder(folder: string, { fsync }: Settings, purpose: 'show' | 'replay'): Promise<Place> {
  if (purpose === 'show') {
    const log = await openLogView({ folder }).catch(refuseFolder)
    return { log, registry: asked(await folderRegistry(folder)) }
  }
  const registry = await folderRegistry(folder)
  return { log: await openDurableLog({ folder, fsync }), registry }
}

async function overKafka(settings: Settings, purpose: 'show' | 'replay'): Promise<Place> {
  if (!settings.registry) {
    throw new SettingsError([
      'registry.url (METERVEIL_REGISTRY_URL) is missing: it says how refused frames are to be read',
    ])
  }
  const { kafkaOptionsOf, registryOptionsOf } = await import('./connections.ts')
  const { kafkaLog } = await import('../../connectors/kafka/index.ts')
  const { confluentSchemaRegistry } = await import('../../connectors/registry/index.ts')
  const { checkKafka, startDeadlineMs } = await import('./start-checks.ts')
  const { pinnedRegistry } = await import('./pinned-registry.ts')
  const [kafka, registryOptions] = [kafkaOptionsOf(settings), registryOptionsOf(settings)]
  if (!kafka || !registryOptions) throw new TypeError('the settings were checked')
  const used = purpose === 'show' ? (['meter.rejected'] as const) : (['meter.rejected', 'meter.frames'] as const)
  await checkKafka(kafka, settings, { topics: used, rights: rightsOf('replayer', used) })
  const client = confluentSchemaRegistry({ ...registryOptions, timeoutMs: startDeadlineMs })
  return { log: kafkaLog(kafka), registry: purpose === 'show' ? asked(client) : pinnedRegistry(client) }
}

async function over(log: Log, registry: SchemaRegistry, { keyringFolder }: Settings): Promise<OpenedLetters> {
  const wire = await openWire(registry, [rejected, frames])
  const attempt = <T>(topic: AnyTopic, value: Uint8Array): T | undefined => {
    try {
      return wire.decode(topic, value) as T
    } catch (error) {
      if (error instanceof CodecError) return undefined
      throw error
    }
  }
  return {
    letters: async function* () {
      const count = await log.partitions(rejected.name)
      for (let partition = 0; partition < count; partition++) {
        const { first, end } = await log.bounds(rejected.name, partition, 'read_committed')
        const range = { topic: rejected.name, partition, from: first, end, isolation: 'read_committed' } as const
        for await (const records of fetches(log, range)) {
          for (const { value } of records) {
            const letter = value && attempt<RejectedFrame>(rejected, value)
            if (letter) yield letter
          }
        }
      }
    },
    frameOf: (value) => attempt<MeterFrame>(frames, value),
    encodeFrame: (frame) => wire.encode(frames, frame),
    send: (values) => log.append(values.map((one) => ({ topic: frames.name, key: null, ...one }))),
    keyring: () => {
      if (keyringFolder !== undefined) return fileKeyring(keyringFolder)
      throw new SettingsError([
        'keyringFolder (METERVEIL_KEYRING_FOLDER) is missing: refused frames are sealed with its key',
      ])
    },
    close: () => log.close(),
  }
}
