import type { Observer } from '../operators/contract/observer.ts'
import { silentObserver } from '../pipelines/runtime/index.ts'
import type { Figure } from './report.ts'

/** Adds up the time that each operator took by the clock, as the runtime's observer tells it. */
export function stageTimes() {
  const byOperator = new Map<string, number>()
  const observer: Observer = {
    ...silentObserver,
    batch: (pipeline, _, { operators }) => {
      for (const [name, { seconds }] of operators) {
        const stage = `${pipeline}/${name}`
        byOperator.set(stage, (byOperator.get(stage) ?? 0) + seconds)
      }
    },
  }
  return {
    observer,
    seconds: () => [...byOperator.values()].reduce((sum, seconds) => sum + seconds, 0),
    /** Microseconds per frame of input by operator, most first; stages below 5 ns are left out. */
    figures: (frames: number): Figure[] =>
      [...byOperator]
        .map(([name, seconds]) => ({ name: `${name}, per frame`, value: (seconds / frames) * 1e6, unit: 'us' }))
        .filter(({ value }) => value >= 0.005)
        .sort((a, b) => b.value - a.value),
  }
}
