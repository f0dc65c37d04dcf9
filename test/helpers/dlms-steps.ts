// Counting work instead of timing it. V8's precise coverage counts how often each function and each block of it ran, on any machine the same up to
// about one in a hundred. Between two loops or calls there are only a few operations, so the counts bound the operations up to a constant; what is
// left are the built-in functions, which take time linear in the bytes that they are given (copying, comparing, AES).
import { Session } from 'node:inspector'

interface Coverage {
  readonly result: readonly {
    readonly url: string
    readonly functions: readonly { readonly ranges: readonly { readonly count: number }[] }[]
  }[]
}

/** Counts executed blocks of the files whose address contains a given text. */
export interface StepCounter {
  /** Runs `work` and tells how many blocks ran meanwhile. */
  readonly stepsOf: (work: () => void) => number
  readonly close: () => void
}

/** Starts counting in files whose address contains `part`. Only one counter may be open in a process. */
export function stepCounter(part: string): StepCounter {
  const session = new Session()
  session.connect()
  session.post('Profiler.enable')
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  // In the same thread the answer is there when `post` returns; taking it sets the counts to zero.
  const take = (): number => {
    let steps = 0
    session.post('Profiler.takePreciseCoverage', (error, coverage) => {
      if (error !== null) throw error
      for (const { url, functions } of (coverage as Coverage).result) {
        if (!url.includes(part)) continue
        for (const { ranges } of functions) for (const { count } of ranges) steps += count
      }
    })
    return steps
  }
  return {
    stepsOf: (work) => {
      take()
      work()
      return take()
    },
    close: () => {
      session.post('Profiler.stopPreciseCoverage')
      session.disconnect()
    },
  }
}
