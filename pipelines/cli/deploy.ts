import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Log, SchemaRegistry } from '../../connectors/contract.ts'
import { fileKeyring } from '../../connectors/keyring/index.ts'
import {
  type LogFiles,
  memoryLog,
  memorySchemaRegistry,
  memoryStateView,
  nodeFiles,
  openDurableLog,
  openDurableRegistry,
} from '../../connectors/memory/index.ts'
import { registerView } from '../../connectors/register/index.ts'
import { days, systemClock } from '../../operators/contract/clock.ts'
import { topicSpecs, topics } from '../../schemas/topics.ts'
import { allPipelines } from '../index.ts'
import { sealer } from '../runtime/index.ts'
import type { Settings } from '../runtime/settings.ts'
import { policyOf } from './deploy-policy.ts'
import { CliError, usageError } from './errors.ts'
import { forecastFiles } from './forecast-files.ts'
import { filePin } from './ledger-pin.ts'
import { checkPartitions, readRegister, timeZoneOf } from './register-file.ts'
import { placedByRules } from './rules-of.ts'
import type { Deployment } from './run.ts'

/** Opens what `meterveil run` needs for the named pipelines, or for all: over Kafka where the settings name brokers. */
export async function openDeployment(settings: Settings, names: readonly string[] = []): Promise<Deployment> {
  if (!settings.kafka) return await openEmbedded(settings)
  const { openServices } = await import('./deploy-services.ts')
  return await openServices(settings, names)
}

/**
 * Opens what `meterveil run` needs on one machine, without any service: the in-process log, in memory or in a folder, the
 * key ring of a folder and the register of a file. Tests give a file system with faults.
 */
export async function openEmbedded(settings: Settings, files: LogFiles = nodeFiles): Promise<Deployment> {
  const { keyringFolder, registerFile, partitions, zone } = settings
  if (keyringFolder === undefined || registerFile === undefined) {
    const missing = [
      ...(keyringFolder === undefined ? ['METERVEIL_KEYRING_FOLDER'] : []),
      ...(registerFile === undefined ? ['METERVEIL_REGISTER_FILE'] : []),
    ]
    throw usageError(
      'run needs a key ring and a meter register.',
      `Set ${missing.join(' and ')}; docs/operator.md shows both files. npm start shows the pipelines without them.`,
    )
  }
  const policy = policyOf(settings)
  const entries = placedByRules(readRegister(registerFile), policy)
  const register = registerView(entries, policy)
  checkPartitions(entries, partitions)
  const keyring = fileKeyring(keyringFolder)
  const timeZone = timeZoneOf(entries, zone, settings.timeZone)
  const { dataFolder, fsync } = settings
  const log = dataFolder ? await openDurableLog({ folder: dataFolder, fsync, files }) : memoryLog()
  try {
    await log.createTopics(topicSpecs(partitions, settings))
    const registry = dataFolder ? await openRegistry(dataFolder, log, files) : memorySchemaRegistry()
    const view = memoryStateView()
    return {
      pipelines: await allPipelines({
        entries,
        register,
        keyring,
        registry,
        domain: { name: zone, zone, timeZone, partitions },
        policy,
        attributes: settings.attributes,
        attributesSince: settings.attributesSince,
        pin: settings.ledgerPinFile === undefined ? undefined : filePin(settings.ledgerPinFile, zone),
        surroundings: forecastFiles(settings),
      }),
      ports: { log, view, registry, clock: systemClock, seal: sealer(keyring) },
      task: { horizonMs: days(settings.horizonDays), acceptLostInput: settings.acceptLostInput },
      zone,
      partitionOf: (connection) => register.byConnection(connection, systemClock.now())?.partition ?? 0,
      close: async () => {
        await view.close()
        await log.close()
      },
    }
  } catch (error) {
    await log.close()
    throw error
  }
}

/** The ids that the records of the folder were written under. Without them no record could be read as it was meant. */
async function openRegistry(folder: string, log: Log, files: LogFiles): Promise<SchemaRegistry> {
  const file = join(folder, 'schema-registry.json')
  if (!existsSync(file) && (await holdsRecords(log))) {
    throw new CliError(
      `${folder} holds records but no schema-registry.json, which says how they are to be read.`,
      'Restore the folder from a copy, or start with an empty one.',
    )
  }
  return await openDurableRegistry({ file, files })
}

async function holdsRecords(log: Log): Promise<boolean> {
  for (const topic of Object.values(topics)) {
    for (let partition = 0; partition < (await log.partitions(topic.name)); partition++) {
      if ((await log.bounds(topic.name, partition, 'read_uncommitted')).end > 0n) return true
    }
  }
  return false
}
