import { setTimeout as sleep } from 'node:timers/promises'
import type { Observer } from '../../operators/contract/observer.ts'
import { observers } from '../runtime/observer.ts'
import { type Running, runAll } from '../runtime/run.ts'
import { exitCodes } from './errors.ts'
import type { Input } from './input-lines.ts'
import { observe } from './observe.ts'
import type { Deployment } from './run.ts'
import { feed } from './run-input.ts'
import { sayPauses } from './say-pauses.ts'
import { onInterrupt } from './signals.ts'
import type { Terminal } from './terminal.ts'
import { count } from './text.ts'

/** How long to wait for a batch before looking again: an interruption, or a batch without records, wakes nobody. */
const idleMs = 100

export interface RunUntilOptions {
  readonly terminal: Terminal
  readonly version: string
  readonly metricsPort: number | undefined
  /** Frames to send while the pipelines run. */
  readonly input?: Input | undefined
  /** Starts the pipelines elsewhere than in this thread. */
  readonly start?: (observer: Observer) => Promise<Running>
}

/** Runs until Ctrl-C or SIGTERM, then drains. Resolves with the exit code; rejects with what ended a pipeline. */
export async function runUntilInterrupted(deployment: Deployment, options: RunUntilOptions): Promise<number> {
  const { pipelines, ports, task = {}, partitions } = deployment
  const { terminal, input } = options
  const { observer, health, close } = await observe(pipelines, options)
  const interruption = onInterrupt(terminal)
  const tally = counting()
  try {
    const all = observers(observer, health, tally.observer, sayPauses(terminal))
    const here = () => runAll(pipelines, ports, { observer: all, task, ...(partitions ? { partitions } : {}) })
    const running = await (options.start?.(all) ?? here())
    terminal.record({ kind: 'started', pipelines: pipelines.map(({ name }) => name) })
    terminal.line(`Running ${pipelines.map(({ name }) => name).join(', ')}. Ctrl-C drains and stops.`)
    const interrupted = new Promise<void>((resolve) => {
      if (interruption.signal.aborted) resolve()
      interruption.signal.addEventListener('abort', () => resolve(), { once: true })
    })
    const failed = new AbortController()
    const fed = input
      ? feed(deployment, {
          input,
          terminal,
          signal: AbortSignal.any([interruption.signal, failed.signal]),
          processed: () => tally.records.get('readings') ?? 0,
          nextBatch: tally.nextBatch,
        })
      : Promise.resolve()
    try {
      await Promise.race([interrupted, running.done, fed.then(() => interrupted)])
      await fed
    } catch (error) {
      failed.abort()
      await Promise.allSettled([fed, running.stop()])
      throw error
    }
    await running.stop()
    const records = Object.fromEntries(tally.records)
    terminal.record({ kind: 'stopped', records, refused: tally.refused })
    terminal.line(
      `Drained and stopped. ${[...tally.records].map(([name, many]) => `${name}: ${count(many)} records`).join(', ')}`.trim(),
    )
    if (tally.refused.size > 0) terminal.line(refusedText(tally.refused))
    return exitCodes.interrupted
  } finally {
    interruption.release()
    await close()
  }
}

function refusedText(refused: ReadonlyMap<string, number>): string {
  const counts = [...refused].sort((a, b) => b[1] - a[1]).map(([reason, many]) => `${count(many)} ${reason}`)
  return `Refused: ${counts.join(', ')}. meterveil explain REASON says what to do; the frames lie sealed in meter.rejected.`
}

/** Input records committed, by pipeline, and those refused, by reason. */
function counting(): {
  readonly observer: Observer
  readonly records: ReadonlyMap<string, number>
  readonly refused: ReadonlyMap<string, number>
  /** Resolves after the next batch, and now and then without one. */
  readonly nextBatch: () => Promise<void>
} {
  const records = new Map<string, number>()
  const refused = new Map<string, number>()
  const nothing = () => {}
  let wake = nothing
  return {
    records,
    refused,
    nextBatch: async () => {
      await Promise.race([
        new Promise<void>((resolve) => {
          wake = resolve
        }),
        sleep(idleMs),
      ])
    },
    observer: {
      batch: (pipeline, _partition, facts) => {
        records.set(pipeline, (records.get(pipeline) ?? 0) + facts.records)
        for (const [fate, many] of facts.fates) {
          const [kind, reason = ''] = fate.split(':')
          if (kind === 'rejected') refused.set(reason, (refused.get(reason) ?? 0) + many)
        }
        wake()
      },
      transaction: nothing,
      settled: nothing,
      assignment: nothing,
      retry: nothing,
      halted: nothing,
    },
  }
}
