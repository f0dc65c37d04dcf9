import { Worker } from 'node:worker_threads'
import type { Observer } from '../../operators/contract/observer.ts'
import type { Running } from '../runtime/run.ts'
import type { Settings } from '../runtime/settings.ts'
import { ReportedError } from './errors.ts'
import type { FromThread, ThreadData } from './thread-messages.ts'

export interface ThreadsOptions {
  readonly settings: Settings
  /** Names of pipelines; all where there are none. */
  readonly names: readonly string[]
  readonly threads: number
  readonly observer: Observer
}

/** Young objects of a batch die with it: with less room they would be moved about first. */
const resourceLimits = { maxYoungGenerationSizeMb: 192 }

/**
 * Runs the pipelines in threads of this process, each over clients of its own, as so many processes would. Resolves once all
 * have started; the first that fails stops the others, and `done` rejects with what it reported.
 */
export async function runInThreads({ settings, names, threads, observer }: ThreadsOptions): Promise<Running> {
  const all = asOneWorker(threads, observer).map((own, thread) =>
    startThread({ settings, names, thread, threads }, own),
  )
  const stop = () => {
    for (const one of all) one.stop()
  }
  const ended = Promise.all(all.map((one) => one.ended.finally(stop)))
  // The others drain even where the first has failed.
  const done = ended.then(
    () => {},
    async (error: unknown) => {
      await Promise.allSettled(all.map((one) => one.ended))
      throw error
    },
  )
  done.catch(() => {})
  try {
    await Promise.all(all.map((one) => one.started))
  } catch {
    await done
  }
  return {
    done,
    stop: () => {
      stop()
      return done
    },
  }
}

/**
 * An observer for each of several workers that together are one to who watches: how many partitions they have is told as a
 * sum, once all know their share.
 */
export function asOneWorker(workers: number, observer: Observer): readonly Observer[] {
  const shares = new Map<string, Map<number, number>>()
  return Array.from({ length: workers }, (_, worker) => ({
    ...observer,
    settled: (pipeline, partitions) => {
      const known = shares.get(pipeline) ?? new Map<number, number>()
      shares.set(pipeline, known.set(worker, partitions))
      if (known.size === workers)
        observer.settled(
          pipeline,
          [...known.values()].reduce((sum, share) => sum + share, 0),
        )
    },
  }))
}

function startThread(workerData: ThreadData, observer: Observer) {
  const worker = new Worker(new URL('./run-thread.ts', import.meta.url), { workerData, resourceLimits })
  const started = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<void>()
  started.promise.catch(() => {})
  let failure: Error | undefined
  worker.on('message', (message: FromThread) => {
    if (message.kind === 'started') started.resolve()
    else if (message.kind === 'failed') failure = new ReportedError(message.lines, message.exitCode)
    else tell(observer, message)
  })
  worker.on('error', (error: Error) => {
    failure = error
  })
  worker.on('exit', () => {
    if (failure) for (const one of [ended, started]) one.reject(failure)
    else for (const one of [ended, started]) one.resolve()
  })
  return { started: started.promise, ended: ended.promise, stop: () => worker.postMessage('stop') }
}

function tell(observer: Observer, { call, facts }: Extract<FromThread, { kind: 'observed' }>): void {
  const listener = observer[call] as (...facts: readonly unknown[]) => void
  listener(...facts)
}
