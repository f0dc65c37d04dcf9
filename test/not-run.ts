/** A test that node's runner counted without running it. */
export interface NotRun {
  readonly kind: 'skipped' | 'todo'
  readonly file: string
  readonly name: string
  /** The message given to `skip` or `todo`; empty if none. */
  readonly why: string
}

/** How the message of a test may begin that needs more than a clone holds. */
export const needsOutsideData = 'needs data outside the repository'

/** Reads what `not-run-reporter.ts` wrote: one JSON object a line. */
export function parseNotRun(text: string): readonly NotRun[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as NotRun)
}

/**
 * What to print about tests that did not run, and whether they fail the run. In CI every one does, except those that need
 * outside data where none was given.
 */
export function verdictOnNotRun(
  notRun: readonly NotRun[],
  { ci, dataGiven }: { readonly ci: boolean; readonly dataGiven: boolean },
): { readonly lines: readonly string[]; readonly failed: boolean } {
  if (notRun.length === 0) return { lines: [], failed: false }
  const excused = ({ kind, name, why }: NotRun) =>
    kind === 'skipped' && !dataGiven && (name.startsWith(needsOutsideData) || why.startsWith(needsOutsideData))
  const unexcused = notRun.filter((test) => !excused(test))
  const lines = [
    '',
    `${notRun.length} not run:`,
    ...notRun.map(({ kind, file, name, why }) => `  ${kind}  ${file}: ${name}${why ? ` (${why})` : ''}`),
  ]
  const failed = ci && unexcused.length > 0
  if (failed) lines.push(`CI must run every test that it can: ${unexcused.length} of these could run here.`)
  return { lines, failed }
}
