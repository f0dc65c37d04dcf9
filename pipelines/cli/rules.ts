import type { Command } from 'commander'
import { openTerminal } from './terminal.ts'

interface ShowOptions {
  readonly json?: boolean
}

interface CheckOptions extends ShowOptions {
  readonly register?: string
  readonly settings?: string
  readonly date?: string
  readonly since?: string
  readonly groups?: boolean
}

/** `meterveil rules show|check`: what the rules of publication ask for, and what they make of a register. */
export function addRules(program: Command): void {
  const group = program.command('rules').description('rules of publication: what they ask for, and what they release')
  group
    .command('show')
    .description('list the rule sets that come with this version, or tell what one asks for')
    .argument('[rules]', 'name of a set, or a JSON file, which is checked')
    .option('--json', 'print JSON lines')
    .action(async (rules: string | undefined, { json = false }: ShowOptions) => {
      const { showRules } = await import('./rules-show.ts')
      showRules(openTerminal({ json }), rules)
    })
  group
    .command('check')
    .description('tell which groups of a register are released, in which windows, merged or withheld, and why')
    .argument('[rules]', 'name of a set, or a JSON file; those of the settings by default')
    .option('--register <file>', 'JSON lines, one entry each; registerFile of the settings by default')
    .option('--settings <file>', 'JSON file of settings; METERVEIL_* variables win over it')
    .option('--date <date>', 'local day, YYYY-MM-DD; today by default')
    .option(
      '--since <date>',
      'first day of the ledger, which the digest always needs: groups that changed by too few since are withheld where rules say so',
    )
    .option('--groups', 'list every group')
    .option('--json', 'print JSON lines')
    .action(async (rules: string | undefined, { json = false, ...options }: CheckOptions) => {
      const { checkRules } = await import('./rules-check.ts')
      checkRules(openTerminal({ json }), rules, options)
    })
}
