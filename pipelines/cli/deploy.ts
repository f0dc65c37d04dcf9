import { existsSync, readFileSync } from 'node:fs'
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
import { defaultPolicy, type ReleasePolicy } from '../../operators/privacy/release/policy.ts'
import { CodecError } from '../../schemas/codec.ts'
import { type RegisterEntry, registerEntryCodec } from '../../schemas/register-entry.ts'
import { topicSpecs, topics } from '../../schemas/topics.ts'
import { allPipelines } from '../index.ts'
import { sealer } from '../runtime/index.ts'
import type { Settings } from '../runtime/settings.ts'
import { CliError, usageError } from './errors.ts'
import type { Deployment } from './run.ts'

/**
 * Opens what `meterveil run` needs on one machine, without any service: the in-process log, in memory or in a folder, the
 * key ring of a folder and the register of a file. Tests give a file system with faults.
 */
export async function openDeployment(settings: Settings, files: LogFiles = nodeFiles): Promise<Deployment> {
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
  const entries = readRegister(registerFile)
  const register = registerView(entries)
  checkPartitions(entries, partitions)
  const keyring = fileKeyring(keyringFolder)
  const timeZone = timeZoneOf(entries, zone)
  const { dataFolder, fsync } = settings
  const log = dataFolder ? await openDurableLog({ folder: dataFolder, fsync, files }) : memoryLog()
  try {
    await log.createTopics(topicSpecs(partitions))
    const registry = dataFolder ? await openRegistry(dataFolder, log, files) : memorySchemaRegistry()
    const view = memoryStateView()
    return {
      pipelines: await allPipelines({
        entries,
        register,
        keyring,
        registry,
        domain: { name: zone, zone, timeZone, partitions },
        policy: policyOf(settings),
      }),
      ports: { log, view, registry, clock: systemClock, seal: sealer(keyring) },
      task: { horizonMs: days(settings.horizonDays) },
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

function policyOf({ policy }: Settings): ReleasePolicy {
  return {
    ...defaultPolicy,
    clipWhPerHalfHour: { ...defaultPolicy.clipWhPerHalfHour, ...policy.clipWhPerHalfHour },
    rhoPerDay: policy.rhoPerDay ?? defaultPolicy.rhoPerDay,
  }
}

/** The register as JSON lines, one entry a line. A fault names the line, never its content, which identifies a meter. */
export function readRegister(path: string): readonly RegisterEntry[] {
  const lines = readFileSync(path, 'utf8').split('\n')
  const entries = lines.flatMap((line, at) => (line.trim() === '' ? [] : [readEntry(line, at + 1)]))
  if (entries.length > 0) return entries
  throw usageError('The register file holds no entry.', 'Give it one JSON object a line; docs/operator.md shows one.')
}

function readEntry(line: string, number: number): RegisterEntry {
  const refuse = (problem: string): never => {
    throw usageError(`Line ${number} of the register ${problem}.`, 'Correct it; docs/operator.md lists the fields.')
  }
  let given: RegisterEntry
  try {
    given = JSON.parse(line) as RegisterEntry
  } catch {
    return refuse('is not JSON')
  }
  try {
    const entry = registerEntryCodec.decode(registerEntryCodec.encode(given))
    const extra = Object.keys(given).find((key) => !(key in entry))
    return extra === undefined ? entry : refuse(`has a field ${extra}, which no entry has`)
  } catch (error) {
    return error instanceof CodecError || error instanceof TypeError ? refuse('is no entry') : refuseAgain(error)
  }
}

function refuseAgain(error: unknown): never {
  throw error
}

function checkPartitions(entries: readonly RegisterEntry[], partitions: number): void {
  const needed = entries.reduce((most, { partition }) => Math.max(most, partition), 0) + 1
  if (needed <= partitions) return
  throw usageError(
    `The register places points on ${needed} partitions, but there are ${partitions}.`,
    `Set METERVEIL_PARTITIONS to ${needed} or more.`,
  )
}

/** The time zone of a residency zone: one release domain has one local day. */
function timeZoneOf(entries: readonly RegisterEntry[], zone: string): string {
  const found = new Set(entries.filter((entry) => entry.zone === zone).map(({ timeZone }) => timeZone))
  if (found.size === 1) return [...found][0] as string
  const zones = [...new Set(entries.map((entry) => entry.zone))].join(', ')
  throw found.size === 0
    ? usageError(`The register has no meter in zone ${zone}.`, `Set METERVEIL_ZONE to one of: ${zones}.`)
    : usageError(`Zone ${zone} has meters in several time zones.`, 'Give each local day its own zone in the register.')
}
