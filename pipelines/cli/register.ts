import type { Command } from 'commander'
import type { Log, SchemaRegistry } from '../../connectors/contract.ts'
import type { Settings } from '../runtime/settings.ts'
import { SettingsError } from '../runtime/settings-error.ts'
import { openTerminal } from './terminal.ts'
import { count } from './text.ts'

interface RegisterOptions {
  readonly settings?: string
  readonly json?: boolean
}

interface LoadFlags extends RegisterOptions {
  readonly remove?: boolean
  readonly dryRun?: boolean
  readonly retell?: boolean
  readonly profiles?: readonly string[]
}

interface AttributesFlags extends RegisterOptions {
  readonly month?: string
}

/** `meterveil register load|show|attributes`: the one writer of the topic meter.register. None prints what identifies a meter. */
export function addRegister(program: Command): void {
  const group = program.command('register').description('the meter register in the topic meter.register')
  group
    .command('load')
    .description('make the topic hold the register of a file, all or nothing, and tell what that changes')
    .argument('<file>', 'JSON lines, one entry each')
    .option('--settings <file>', 'JSON file of settings; METERVEIL_* variables win over it')
    .option('--dry-run', 'tell what it would change, and change nothing')
    .option('--remove', 'remove entries that the file lacks and that ended long ago')
    .option('--retell', 'go on where homes would be told anew in months that have begun')
    .option('--profiles <names>', 'decoding profiles of pipelines of your own, beside those that ship', namesOf)
    .option('--json', 'print JSON lines')
    .action((file: string, options: LoadFlags) => load(file, options))
  group
    .command('show')
    .description('count what the topic holds')
    .option('--settings <file>', 'JSON file of settings; METERVEIL_* variables win over it')
    .option('--json', 'print JSON lines')
    .action((options: RegisterOptions) => show(options))
  group
    .command('attributes')
    .description('show what household.readings tells of homes in a month, and what is lost by it')
    .option('--month <month>', 'local month, YYYY-MM; by default the present one')
    .option('--settings <file>', 'JSON file of settings; METERVEIL_* variables win over it')
    .option('--json', 'print JSON lines')
    .action((options: AttributesFlags) => attributes(options))
}

const namesOf = (text: string): readonly string[] => text.split(',').filter((name) => name !== '')

async function load(file: string, flags: LoadFlags) {
  const { settings: settingsFile, json = false, remove = false, dryRun = false, retell = false, profiles = [] } = flags
  const terminal = openTerminal({ json })
  const { checkPartitions, readRegister, timeZoneOf } = await import('./register-file.ts')
  const { shippedProfiles } = await import('./register-fields.ts')
  const { loadRegister } = await import('./register-topic.ts')
  const { policyOf } = await import('./deploy-policy.ts')
  const { systemClock } = await import('../../operators/contract/clock.ts')
  const settings = await settingsOf(settingsFile)
  const entries = readRegister(file, { profiles: new Set([...shippedProfiles, ...profiles]) })
  checkPartitions(entries, settings.partitions)
  const { attributesSince: since, attributes: rules, zone } = settings
  const telling =
    since === undefined ? undefined : { rules, since, timeZone: timeZoneOf(entries, zone, settings.timeZone) }
  await withTopic(settings, async (log, registry) => {
    const changes = await loadRegister(log, registry, entries, {
      remove,
      dryRun,
      horizonDays: settings.horizonDays,
      now: systemClock.now(),
      cutOffHour: policyOf(settings).cutOffHour,
      telling,
      retell,
    })
    const counts = {
      added: changes.added.length,
      changed: changes.changed.length,
      ended: changes.ended,
      removed: changes.removed.length,
      unchanged: changes.unchanged,
      retold: changes.retold,
    }
    terminal.record({ kind: dryRun ? 'planned' : 'loaded', ...counts })
    const moves = counts.added + counts.changed + counts.removed
    const told = `${count(counts.added)} added, ${count(counts.changed)} changed (${count(counts.ended)} of them ended), ${count(counts.removed)} removed, ${count(counts.unchanged)} unchanged`
    terminal.line(`${dryRun ? 'Would be' : 'Register'}: ${told}.`)
    if (changes.retold > 0 || (dryRun && telling)) {
      const homes = changes.retold === 1 ? '1 home' : `${count(changes.retold)} homes`
      terminal.line(`${homes} ${dryRun ? 'would be' : 'will be'} told anew in months that have begun.`)
    }
    if (moves > 0 && !dryRun) {
      terminal.note('Running pipelines read the register when they start: start them again before the changes begin.')
    }
  })
}

async function show({ settings: settingsFile, json = false }: RegisterOptions) {
  const terminal = openTerminal({ json })
  const { readRegisterTopic } = await import('./register-topic.ts')
  await withTopic(await settingsOf(settingsFile), async (log, registry) => {
    const entries = await readRegisterTopic(log, registry)
    const different = (of: (entry: (typeof entries)[number]) => string | number) => new Set(entries.map(of)).size
    const counts = {
      entries: entries.length,
      'measuring points': different(({ point }) => point),
      'connection points': different(({ connection }) => connection),
      installed: entries.filter(({ validTo }) => validTo === null).length,
      zones: different(({ zone }) => zone),
      partitions: different(({ partition }) => partition),
    }
    terminal.record({ kind: 'register', ...counts })
    terminal.table(
      [
        { head: 'what', align: 'left' },
        { head: 'count', align: 'right' },
      ],
      Object.entries(counts).map(([what, many]) => [what, count(many)]),
    )
  })
}

async function attributes({ settings: settingsFile, json = false, month }: AttributesFlags) {
  const terminal = openTerminal({ json })
  const { showAttributes } = await import('./register-attributes.ts')
  const { systemClock } = await import('../../operators/contract/clock.ts')
  const settings = await readAll(settingsFile)
  const options = { month, now: systemClock.now() }
  if (!settings.kafka && settings.registerFile !== undefined) {
    const { readRegister } = await import('./register-file.ts')
    return showAttributes(terminal, readRegister(settings.registerFile, { profiles: 'any' }), settings, options)
  }
  const { readRegisterTopic } = await import('./register-topic.ts')
  await withTopic(overTopic(settings), async (log, registry) => {
    showAttributes(terminal, await readRegisterTopic(log, registry), settings, options)
  })
}

async function readAll(file: string | undefined): Promise<Settings> {
  const { readSettings } = await import('../runtime/settings.ts')
  return readSettings({ env: process.env, file: file ?? process.env['METERVEIL_SETTINGS'] })
}

const settingsOf = async (file: string | undefined): Promise<Settings> => overTopic(await readAll(file))

/** Settings with all that the topic needs. Throws `SettingsError`. */
function overTopic(settings: Settings): Settings {
  const problems = [
    ...(settings.kafka ? [] : ['kafka.brokers (METERVEIL_KAFKA_BROKERS) is missing: the register is a topic of Kafka']),
    ...(settings.registry
      ? []
      : ['registry.url (METERVEIL_REGISTRY_URL) is missing: it says how the topic is to be read']),
  ]
  if (problems.length > 0) throw new SettingsError(problems)
  return settings
}

/** Opens Kafka and registry as the register's writer may see them, and closes them again. */
async function withTopic(
  settings: Settings,
  work: (log: Log, registry: SchemaRegistry) => Promise<void>,
): Promise<void> {
  const { kafkaOptionsOf, registryOptionsOf } = await import('./connections.ts')
  const { kafkaLog } = await import('../../connectors/kafka/index.ts')
  const { confluentSchemaRegistry } = await import('../../connectors/registry/index.ts')
  const { checkKafka, registerNeeds, startDeadlineMs } = await import('./start-checks.ts')
  const { pinnedRegistry } = await import('./pinned-registry.ts')
  const [kafka, registryOptions] = [kafkaOptionsOf(settings), registryOptionsOf(settings)]
  if (!kafka || !registryOptions) throw new TypeError('the settings were checked')
  await checkKafka(kafka, settings, registerNeeds)
  const client = confluentSchemaRegistry({ ...registryOptions, timeoutMs: startDeadlineMs })
  const log = kafkaLog(kafka)
  try {
    await work(log, settings.mode === 'production' ? pinnedRegistry(client) : client)
  } finally {
    await log.close()
  }
}
