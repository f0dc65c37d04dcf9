import type { Log, SchemaRegistry, StateView } from '../../connectors/contract.ts'
import { kafkaLog } from '../../connectors/kafka/index.ts'
import { fileKeyring, memoryKeyring } from '../../connectors/keyring/index.ts'
import { openRedisView } from '../../connectors/redis/index.ts'
import { registerView } from '../../connectors/register/index.ts'
import { confluentSchemaRegistry } from '../../connectors/registry/index.ts'
import { days, systemClock } from '../../operators/contract/clock.ts'
import { allPipelines } from '../index.ts'
import { sealer, topicsOf } from '../runtime/index.ts'
import type { Assignment, Settings } from '../runtime/settings.ts'
import { SettingsError } from '../runtime/settings-error.ts'
import { openWire } from '../runtime/wire.ts'
import { connectionsOf } from './connections.ts'
import { policyOf } from './deploy-policy.ts'
import { StartError } from './errors.ts'
import { forecastFiles } from './forecast-files.ts'
import { knownPipelines } from './known-pipelines.ts'
import { filePin } from './ledger-pin.ts'
import { pick } from './pick.ts'
import { pinnedRegistry } from './pinned-registry.ts'
import { checkPartitions, timeZoneOf } from './register-file.ts'
import { readRegisterTopic } from './register-topic.ts'
import { placedByRules } from './rules-of.ts'
import type { Deployment } from './run.ts'
import { checkKafka, needsOf, startDeadlineMs } from './start-checks.ts'

/** These are built over the register and the key ring; the others get neither, since they work on what is released. */
const identified: readonly string[] = ['readings', 'load']

/**
 * Opens what `meterveil run` needs over Kafka, a schema registry and Redis, for the named pipelines or all. Topics, rights and
 * schemas must be there: `meterveil topics apply` makes them. Ends with one sentence at the first thing that is wrong, within
 * seconds, and with everything closed that was opened.
 */
export async function openServices(settings: Settings, names: readonly string[]): Promise<Deployment> {
  const wanted = pick(await knownPipelines(), names)
  const overRegister = wanted.some(({ name }) => identified.includes(name))
  requireSettings(settings, overRegister)
  const policy = policyOf(settings)
  const { kafka, registry: registryOptions, redis } = connectionsOf(settings)
  if (!kafka || !registryOptions || !redis) throw new TypeError('the settings were checked')
  const keyring = overRegister ? fileKeyring(settings.keyringFolder ?? '') : memoryKeyring({})
  await checkKafka(kafka, settings, needsOf(wanted.map(({ name }) => name)))

  const { partitions, zone, mode } = settings
  const opened: (Log | StateView)[] = []
  const close = async () => {
    for (const one of opened.reverse()) await one.close()
  }
  try {
    const client = confluentSchemaRegistry({ ...registryOptions, timeoutMs: startDeadlineMs })
    const registry = mode === 'production' ? pinnedRegistry(client) : client
    // Before anything runs: the first pipeline must not be at work when the last one's schema turns out to be missing.
    await openWire(registry, wanted.flatMap(topicsOf))
    const view = await openRedisView(redis)
    opened.push(view)
    const log = kafkaLog(kafka)
    opened.push(log)
    const registered = overRegister ? await registeredEntries(log, registry, partitions) : []
    const entries = placedByRules(registered, policy)
    const timeZone = overRegister ? timeZoneOf(entries, zone, settings.timeZone) : (settings.timeZone ?? '')
    const register = registerView(entries, policy)
    const pipelines = await allPipelines({
      entries,
      register,
      keyring,
      registry,
      domain: { name: zone, zone, timeZone, partitions },
      policy,
      attributes: settings.attributes,
      attributesSince: settings.attributesSince,
      pin: settings.ledgerPinFile === undefined ? undefined : filePin(settings.ledgerPinFile, zone),
      surroundings: wanted.some(({ name }) => name === 'forecast') ? forecastFiles(settings) : {},
    })
    // Pipelines without keys refuse nothing, so that nothing of theirs is sealed; if it were, it would halt them.
    const seal = overRegister ? sealer(keyring) : (bytes: Uint8Array) => sealer(keyring)(bytes)
    return {
      pipelines: pick(pipelines, names),
      ports: { log, view, registry, clock: systemClock, seal },
      task: { horizonMs: days(settings.horizonDays), acceptLostInput: settings.acceptLostInput },
      zone,
      partitionOf: (connection) => register.byConnection(connection, systemClock.now())?.partition ?? 0,
      ...partitionsOf(settings.assignment),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function registeredEntries(log: Log, registry: SchemaRegistry, partitions: number) {
  const entries = await readRegisterTopic(log, registry)
  if (entries.length === 0) {
    throw new StartError('the topic meter.register holds no entry: run meterveil register load FILE')
  }
  checkPartitions(entries, partitions)
  return entries
}

/** Partition p belongs to the worker p mod workers. Each process starts with the counts of then: after growth, start again. */
function partitionsOf(assignment: Assignment): Pick<Deployment, 'partitions'> {
  if (assignment.by === 'group') return {}
  const { ordinal, workers } = assignment
  return {
    partitions: (count) => Array.from({ length: count }, (_, p) => p).filter((p) => p % workers === ordinal),
  }
}

/** What `run` needs beyond settings that agree with each other. Throws `SettingsError` with all of it. */
function requireSettings(settings: Settings, overRegister: boolean): void {
  const { registry, redis, keyringFolder, registerFile, timeZone } = settings
  const problems: string[] = []
  const belongs = 'run needs it beside kafka.brokers'
  if (!registry) problems.push(`registry.url (METERVEIL_REGISTRY_URL) is missing: ${belongs}`)
  if (!redis) problems.push(`redis.nodes (METERVEIL_REDIS_NODES) is missing: ${belongs}`)
  if (overRegister && !keyringFolder) problems.push(`keyringFolder (METERVEIL_KEYRING_FOLDER) is missing: ${belongs}`)
  if (!overRegister && !timeZone) {
    problems.push('timeZone (METERVEIL_TIME_ZONE) is missing: publish and forecast do not read the register')
  }
  if (registerFile) {
    problems.push(
      'registerFile and kafka.brokers are two places for one register: run meterveil register load with the file, and unset registerFile',
    )
  }
  if (problems.length > 0) throw new SettingsError(problems)
}
