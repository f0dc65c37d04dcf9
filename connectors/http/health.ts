import type { Observer } from '../../operators/contract/observer.ts'

/**
 * `starting` until the first partition runs, `idle` where other processes have them all, `paused` while one takes no input
 * because a store has no room, `halted` once a promise was broken.
 */
export type PipelineHealth = 'starting' | 'running' | 'idle' | 'paused' | 'halted'

/** What a health probe is told. */
export interface Health {
  /** Whether the process should live on: false once a pipeline has halted. */
  readonly live: () => boolean
  /** Whether every pipeline works on at least one partition, or was given none, and none has halted. */
  readonly ready: () => boolean
  readonly pipelines: () => Readonly<Record<string, PipelineHealth>>
}

/** Follows the runtime's reports and answers health probes from them. */
export function healthObserver(pipelines: readonly string[]): { readonly observer: Observer; readonly health: Health } {
  const running = new Map(pipelines.map((name) => [name, new Set<number>()]))
  const paused = new Map(pipelines.map((name) => [name, new Set<number>()]))
  const halted = new Set<string>()
  const given = new Map<string, number>()
  const runs = (name: string): boolean => (running.get(name)?.size ?? 0) > 0
  const nothing = () => {}
  const stateOf = (name: string): PipelineHealth => {
    if (halted.has(name)) return 'halted'
    if ((paused.get(name)?.size ?? 0) > 0) return 'paused'
    if (runs(name)) return 'running'
    return given.get(name) === 0 ? 'idle' : 'starting'
  }
  return {
    observer: {
      batch: nothing,
      transaction: nothing,
      retry: nothing,
      settled: (pipeline, partitions) => void given.set(pipeline, partitions),
      assignment: (pipeline, partition, step) => {
        if (step === 'running') running.get(pipeline)?.add(partition)
        else running.get(pipeline)?.delete(partition)
        if (step === 'paused') paused.get(pipeline)?.add(partition)
        else if (step === 'running' || step === 'lost') paused.get(pipeline)?.delete(partition)
      },
      halted: (pipeline) => void halted.add(pipeline),
    },
    health: {
      live: () => halted.size === 0,
      ready: () => pipelines.every((name) => !halted.has(name) && (runs(name) || given.get(name) === 0)),
      pipelines: () => Object.fromEntries(pipelines.map((name) => [name, stateOf(name)])),
    },
  }
}
