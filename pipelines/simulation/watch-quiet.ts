import { setTimeout as pause } from 'node:timers/promises'
import type { Probe } from '../runtime/probe.ts'
import type { Activity } from '../testing/activity.ts'

/** Polls in a row, of every task, that must find nothing after the last step of any task. */
const quietPolls = 2
const pauseMs = 5

/** Tells when tasks rest over a log that answers in its own time: every one polls in vain, or waits for the clock. */
export function watchQuiet(inner: Probe | undefined): Pick<Activity, 'probe' | 'expect' | 'rest'> {
  const vain = new Map<string, number>()
  const holding = new Set<string>()
  let tasks = 0
  const probe: Probe = (moment) => {
    const { step, at } = moment
    const task = `${moment.pipeline}/${moment.partition}`
    if (step === 'hold' && at === 'before') holding.add(task)
    else holding.delete(task)
    if (step === 'poll' && at === 'after') vain.set(task, (vain.get(task) ?? 0) + 1)
    else if (step !== 'poll' && step !== 'hold') vain.clear()
    inner?.(moment)
  }
  return {
    probe,
    expect: (more) => {
      tasks += more
    },
    rest: async (ended) => {
      let failure: { readonly error: unknown } | undefined
      ended?.catch((error: unknown) => {
        failure = { error }
      })
      vain.clear()
      for (;;) {
        if (failure) throw failure.error
        const polling = [...vain].filter(([task, polls]) => polls >= quietPolls && !holding.has(task)).length
        if (polling + holding.size >= tasks) return
        await pause(pauseMs)
      }
    },
  }
}
