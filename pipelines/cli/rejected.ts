import { type Command, InvalidArgumentError } from 'commander'
import { type Reason, reasonsOf } from '../../operators/contract/reasons.ts'
import type { OpenedLetters } from './rejected-open.ts'
import { openTerminal, type Terminal } from './terminal.ts'

interface Flags {
  readonly settings?: string
  readonly json?: boolean
}

interface ShowFlags extends Flags {
  readonly reason?: Reason
  readonly last: number
  readonly showValues?: boolean
}

interface ReplayFlags extends Flags {
  readonly reason: Reason
  readonly dryRun?: boolean
}

/** `meterveil rejected show|replay`: what was refused, and the way back for what was refused without its fault. */
export function addRejected(program: Command): void {
  const group = program.command('rejected').description('the refused frames in meter.rejected, which lie there sealed')
  const command = (name: string, description: string) =>
    group
      .command(name)
      .description(description)
      .option('--settings <file>', 'JSON file of settings; METERVEIL_* variables win over it')
      .option('--json', 'print JSON lines')

  command('show', 'count refusals by reason and list the newest; what identifies a meter is withheld unless asked for')
    .option('--reason <reason>', 'only those with this reason', known(['reject', 'event']))
    .option('--last <count>', 'how many to list', howMany, 20)
    .option('--show-values', 'open them with the key ring and show connection and bytes, which identify a meter')
    .action(async (flags: ShowFlags) => {
      const { showRejected } = await import('./rejected-show.ts')
      await withLetters(flags, 'show', async (letters, terminal) => showRejected(letters, terminal, flags))
    })
  command('replay', 'open refused frames with the key ring and send each of them to meter.frames once more')
    .requiredOption('--reason <reason>', 'those with this reason, whose cause has been removed', known(['reject']))
    .option('--dry-run', 'tell how many there are, and send nothing')
    .action(async (flags: ReplayFlags) => {
      const { replayRejected } = await import('./rejected-replay.ts')
      const purpose = flags.dryRun ? 'show' : 'replay'
      await withLetters(flags, purpose, async (letters, terminal) => replayRejected(letters, terminal, flags))
    })
}

async function withLetters(
  { settings: file, json = false }: Flags,
  purpose: 'show' | 'replay',
  work: (letters: OpenedLetters, terminal: Terminal) => Promise<void>,
): Promise<void> {
  const { readSettings } = await import('../runtime/settings.ts')
  const { openLetters } = await import('./rejected-open.ts')
  const letters = await openLetters(
    readSettings({ env: process.env, file: file ?? process.env['METERVEIL_SETTINGS'] }),
    purpose,
  )
  try {
    await work(letters, openTerminal({ json }))
  } finally {
    await letters.close()
  }
}

const known =
  (outcomes: readonly ('reject' | 'event')[]) =>
  (text: string): Reason => {
    const reason = outcomes.flatMap(reasonsOf).find((one) => one === text)
    if (reason) return reason
    throw new InvalidArgumentError(`It must be a reason of docs/reasons.md whose outcome is ${outcomes.join(' or ')}.`)
  }

function howMany(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number from 0 to 9,999.')
}
