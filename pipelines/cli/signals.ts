import { exitCodes } from './errors.ts'
import type { Terminal } from './terminal.ts'

/** Follows Ctrl-C and SIGTERM while something runs. */
export interface Interruption {
  /** Aborts at the first of them: finish the batch at hand and stop. */
  readonly signal: AbortSignal
  /** Stops listening. */
  readonly release: () => void
}

/** The first Ctrl-C or SIGTERM drains, the second ends the process at once; what was committed is safe either way. */
export function onInterrupt({ note }: Pick<Terminal, 'note'>): Interruption {
  const controller = new AbortController()
  const interrupt = () => {
    if (controller.signal.aborted) {
      note('Stopped at once. Nothing is lost: the batch at hand was not committed, and is read again next time.')
      process.exit(exitCodes.interrupted)
    }
    note('Draining: the batch at hand is finished first. Press Ctrl-C again to stop at once.')
    controller.abort()
  }
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const name of signals) process.on(name, interrupt)
  return {
    signal: controller.signal,
    release: () => {
      for (const name of signals) process.off(name, interrupt)
    },
  }
}
