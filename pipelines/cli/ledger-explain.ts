import { type ReasonAbout, releaseReasons } from '../../operators/privacy/ledger/reasons.ts'
import { tellReason } from './tell-reason.ts'
import type { Terminal } from './terminal.ts'

const titles: Readonly<Record<ReasonAbout, string>> = {
  flag: 'Flags of a public record',
  suppression: 'A sum of load.restricted is suppressed',
  window: 'A window is not public',
  day: 'A local day is not charged',
  refusal: 'A pipeline halts or does not start, so that nothing is released',
}

const reasons = Object.entries(releaseReasons)

/** `meterveil ledger explain [REASON]`: what a reason means and what to do. Throws a usage error for an unknown one. */
export function explainRelease(terminal: Terminal, name: string | undefined): void {
  if (name === undefined) listAll(terminal)
  else tellReason(terminal, name, 'releases')
}

function listAll(terminal: Terminal): void {
  for (const [reason, { about, sentence, action }] of reasons) terminal.record({ reason, about, sentence, action })
  for (const [about, title] of Object.entries(titles)) {
    terminal.title(title)
    for (const [reason, { sentence }] of reasons.filter(([, one]) => one.about === about)) {
      terminal.line(terminal.paint.bold(reason))
      terminal.line(`  ${sentence}`)
    }
  }
}
