import type { Observer } from '../operators/contract/observer.ts'
import { silentObserver } from '../pipelines/runtime/index.ts'
import type { Figure } from './report.ts'

/** The stages that are there for differential privacy alone. Attributes are generalised before, once a month. */
const privacyStages = [
  'readings/boundContributions',
  'readings/partialSums',
  'load/releaseTotals',
  'load/pickLedger',
  'load/pickRestricted',
  'publish/publish',
]

/** Adds up the time that each operator took, as the runtime's observer tells it. */
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
    /**
     * What bounding, sums, releases and their publication take of the processor time of all pipelines, in %. Stages are timed
     * by the clock: on a machine with other work this says too much.
     */
    privacyShare: (seconds: number): Omit<Figure, 'goal'> => {
      const spent = privacyStages.reduce((sum, stage) => sum + (byOperator.get(stage) ?? 0), 0)
      return { name: 'of it differential privacy', value: (100 * spent) / seconds, unit: '%' }
    },
    seconds: () => [...byOperator.values()].reduce((sum, seconds) => sum + seconds, 0),
    /** Microseconds per frame of input by operator, most first; stages below 5 ns are left out. */
    figures: (frames: number): Figure[] =>
      [...byOperator]
        .map(([name, seconds]) => ({ name: `${name}, per frame`, value: (seconds / frames) * 1e6, unit: 'us' }))
        .filter(({ value }) => value >= 0.005)
        .sort((a, b) => b.value - a.value),
  }
}
