import type { EpochMs } from '../../schemas/codec.ts'

/** Time as a service. Nothing but `systemClock` asks the machine. */
export interface Clock {
  readonly now: () => EpochMs
  /** Resolves after `ms`, or at once when `signal` aborts; never rejects. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const done = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal?.addEventListener('abort', done, { once: true })
    }),
}

/** A clock that stands still until it is told to move: for tests and simulations. */
export interface VirtualClock extends Clock {
  /** Moves to `instant` (never back) and wakes every sleeper whose time has come. */
  readonly moveTo: (instant: EpochMs) => void
  readonly advance: (ms: number) => void
}

/** A `VirtualClock` that starts at `start`. */
export function virtualClock(start: EpochMs): VirtualClock {
  let now = start
  const sleepers = new Set<{ readonly until: EpochMs; readonly wake: () => void }>()
  const moveTo = (instant: EpochMs): void => {
    now = Math.max(now, instant)
    for (const sleeper of sleepers) if (sleeper.until <= now) sleeper.wake()
  }
  return {
    now: () => now,
    moveTo,
    advance: (ms) => moveTo(now + ms),
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (ms <= 0 || signal?.aborted) return resolve()
        const wake = () => {
          sleepers.delete(sleeper)
          signal?.removeEventListener('abort', wake)
          resolve()
        }
        const sleeper = { until: now + ms, wake }
        sleepers.add(sleeper)
        signal?.addEventListener('abort', wake, { once: true })
      }),
  }
}

export const seconds = (n: number): number => n * 1_000
export const minutes = (n: number): number => n * 60_000
export const hours = (n: number): number => n * 3_600_000
export const days = (n: number): number => n * 86_400_000
