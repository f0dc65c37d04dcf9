import type { Command } from 'commander'
import { openTerminal } from './terminal.ts'

interface ProposeOptions {
  readonly released?: string
  readonly days?: string
  readonly homes?: readonly string[]
  readonly settings?: string
  readonly json?: boolean
}

/** `meterveil policy propose`: bounds S by level, from released or synthetic data only. */
export function addPolicy(program: Command): void {
  const group = program.command('policy').description('the release policy')
  group
    .command('propose')
    .description(
      'propose the bound S of each level from released and synthetic data, with the noise and the bias it brings',
    )
    .option('--released <file>', 'JSON lines of load.public: scales the synthetic days to the released mean load')
    .option('--days <file>', 'JSON lines of synthetic household-days, each an array of Wh; built-in ones by default')
    .option('--homes <level=count...>', 'homes of a group by level; those of the released groups by default')
    .option('--settings <file>', 'JSON file of settings; METERVEIL_* variables win over it')
    .option('--json', 'print JSON lines')
    .action(async ({ json = false, ...options }: ProposeOptions) => {
      const { proposePolicy } = await import('./policy-propose.ts')
      proposePolicy(openTerminal({ json }), options)
    })
}
