import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { secureBits } from 'diffprivlib-ts'
import { days, systemClock } from '../../operators/contract/clock.ts'
import { CliError } from './errors.ts'
import { openTerminal } from './terminal.ts'
import { count } from './text.ts'

interface ExampleOptions {
  readonly homes: number
  readonly json?: boolean
}

/** `meterveil example FOLDER`: a key ring, a register and frames of simulated homes, to try `run` with. */
export function addExample(program: Command): void {
  program
    .command('example')
    .description('write a key ring, a register and frames of simulated homes, to try run with')
    .argument('[folder]', 'where; it must not exist yet', 'example')
    .option('--homes <n>', 'how many homes', homesOf, 6_000)
    .option('--json', 'print JSON lines')
    .action(async (folder: string, { homes, json = false }: ExampleOptions) => {
      const terminal = openTerminal({ json })
      if (existsSync(folder)) {
        throw new CliError(`${folder} is there already, and may hold keys.`, 'Name another folder, or remove it.')
      }
      const frames = await writeExample(folder, homes)
      terminal.record({ kind: 'example', folder, homes, frames })
      terminal.line(`${folder}: ${count(homes)} homes, ${count(frames)} frames from yesterday 00:00 UTC until now.`)
      terminal.line(
        'Their keys follow from a seed that everybody knows, and protect nothing. To run the pipelines on them:',
      )
      terminal.line('')
      terminal.line(`  METERVEIL_KEYRING_FOLDER=${folder}/keys METERVEIL_REGISTER_FILE=${folder}/register.jsonl \\`)
      terminal.line(`  METERVEIL_DATA_FOLDER=${folder}/data npx meterveil run --input ${folder}/frames.ndjson`)
    })
}

function homesOf(text: string): number {
  const homes = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (homes >= 1 && homes <= 20_000) return homes
  throw new InvalidArgumentError('It must be a whole number from 1 to 20,000.')
}

/** Writes the files, and answers how many frames there are. */
async function writeExample(folder: string, homes: number): Promise<number> {
  const { createFleet } = await import('../../bench/fleet/index.ts')
  const { meterSecrets } = await import('../../bench/fleet/keys.ts')
  const now = systemClock.now()
  const seed = 1
  const fleet = createFleet({
    seed,
    homes,
    start: (Math.floor(now / days(1)) - 1) * days(1),
    days: 2,
    timeZone: 'UTC',
    zone: 'main',
    profileNames: { described: 'interval-30min', objects: 'interval-30min' },
  })
  const keys = join(folder, 'keys')
  await mkdir(keys, { recursive: true })
  const secret = { mode: 0o600 }
  await writeFile(join(keys, 'master.key'), masterKey(), secret)
  const meters = fleet.entries.map(({ keyRef }) => {
    const own = meterSecrets(seed, keyRef)
    if (own === undefined) throw new TypeError('each meter of the fleet has keys')
    return { ref: keyRef, encryption: own.encryption.export().toString('hex'), authentication: hex(own.authentication) }
  })
  await writeFile(join(keys, 'meters.jsonl'), lines(meters), secret)
  await writeFile(join(folder, 'register.jsonl'), lines(fleet.entries))
  const frames = [...fleet.arrivals(now)].flatMap(({ arrivals }) =>
    arrivals.map(({ frame: { connection, transport, bytes } }) => ({ connection, transport, hex: hex(bytes) })),
  )
  await writeFile(join(folder, 'frames.ndjson'), lines(frames))
  return frames.length
}

/** 256 random bits, as hex digits. */
function masterKey(): string {
  const source = secureBits()
  return Array.from({ length: 16 }, () => source.bits(16).toString(16).padStart(4, '0')).join('')
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const lines = (values: readonly object[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('')
