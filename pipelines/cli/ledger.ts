import { type Command, InvalidArgumentError } from 'commander'
import { isDate } from '../../operators/contract/policy-epoch.ts'
import type { Settings } from '../runtime/settings.ts'
import type { OpenedLedger } from './ledger-open.ts'
import { openTerminal, type Terminal } from './terminal.ts'

interface LedgerFlags {
  readonly settings?: string
  readonly dataFolder?: string
  readonly json?: boolean
}

interface ShowFlags extends LedgerFlags {
  readonly date?: string
  readonly last?: number
}

interface VerifyFlags extends LedgerFlags {
  readonly pin?: string
  readonly since?: string
}

/** What a command works on. */
export interface LedgerWork {
  readonly ledger: OpenedLedger
  readonly settings: Settings
  readonly terminal: Terminal
}

/**
 * `meterveil ledger show|verify|accept-loss|forecast|explain`: the release ledger, read where it lies and never written. A running
 * process is not disturbed.
 */
export function addLedger(program: Command): void {
  const group = program
    .command('ledger')
    .description('what was charged and released, and whether the record of it holds')
  const command = (name: string, description: string) =>
    group
      .command(name)
      .description(description)
      .option('--settings <file>', 'JSON file of settings; METERVEIL_* variables win over it')
      .option('--data-folder <folder>', 'the folder of the durable log, instead of where the settings say')
      .option('--json', 'print JSON lines')

  command('show', 'charges and seals of the last days, what they come to, and what is withheld and why')
    .option('--date <day>', 'one local day, YYYY-MM-DD', localDate)
    .option('--last <days>', 'how many days, counted from the newest; 7 by default', howMany)
    .action((flags: ShowFlags) =>
      withLedger(flags, async (work) => (await import('./ledger-show.ts')).showLedger(work, flags)),
    )
  command('verify', 'check the whole ledger and every public copy; exit code 1 and a sentence for each fault')
    .option('--pin <file>', 'compare with the head in this file, and write the new head there if nothing is wrong')
    .option('--since <day>', 'begin at the checkpoint of this local day, and take its totals as true', localDate)
    .action((flags: VerifyFlags) =>
      withLedger(flags, async (work) => (await import('./ledger-verify.ts')).verifyCommand(work, flags)),
    )
  command(
    'accept-loss',
    'give up a ledger that is lost: what was released of its days is withheld from now on, for good',
  )
    .requiredOption('--pin <file>', 'the file that pins the head of the lost ledger; it is replaced')
    .action((flags: LedgerFlags & { readonly pin: string }) =>
      withLedger(flags, async (work) => (await import('./ledger-loss.ts')).acceptLoss(work, flags.pin)),
    )
  command('forecast', 'what is left of the budget, and what the year comes to at this rate').action(
    (flags: LedgerFlags) => withLedger(flags, async (work) => (await import('./ledger-show.ts')).forecastLedger(work)),
  )
  group
    .command('explain')
    .description('tell why something is not released; without a reason, list them all')
    .argument('[reason]', 'a flag of a public record or another reason, for instance withheld_small_group')
    .option('--json', 'print JSON lines')
    .action(async (reason: string | undefined, { json = false }: LedgerFlags) =>
      (await import('./ledger-explain.ts')).explainRelease(openTerminal({ json }), reason),
    )
}

async function withLedger(flags: LedgerFlags, work: (work: LedgerWork) => Promise<void>): Promise<void> {
  const { settings: file, dataFolder, json = false } = flags
  const terminal = openTerminal({ json })
  const { readSettings } = await import('../runtime/settings.ts')
  const settings = readSettings({ env: process.env, file: file ?? process.env['METERVEIL_SETTINGS'] })
  const { openLedger } = await import('./ledger-open.ts')
  const ledger = await openLedger(settings, dataFolder)
  try {
    await work({ ledger, settings, terminal })
  } finally {
    await ledger.close()
  }
}

function localDate(text: string): string {
  if (isDate(text)) return text
  throw new InvalidArgumentError('It must be a day of the calendar, YYYY-MM-DD.')
}

function howMany(text: string): number {
  const days = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (days > 0) return days
  throw new InvalidArgumentError('It must be a whole number from 1 to 9,999.')
}
