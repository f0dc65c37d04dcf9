import type { Command } from 'commander'
import { reasons, reasonsOf } from '../../operators/contract/reasons.ts'
import { outcomeTexts, tellReason } from './tell-reason.ts'
import { openTerminal, type Terminal } from './terminal.ts'

/** `meterveil explain [REASON]`: what a reason means and what to do about it. */
export function addExplain(program: Command): void {
  program
    .command('explain')
    .description('tell what a reason means and what to do about it; without one, list them all')
    .argument('[reason]', 'a reason as metrics and dead letters name it, for instance fcs_mismatch')
    .option('--json', 'print JSON lines')
    .action((reason: string | undefined, { json }: { readonly json?: boolean }) => {
      const terminal = openTerminal({ json: json ?? false })
      if (reason === undefined) listAll(terminal)
      else tellReason(terminal, reason, 'records')
    })
}

function listAll(terminal: Terminal): void {
  for (const outcome of ['reject', 'drop', 'event'] as const) {
    terminal.title(outcomeTexts[outcome])
    for (const reason of reasonsOf(outcome)) {
      const { sentence, action } = reasons[reason]
      terminal.record({ reason, outcome, sentence, action })
    }
    terminal.table(
      ['reason', { head: 'what happened', align: 'left' }],
      reasonsOf(outcome).map((reason) => [reason, reasons[reason].sentence]),
    )
  }
}
