import { type ReasonAbout, releaseReasons } from '../../operators/privacy/ledger/reasons.ts'
import { nearest } from '../runtime/nearest.ts'
import { usageError } from './errors.ts'
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
  for (const [reason, { about, sentence, action }] of name === undefined ? reasons : [known(name)]) {
    terminal.record({ reason, about, sentence, action })
    if (name === undefined) continue
    terminal.line(terminal.paint.bold(reason))
    terminal.line(sentence)
    terminal.line(`What to do: ${action}`)
  }
  if (name !== undefined) return
  for (const [about, title] of Object.entries(titles)) {
    terminal.title(title)
    for (const [reason, { sentence }] of reasons.filter(([, one]) => one.about === about)) {
      terminal.line(terminal.paint.bold(reason))
      terminal.line(`  ${sentence}`)
    }
  }
}

function known(name: string): (typeof reasons)[number] {
  const wanted = name.trim().toLowerCase().replaceAll('-', '_')
  const found = reasons.find(([reason]) => reason === wanted)
  if (found) return found
  const close = nearest(wanted, Object.keys(releaseReasons))
  throw usageError(
    `There is no reason ${name}.`,
    `${close.length > 0 ? `Did you mean ${close.join(' or ')}? ` : ''}meterveil ledger explain lists all reasons.`,
  )
}
