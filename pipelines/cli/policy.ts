import type { Command } from 'commander'
import { openTerminal } from './terminal.ts'

interface ProposeOptions {
  readonly released?: string
  readonly days?: string
  readonly homes?: readonly string[]
  readonly from?: string
  readonly settings?: string
  readonly json?: boolean
}

interface ShowOptions {
  readonly on?: string
  readonly settings?: string
  readonly json?: boolean
}

/** `meterveil policy`: the bounds S by level that hold when, and new ones from released or synthetic data only. */
export function addPolicy(program: Command): void {
  const group = program.command('policy').description('the release policy')
  group
    .command('show')
    .description('print the bounds S of each level and the cap C of an interval, epoch by epoch or on one date')
    .option('--on <date>', 'one local date, YYYY-MM-DD, with the noise of its windows')
    .option('--settings <file>', 'JSON file of settings; METERVEIL_* variables win over it')
    .option('--json', 'print JSON lines')
    .action(async ({ json = false, ...options }: ShowOptions) => {
      const { showPolicy } = await import('./policy-show.ts')
      showPolicy(openTerminal({ json }), options)
    })
  group
    .command('propose')
    .description(
      'propose the bound S of each level from released and synthetic data, with the noise and the bias it brings',
    )
    .option('--released <file>', 'JSON lines of load.public: scales the synthetic days to the released mean load')
    .option('--days <file>', 'JSON lines of synthetic household-days, each an array of Wh; built-in ones by default')
    .option('--homes <level=count...>', 'homes of a group by level; those of the released groups by default')
    .option('--from <date>', 'first local date of the proposed bounds: prints an epoch for the settings')
    .option('--settings <file>', 'JSON file of settings; METERVEIL_* variables win over it')
    .option('--json', 'print JSON lines')
    .action(async ({ json = false, ...options }: ProposeOptions) => {
      const { proposePolicy } = await import('./policy-propose.ts')
      proposePolicy(openTerminal({ json }), options)
    })
}
