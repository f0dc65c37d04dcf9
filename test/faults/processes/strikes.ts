import { simulationRandom } from '../../../bench/fleet/random.ts'
import { steps } from '../../../pipelines/runtime/index.ts'
import type { Strike } from './orders.ts'

const all = [...steps, 'draw'] as const

/** Where each pipeline can be struck: a task with keyed state looks up and applies, [publish] waits, [load] draws. */
const stepsOf = {
  readings: all.filter((step) => step !== 'hold' && step !== 'draw'),
  load: all.filter((step) => !['hold', 'lookup', 'apply'].includes(step)),
  publish: all.filter((step) => !['draw', 'lookup', 'apply'].includes(step)),
  forecast: all.filter((step) => !['hold', 'draw', 'lookup', 'apply'].includes(step)),
} as const

/** Every place where a worker can be struck. */
export const labels: readonly Pick<Strike, 'pipeline' | 'step' | 'at'>[] = Object.entries(stepsOf).flatMap(
  ([pipeline, own]) =>
    own.flatMap((step) => (['before', 'after'] as const).map((at) => ({ pipeline, step, at }) as const)),
)

/** Name of a place. */
export const labelOf = ({ pipeline, step, at }: Pick<Strike, 'pipeline' | 'step' | 'at'>): string =>
  `${pipeline} ${at} ${step}`

/** Steps that a task passes once when it begins. */
const once: readonly Strike['step'][] = ['fence', 'marker', 'replay']

/** Tries of a place before its first pass is struck. */
const patience = 2

/** How far into its work a strike may wait: what a pipeline does seldom is struck the first time. */
const passes: Readonly<Record<string, number>> = { readings: 4, load: 4, publish: 2, forecast: 1 }

export interface Schedule {
  /** The next strike, at one of the places tried and hit least often so far that a worker can come to. */
  readonly next: (reaches?: (pipeline: string) => boolean) => Strike
  /** A worker was struck. */
  readonly struck: (strike: Strike) => void
  readonly hits: ReadonlyMap<string, number>
  readonly total: () => number
}

/** A seeded list of strikes that goes round all places evenly, at the first or a later pass. */
export function strikes(seed: number, places: readonly Pick<Strike, 'pipeline' | 'step' | 'at'>[] = labels): Schedule {
  const random = simulationRandom(seed, 'schedule', -1)
  const hits = new Map(places.map((place) => [labelOf(place), 0]))
  const tries = new Map(places.map((place) => [labelOf(place), 0]))
  return {
    next: (reaches = () => true) => {
      const possible = places.filter(({ pipeline }) => reaches(pipeline))
      // A try that nobody came to is made again sooner than one that hit.
      const turns = (place: (typeof possible)[number]) => tries.get(labelOf(place))! + 4 * hits.get(labelOf(place))!
      const least = Math.min(...possible.map(turns))
      const open = possible.filter((place) => turns(place) === least)
      const place = open[random.below(open.length)]!
      const tried = tries.get(labelOf(place))!
      tries.set(labelOf(place), tried + 1)
      // A place that was missed again and again is struck as soon as anybody comes to it.
      const missed = hits.get(labelOf(place)) === 0 && tried >= patience
      const nth = missed || once.includes(place.step) ? 1 : 1 + random.below(passes[place.pipeline]!)
      return { ...place, nth, signal: 'SIGKILL' }
    },
    struck: (strike) => {
      hits.set(labelOf(strike), (hits.get(labelOf(strike)) ?? 0) + 1)
    },
    hits,
    total: () => [...hits.values()].reduce((sum, count) => sum + count, 0),
  }
}
