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
}

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
  return {
    probe,
    expect: (tasks: number) => {
      expected += tasks
    },
    reset: () => {
      expected = 0
      waiting.clear()
    },
    resting: () => {
      const still = !moved && waiting.size === expected
      moved = false
      return still
    },
  }
}
