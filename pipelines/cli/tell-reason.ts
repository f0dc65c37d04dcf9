import { type Outcome, type Reason, reasons } from '../../operators/contract/reasons.ts'
import { type ReleaseReasonName, releaseReasons } from '../../operators/privacy/ledger/reasons.ts'
import { nearest } from '../runtime/nearest.ts'
import { usageError } from './errors.ts'
import type { Terminal } from './terminal.ts'

/** What becomes of a record under a reason. */
export const outcomeTexts: Readonly<Record<Outcome, string>> = {
  reject: 'Rejected: goes to the dead-letter topic.',
  drop: 'Dropped on purpose: counted, not kept.',
  event: 'Noted: an event, not a reading.',
}

/** The two closed lists of reasons: why a record was refused or dropped, and why something is not released. */
export type ReasonList = 'records' | 'releases'

const commands: Readonly<Record<ReasonList, string>> = {
  records: 'meterveil explain',
  releases: 'meterveil ledger explain',
}

/**
 * Tells what a reason means and what to do. A name of the other list is told as well, with the command that lists those.
 * Throws a usage error with the nearest names for a name of neither.
 */
export function tellReason(terminal: Terminal, name: string, list: ReasonList): void {
  const wanted = name.trim().toLowerCase().replaceAll('-', '_')
  if (Object.hasOwn(reasons, wanted)) tellOfRecord(terminal, wanted as Reason)
  else if (Object.hasOwn(releaseReasons, wanted)) tellOfRelease(terminal, wanted as ReleaseReasonName)
  else throw unknown(name, wanted, list)
  const found: ReasonList = Object.hasOwn(reasons, wanted) ? 'records' : 'releases'
  if (found !== list) terminal.line(`${commands[found]} lists the reasons of this kind.`)
}

function tellOfRecord(terminal: Terminal, reason: Reason): void {
  const { outcome, sentence, action } = reasons[reason]
  terminal.record({ reason, outcome, sentence, action })
  show(terminal, reason, [sentence, outcomeTexts[outcome]], action)
}

function tellOfRelease(terminal: Terminal, reason: ReleaseReasonName): void {
  const { about, sentence, action } = releaseReasons[reason]
  terminal.record({ reason, about, sentence, action })
  show(terminal, reason, [sentence], action)
}

function show(terminal: Terminal, reason: string, sentences: readonly string[], action: string): void {
  terminal.line(terminal.paint.bold(reason))
  for (const sentence of sentences) terminal.line(sentence)
  terminal.line(`What to do: ${action}`)
}

function unknown(name: string, wanted: string, list: ReasonList): Error {
  const close = nearest(wanted, [...Object.keys(reasons), ...Object.keys(releaseReasons)])
  const meant = close.length > 0 ? `Did you mean ${close.join(' or ')}? ` : ''
  const [own, other] = list === 'records' ? (['records', 'releases'] as const) : (['releases', 'records'] as const)
  const what = { records: 'of refused and dropped records', releases: 'of what is not released' }
  return usageError(
    `There is no reason ${name}.`,
    `${meant}${commands[own]} lists all reasons ${what[own]}, ${commands[other]} those ${what[other]}.`,
  )
}
