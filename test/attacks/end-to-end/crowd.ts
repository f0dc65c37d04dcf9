import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { CrashPoint } from '../../../pipelines/simulation/audit-stage.ts'
import type { ExampleOptions } from '../../../pipelines/simulation/audit-world.ts'

/** Runs of both worlds of an example, as figures for the auditor. */
export interface CrowdTask {
  /** A planted bug by its name; none: the real parts. */
  readonly bug?: string | undefined
  /** The planted bug that the attacker counts on. Default: the one that is there. */
  readonly expects?: string | undefined
  readonly world: Omit<ExampleOptions, 'present'>
  readonly rhoPerDay: string
  /** Runs a world. */
  readonly runs: number
  readonly crash?: CrashPoint | undefined
}

export interface Crowd {
  readonly names: readonly string[]
  readonly with: readonly (readonly number[])[]
  readonly without: readonly (readonly number[])[]
  /** CPU time of one run, in ms. */
  readonly cpuMs: number
}

/** Threads at the most: each compiles the pipelines for itself, which small crowds are not worth. */
const threadsFor = (runs: number): number => Math.max(1, Math.min(availableParallelism(), Math.floor(runs / 200)))

/** Runs the pipelines so many times over each world, in threads that run `thread`. Default: that of `CrowdTask`. */
export async function crowd<T extends { readonly runs: number } = CrowdTask>(
  task: T,
  thread: URL = new URL('./crowd-thread.ts', import.meta.url),
): Promise<Crowd> {
  const threads = threadsFor(task.runs)
  const share = Math.ceil(task.runs / threads)
  const parts = await Promise.all(
    Array.from({ length: threads }, (_, i) => {
      const runs = Math.min(share, task.runs - i * share)
      return new Promise<Crowd>((resolve, reject) => {
        new Worker(thread, { workerData: { ...task, runs } }).once('message', resolve).once('error', reject)
      })
    }),
  )
  return {
    names: parts[0]!.names,
    with: parts.flatMap((part) => part.with),
    without: parts.flatMap((part) => part.without),
    cpuMs: parts.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / threads,
  }
}
