import type { Command } from 'commander'
import { type Outcome, type Reason, reasons, reasonsOf } from '../../operators/contract/reasons.ts'
import { nearest } from '../runtime/nearest.ts'
import { usageError } from './errors.ts'
import { openTerminal, type Terminal } from './terminal.ts'

const outcomeTexts: Readonly<Record<Outcome, string>> = {
  reject: 'Rejected: goes to the dead-letter topic.',
  drop: 'Dropped on purpose: counted, not kept.',
  event: 'Noted: an event, not a reading.',
}

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
      else explain(terminal, known(reason))
    })
}

function known(name: string): Reason {
  const found = name.trim().toLowerCase().replaceAll('-', '_')
  if (Object.hasOwn(reasons, found)) return found as Reason
  const close = nearest(found, Object.keys(reasons))
  const action =
    close.length > 0
      ? `Did you mean ${close.join(' or ')}? meterveil explain lists all reasons.`
      : 'meterveil explain lists all reasons.'
  throw usageError(`There is no reason ${name}.`, action)
}

function explain(terminal: Terminal, reason: Reason): void {
  const { outcome, sentence, action } = reasons[reason]
  terminal.record({ reason, outcome, sentence, action })
  terminal.line(terminal.paint.bold(reason))
  terminal.line(sentence)
  terminal.line(outcomeTexts[outcome])
  terminal.line(`What to do: ${action}`)
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
