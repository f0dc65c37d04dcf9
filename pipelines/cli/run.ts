import type { Command } from 'commander'
import type { Observer } from '../../operators/contract/observer.ts'
import type { Running } from '../runtime/run.ts'
import type { Settings } from '../runtime/settings.ts'
import type { Pipeline } from '../runtime/stream.ts'
import type { Ports, TaskOptions } from '../runtime/task.ts'
import { usageError } from './errors.ts'
import type { Input } from './input-lines.ts'
import { pick } from './pick.ts'
import { startNotes } from './start-notes.ts'
import { openTerminal } from './terminal.ts'

/** What a deployment runs, opened from its settings. */
export interface Deployment {
  readonly pipelines: readonly Pipeline[]
  readonly ports: Ports
  readonly task?: Partial<TaskOptions>
  /** Residency zone of frames that name none. */
  readonly zone: string
  /** Partition of `meter.frames` that owns a connection now; any for an unknown one, which is refused there. */
  readonly partitionOf: (connection: string) => number
  /** Partitions of a source with so many that this process owns; the group decides where this is left out. */
  readonly partitions?: (count: number) => readonly number[]
  /** Closes what was opened; called once, after the pipelines have stopped. */
  readonly close: () => Promise<void>
}

interface RunOptions {
  readonly input?: string
  readonly settings?: string
  readonly metricsPort?: number
  readonly json?: boolean
}

/** `meterveil run [PIPELINE…]`: runs pipelines until they are interrupted. */
export function addRun(
  program: Command,
  parseMetricsPort: (text: string) => number,
  version: string,
  deploy: (settings: Settings, names: readonly string[]) => Promise<Deployment>,
  known: () => Promise<readonly Pipeline[]>,
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
    .option('--input <file>', 'send the frames of a file of JSON lines, or of standard input for -')
    .option('--json', 'print JSON lines')
    .action(async (names: readonly string[], options: RunOptions) => {
      const terminal = openTerminal({ json: options.json ?? false })
      if (names.length > 0) pick(await known(), names)
      const { readSettings } = await import('../runtime/settings.ts')
      const settings = readSettings({ env: process.env, file: options.settings ?? process.env['METERVEIL_SETTINGS'] })
      const deployment = await deploy(settings, names)
      try {
        const pipelines = pick(deployment.pipelines, names)
        const notes = startNotes(
          settings,
          pipelines.map(({ name }) => name),
        )
        for (const note of notes) terminal.note(note)
        const input = options.input === undefined ? undefined : await inputFor(options.input, pipelines)
        const { runUntilInterrupted } = await import('./run-pipelines.ts')
        process.exitCode = await runUntilInterrupted(
          { ...deployment, pipelines },
          {
            terminal,
            version,
            metricsPort: options.metricsPort ?? settings.metricsPort,
            input,
            ...(settings.threads > 1 ? { start: (observer) => inThreads(settings, names, observer) } : {}),
          },
        )
      } finally {
        await deployment.close()
      }
    })
}

async function inThreads(settings: Settings, names: readonly string[], observer: Observer): Promise<Running> {
  const { runInThreads } = await import('./run-threads.ts')
  return await runInThreads({ settings, names, threads: settings.threads, observer })
}

async function inputFor(path: string, pipelines: readonly Pipeline[]): Promise<Input> {
  if (!pipelines.some(({ name }) => name === 'readings')) {
    throw usageError('--input sends frames, which only the pipeline readings takes.', 'Add readings to the pipelines.')
  }
  const { openInput } = await import('./input-lines.ts')
  return await openInput(path)
}
