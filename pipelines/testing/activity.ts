import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Probe } from '../runtime/probe.ts'

/** Knows from the probe which tasks wait for input or for the clock. */
export interface Activity {
  /** To be passed to `run`; passes everything on to the inner probe. */
  readonly probe: Probe
  /** Announces tasks that are about to start. */
  readonly expect: (tasks: number) => void
  readonly reset: () => void
  /** Whether every task waits and none has moved since the last question. */
  readonly resting: () => boolean
  /** Resolves once every task rests; rejects if `ended` does before. */
  readonly rest: (ended?: Promise<unknown>) => Promise<void>
}

/** Questions in a row that must find every task at rest: a commit of one may be input of another. */
const questions = 4

/** Watches tasks through the probe, so that a simulation can wait for them to come to rest. */
export function watchActivity(inner?: Probe): Activity {
  const waiting = new Set<string>()
  let expected = 0
  let moved = false
  const probe: Probe = (moment) => {
    const task = `${moment.pipeline}/${moment.partition}`
    const rests = (moment.step === 'poll' || moment.step === 'hold') && moment.at === 'before'
    if (rests) waiting.add(task)
    else waiting.delete(task)
    moved = true
    inner?.(moment)
  }
  const resting = () => {
    const still = !moved && waiting.size === expected
    moved = false
    return still
  }
  return {
    probe,
    expect: (tasks: number) => {
      expected += tasks
    },
    reset: () => {
      expected = 0
      waiting.clear()
    },
    resting,
    rest: async (ended) => {
      let failure: { readonly error: unknown } | undefined
      ended?.catch((error: unknown) => {
        failure = { error }
      })
      for (let still = 0; still < questions; still = resting() ? still + 1 : 0) {
        await nextTurn()
        await nextTurn()
        if (failure) throw failure.error
      }
    },
  }
}
