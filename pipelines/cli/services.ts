import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import * as local from '../../deploy/local/index.ts'
import { CliError, exitCodes } from './errors.ts'
import { openTerminal, type Terminal } from './terminal.ts'
import { duration } from './text.ts'

const names = local.serviceNames.join(', ')
const variables: Readonly<Record<local.ServiceName, string>> = {
  kafka: local.services.kafka.variable,
  registry: local.services.registry.variable,
  redis: local.services.redis.variable,
}

interface Where {
  readonly data: string
  readonly json?: boolean
}

interface UpOptions extends Where {
  readonly brokers: string
  readonly principals?: readonly string[]
}

/** `meterveil services up|down|status|logs`: Kafka, a schema registry and Redis on this machine, without Docker or root. */
export function addServices(program: Command): void {
  const group = program
    .command('services')
    .description('Kafka, a schema registry and Redis on this machine, without Docker and without root')
  const data = () =>
    new Option('--data <folder>', 'folder of their data and logs').default(local.defaultFolder, 'in .cache/services')

  group
    .command('up')
    .description('start what does not run yet, fetching it first if need be, and wait until it is ready')
    .argument('[service...]', `some of ${names}; by default all`, oneService, [])
    .addOption(new Option('--brokers <n>', 'brokers of Kafka').choices(['1', '3']).default('1'))
    .option(
      '--principals <names>',
      'Kafka with TLS and ACLs for these principals, separated by commas, and for admin, who may do everything',
      principalNames,
    )
    .addOption(data())
    .option('--json', 'one JSON line: {"kafka": …, "registry": …, "redis": …}')
    .action((wanted: readonly local.ServiceName[], options: UpOptions) => speaking(() => up(wanted, options)))

  group
    .command('down')
    .description('stop what `services up` started, and nothing else')
    .argument('[service...]', `some of ${names}; by default all`, oneService, [])
    .option('--wipe', 'delete their data too')
    .addOption(data())
    .action((wanted: readonly local.ServiceName[], options: Where & { wipe?: boolean }) =>
      speaking(async () => {
        const { note } = openTerminal()
        const only = wanted.length > 0 ? wanted : local.serviceNames
        await local.down(resolve(options.data), { report: noteOf(note), wipe: options.wipe ?? false, only })
        note(options.wipe ? 'Nothing of them runs, and their data is deleted.' : 'Nothing of them runs; data is kept.')
      }),
    )

  group
    .command('status')
    .description('what runs, and where it answers; exit code 1 unless all of it is ready')
    .addOption(data())
    .option('--json', 'one JSON line for each service')
    .action((options: Where) => speaking(() => status(options)))

  group
    .command('logs')
    .description('the last lines that services wrote')
    .argument('[service...]', `some of ${names}; by default all`, oneService, [])
    .addOption(new Option('--lines <n>', 'how many of each').default(20).argParser(lineCount))
    .addOption(data())
    .action((wanted: readonly local.ServiceName[], options: Where & { lines: number }) => logs(wanted, options))
}

async function up(wanted: readonly local.ServiceName[], options: UpOptions): Promise<void> {
  const { brokers, principals = [], data, json = false } = options
  const terminal = openTerminal({ json })
  const began = performance.now()
  const chosen = wanted.length > 0 ? wanted : local.serviceNames
  const addresses = await local.up(
    Object.fromEntries(chosen.map((name) => [name, name === 'kafka' ? Number(brokers) : 1])),
    {
      cache: local.cacheFolder,
      folder: resolve(data),
      usualPorts: true,
      docker: true,
      principals,
      report: noteOf(terminal.note),
    },
  )
  if (principals.length > 0) {
    terminal.note(`Keys, certificates and passwords of Kafka: ${local.pkiFolder(resolve(data))}`)
  }
  terminal.note(`Ready in ${duration((performance.now() - began) / 1_000)}.`)
  terminal.record(
    Object.fromEntries(Object.entries(addresses).map(([name, address]) => [name, local.withoutUser(address)])),
  )
  for (const name of local.serviceNames) {
    const address = addresses[name]
    // What came from the environment is known there, and may hold a password.
    if (address && !process.env[variables[name]]) terminal.line(`export ${variables[name]}=${address}`)
  }
}

async function status({ data, json = false }: Where): Promise<void> {
  const terminal = openTerminal({ json })
  const all = await local.status(resolve(data))
  for (const { service, state, title, address } of all) terminal.record({ service, state, title, address })
  terminal.table(
    ['service', 'state', 'what', 'address'].map((head) => ({ head, align: 'left' }) as const),
    all.map(({ service, state, title, address }) => [service, state, title, address ?? '']),
  )
  if (!all.every(({ state }) => state === 'ready' || state === 'given')) process.exitCode = exitCodes.failed
}

function logs(wanted: readonly local.ServiceName[], { data, lines }: Where & { lines: number }): void {
  const terminal = openTerminal()
  for (const name of wanted.length > 0 ? wanted : local.serviceNames) {
    const record = local.readRecord(resolve(data), name)
    if (!record) terminal.note(`${name} was never started here.`)
    for (const node of record?.nodes ?? []) {
      terminal.title(`${name} ${node.name}: ${node.log}`)
      const text = existsSync(node.log) ? readFileSync(node.log, 'utf8').trimEnd() : ''
      for (const line of text === '' ? [] : text.split('\n').slice(-lines)) terminal.line(line)
    }
  }
}

const noteOf = (note: Terminal['note']) => (piece: string, says: string) => note(`${piece}: ${says}`)

/** Errors of the services, in the form in which the command line reports its own. */
async function speaking(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (error instanceof local.ServicesError) throw new CliError(error.message, error.action)
    throw error
  }
}

function oneService(text: string, before: readonly local.ServiceName[]): readonly local.ServiceName[] {
  const name = local.serviceNames.find((one) => one === text)
  if (name) return [...before, name]
  throw new InvalidArgumentError(`It must be one of ${names}.`)
}

function principalNames(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim())
  if (names.every((name) => /^[a-z][a-z0-9-]{0,31}$/.test(name) && name !== 'broker' && name !== 'admin')) return names
  throw new InvalidArgumentError('Each must be up to 32 lower-case letters, digits and hyphens, not broker or admin.')
}

function lineCount(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number from 1 to 999,999.')
}
