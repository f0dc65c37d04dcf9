/** Exit codes of every command; README and docs/operator.md list them, and a test compares them. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  halted: 3,
  interrupted: 130,
} as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** What each exit code says, for the documentation. */
export const exitCodeTexts: Readonly<Record<keyof typeof exitCodes, string>> = {
  ok: 'The command did what it was asked.',
  failed: 'It failed; the last lines say why and what to do.',
  usage: 'The command line, a settings key or an input file is wrong; nothing was started.',
  halted:
    'A pipeline halted, because going on would lose, duplicate or leak. Nothing of the batch at hand was written.',
  interrupted:
    'Interrupted by Ctrl-C or SIGTERM, and drained: every batch at hand was finished. After a second one, stopped at once: the batch at hand was not committed, and is read again next time.',
}

/** An error for the reader at the terminal: what happened, and what to do next. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exitCode: ExitCode
  /** What to do next, one sentence. */
  readonly action: string
  constructor(message: string, action: string, exitCode: ExitCode = exitCodes.failed) {
    super(message)
    this.action = action
    this.exitCode = exitCode
  }
}

/** What another thread has reported already: printed as it is. */
export class ReportedError extends Error {
  override readonly name = 'ReportedError'
  readonly lines: readonly string[]
  readonly exitCode: ExitCode
  constructor(lines: readonly string[], exitCode: ExitCode) {
    super(lines[0] ?? 'it failed')
    this.lines = lines
    this.exitCode = exitCode
  }
}

/** An error of the command line or of an input file. */
export const usageError = (message: string, action: string): CliError => new CliError(message, action, exitCodes.usage)

/** Why `run` did not start: one sentence that names the setting, the topic or the right, and what to do. */
export class StartError extends Error {
  override readonly name = 'StartError'
}
