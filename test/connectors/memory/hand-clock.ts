import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../../../operators/contract/clock.ts'

/** A clock that stands still until it is moved. */
export interface HandClock extends Clock {
  /** Moves on, waking sleepers in the order of their time. */
  readonly advance: (ms: number) => Promise<void>
  readonly sleepers: () => number
}

export function handClock(start = 1_700_000_000_000): HandClock {
  let now = start
  const sleepers = new Map<() => void, number>()
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve()
        const wake = () => {
          sleepers.delete(wake)
          signal?.removeEventListener('abort', wake)
          resolve()
        }
        sleepers.set(wake, now + ms)
        signal?.addEventListener('abort', wake, { once: true })
      }),
    advance: async (ms) => {
      const until = now + ms
      await nextTurn()
      for (;;) {
        const due = [...sleepers].filter(([, at]) => at <= until).sort(([, a], [, b]) => a - b)[0]
        if (due === undefined) break
        now = Math.max(now, due[1])
        due[0]()
        await nextTurn()
      }
      now = until
    },
    sleepers: () => sleepers.size,
  }
}
