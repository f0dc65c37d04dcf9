import type { Command } from 'commander'
import { healthObserver, serveHttp } from '../../connectors/http/index.ts'
import { prometheusMetrics } from '../../connectors/prometheus/index.ts'
import { systemClock } from '../../operators/contract/clock.ts'
import type { Observer } from '../../operators/contract/observer.ts'
import { observers } from '../runtime/observer.ts'
import { runAll } from '../runtime/run.ts'
import { readSettings, type Settings } from '../runtime/settings.ts'
import type { Pipeline } from '../runtime/stream.ts'
import type { Ports, TaskOptions } from '../runtime/task.ts'
import { exitCodes } from './errors.ts'
import { pick } from './pick.ts'
import { onInterrupt } from './signals.ts'
import { openTerminal, type Terminal } from './terminal.ts'
import { count } from './text.ts'

/** What a deployment runs, opened from its settings. */
export interface Deployment {
  readonly pipelines: readonly Pipeline[]
  readonly ports: Ports
  readonly task?: Partial<TaskOptions>
  /** Closes what was opened; called once, after the pipelines have stopped. */
  readonly close: () => Promise<void>
}

interface RunOptions {
  readonly settings?: string
  readonly metricsPort?: number
  readonly json?: boolean
}

/** `meterveil run [PIPELINE…]`: runs pipelines until they are interrupted. */
export function addRun(
  program: Command,
  parseMetricsPort: (text: string) => number,
  version: string,
  deploy: (settings: Settings) => Promise<Deployment>,
): void {
  program
    .command('run')
    .description('run pipelines until Ctrl-C or SIGTERM, which drain')
    .argument('[pipelines...]', 'names of pipelines; all by default')
    .option('--settings <file>', 'JSON file of settings; METERVEIL_* variables win over it')
    .option(
      '--metrics-port <port>',
      'serve /metrics and /health on this loopback port; 0 takes a free one',
      parseMetricsPort,
    )
    .option('--json', 'print JSON lines')
    .action(async (names: readonly string[], options: RunOptions) => {
      const terminal = openTerminal({ json: options.json ?? false })
      const settings = readSettings({ env: process.env, file: options.settings ?? process.env['METERVEIL_SETTINGS'] })
      const deployment = await deploy(settings)
      try {
        const pipelines = pick(deployment.pipelines, names)
        process.exitCode = await runUntilInterrupted(
          { ...deployment, pipelines },
          { terminal, version, metricsPort: options.metricsPort ?? settings.metricsPort },
        )
      } finally {
        await deployment.close()
      }
    })
}

async function runUntilInterrupted(
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

/** Metrics and health of a run: served where a port was asked for, and always followed. */
export async function observe(
  pipelines: readonly Pipeline[],
  options: { readonly terminal: Terminal; readonly version: string; readonly metricsPort: number | undefined },
): Promise<{ readonly observer: Observer; readonly health: Observer; readonly close: () => Promise<void> }> {
  const { terminal, version, metricsPort } = options
  const metrics = prometheusMetrics({ clock: systemClock, version })
  const { observer: health, health: state } = healthObserver(pipelines.map(({ name }) => name))
  if (metricsPort === undefined) return { observer: metrics.observer, health, close: async () => {} }
  const server = await serveHttp({ port: metricsPort, metrics, health: state })
  terminal.record({ kind: 'serving', url: server.url })
  terminal.line(`Metrics at ${server.url}/metrics, health at ${server.url}/health/ready`)
  return { observer: metrics.observer, health, close: server.close }
}
