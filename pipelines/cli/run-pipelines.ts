import type { Observer } from '../../operators/contract/observer.ts'
import { observers } from '../runtime/observer.ts'
import { runAll } from '../runtime/run.ts'
import { exitCodes } from './errors.ts'
import { observe } from './observe.ts'
import type { Deployment } from './run.ts'
import { onInterrupt } from './signals.ts'
import type { Terminal } from './terminal.ts'
import { count } from './text.ts'

/** Runs until Ctrl-C or SIGTERM, then drains. Resolves with the exit code; rejects with what ended a pipeline. */
export async function runUntilInterrupted(
  { pipelines, ports, task = {} }: Deployment,
  options: { readonly terminal: Terminal; readonly version: string; readonly metricsPort: number | undefined },
): Promise<number> {
  const { terminal } = options
  const { observer, health, close } = await observe(pipelines, options)
  const interruption = onInterrupt(terminal)
  const tally = counting()
  try {
    const running = await runAll(pipelines, ports, { observer: observers(observer, health, tally.observer), task })
    terminal.record({ kind: 'started', pipelines: pipelines.map(({ name }) => name) })
    terminal.line(`Running ${pipelines.map(({ name }) => name).join(', ')}. Ctrl-C drains and stops.`)
    const interrupted = new Promise<void>((resolve) => {
      if (interruption.signal.aborted) resolve()
      interruption.signal.addEventListener('abort', () => resolve(), { once: true })
    })
    await Promise.race([interrupted, running.done])
    await running.stop()
    const records = Object.fromEntries(tally.records)
    terminal.record({ kind: 'stopped', records })
    terminal.line(
      `Drained and stopped. ${[...tally.records].map(([name, many]) => `${name}: ${count(many)} records`).join(', ')}`.trim(),
    )
    return exitCodes.interrupted
  } finally {
    interruption.release()
    await close()
  }
}

/** Input records committed, by pipeline. */
function counting(): { readonly observer: Observer; readonly records: ReadonlyMap<string, number> } {
  const records = new Map<string, number>()
  const nothing = () => {}
  return {
    records,
    observer: {
      batch: (pipeline, _partition, facts) => void records.set(pipeline, (records.get(pipeline) ?? 0) + facts.records),
      transaction: nothing,
      assignment: nothing,
      retry: nothing,
      halted: nothing,
    },
  }
}
