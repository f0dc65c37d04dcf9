import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { createFleet, type Fleet, ProfileError, type Profiles, readProfiles } from '../../bench/fleet/index.ts'
import { hours, minutes } from '../../operators/contract/clock.ts'
import { cutOff, localDay } from '../../operators/window/local-day.ts'
import type { EpochMs } from '../../schemas/codec.ts'
import { runCaptured } from './demo-captured.ts'
import { exportTopics } from './demo-export.ts'
import { showCurves, showLevels, showOutcome, showVerdict } from './demo-report.ts'
import { runScenario, type Scenario } from './demo-scenario.ts'
import { demoServices } from './demo-services.ts'
import { exitCodes, usageError } from './errors.ts'
import { observe } from './observe.ts'
import { parsePort } from './program.ts'
import { onInterrupt } from './signals.ts'
import { openTerminal, type Terminal } from './terminal.ts'
import { count, duration } from './text.ts'

export interface DemoOptions {
  readonly homes: number
  readonly seed: number
  readonly frames?: string
  readonly profiles?: string
  readonly out: string
  readonly metricsPort?: number
  readonly kafka?: boolean
  readonly json?: boolean
}

const partitions = 4
const timeZone = 'Europe/London'
/** A winter Monday: the day is simulated, not lived, so that every run with one seed sends the same frames. */
const start = Date.UTC(2026, 0, 12)

/** `meterveil demo`: a simulated fleet's day through the whole chain, on the in-process log, or on real services. */
export function addDemo(program: Command, version: string): void {
  program
    .command('demo')
    .description('send a simulated day of encrypted meter frames through every pipeline, and show what comes out')
    .option('--homes <number>', 'homes of the fleet', wholeNumber, 6_000)
    .option('--seed <number>', 'everything simulated follows from it', wholeNumber, 1)
    .option('--profiles <csv>', 'take the load from real households: interval_start, then one column of Wh per home')
    .option('--frames <file>', 'run captured frames from a JSON file instead of a fleet')
    .option('--out <folder>', 'where to write what the topics hold, as NDJSON', 'out/demo')
    .option('--metrics-port <port>', 'serve /metrics and /health on this loopback port; 0 takes a free one', parsePort)
    .option('--kafka', 'on Kafka, a schema registry and Redis, as npm run services -- up brings them up')
    .option('--json', 'print JSON lines')
    .action(async (options: DemoOptions) => {
      const terminal = openTerminal({ json: options.json ?? false })
      process.exitCode =
        options.frames === undefined
          ? await fleetDemo(options, terminal, version)
          : await runCaptured(mustExist(options.frames), terminal)
    })
}

/** A whole number as given on the command line. Throws what commander prints. */
function wholeNumber(text: string): number {
  if (/^\d{1,7}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number from 0 to 9,999,999.')
}

async function fleetDemo(options: DemoOptions, terminal: Terminal, version: string): Promise<number> {
  const began = performance.now()
  const { homes, seed } = options
  if (homes < 2) throw usageError('A fleet of the demo needs at least 2 homes.', 'Try --homes 6000.')
  const profiles = options.profiles === undefined ? {} : { profiles: profilesOf(mustExist(options.profiles)) }
  const interruption = onInterrupt(terminal)
  const names = { described: 'interval-30min', objects: 'interval-30min' }
  const fleet = createFleet({ seed, homes, start, timeZone, partitions, profileNames: names, ...profiles })
  terminal.line(
    `${count(homes)} simulated homes in 2 feeders of one substation, ${localDay(timeZone, start).date}, half-hourly.`,
  )
  terminal.line(
    'Frames, keys and times are simulated; decoding, deduplication, pseudonyms, noise and ledger are the real ones.',
  )
  const services = options.kafka ? await demoServices(terminal) : undefined
  const served = await observe([], { terminal, version, metricsPort: options.metricsPort })
  const progress = terminal.progress({ label: 'frames', unit: 'frames', total: expectedFrames(fleet) })
  try {
    const scenario = await runScenario({
      fleet,
      partitions,
      start,
      end: simulationEnd(start),
      ...(services ? { open: services.open } : {}),
      observer: served.observer,
      signal: interruption.signal,
      onProgress: (_, processed) => progress.at(processed),
    })
    progress.end()
    if (!scenario.complete) return interrupted(scenario, terminal)
    const seconds = (performance.now() - began) / 1_000
    const exitCode = await present(scenario, fleet, options, terminal)
    services?.show()
    terminal.line()
    terminal.line(`Done in ${duration(seconds)}.`)
    return exitCode
  } finally {
    interruption.release()
    await served.close()
    await services?.close()
  }
}

function profilesOf(path: string): Profiles {
  try {
    return readProfiles(path)
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error
    throw usageError(
      `${error.message}.`,
      'The file is a CSV: interval_start, then one column of whole Wh per home; bench/fleet/profiles.ts says it in full.',
    )
  }
}

/** Of all the frames that a fleet has to say, those that arrive before the simulation ends. */
function expectedFrames({ expectedMessages }: Fleet): number {
  return Math.round(expectedMessages * 1.03)
}

/** Past the cut-off of the day and the tick that publishes its final values. */
function simulationEnd(from: EpochMs): EpochMs {
  return cutOff(timeZone, localDay(timeZone, from).day) + minutes(30)
}

async function present(scenario: Scenario, fleet: Fleet, options: DemoOptions, terminal: Terminal): Promise<number> {
  const { homes, seed } = options
  // A fleet of two days with the same seed has the same first day, and knows what the next one will truly be.
  const truth = options.profiles === undefined ? createFleet({ seed, homes, start, timeZone, days: 2 }) : fleet
  showOutcome(scenario, terminal)
  await showLevels(scenario, truth, { start, end: start + hours(24) }, terminal)
  await showCurves(scenario, truth, { start, end: start + hours(24) }, terminal)
  showVerdict(scenario, terminal)
  const files = await exportTopics(scenario, options.out)
  terminal.title('Where it lies')
  for (const { file, records } of files) terminal.line(`  ${file.padEnd(44)} ${count(records)} records`)
  terminal.record({ kind: 'files', files })
  return scenario.verdict.ok ? exitCodes.ok : exitCodes.failed
}

function interrupted(scenario: Scenario, terminal: Terminal): number {
  showOutcome(scenario, terminal)
  terminal.note('Interrupted: the pipelines were drained, the simulated day was not finished.')
  return exitCodes.interrupted
}

function mustExist(path: string): string {
  if (existsSync(path)) return path
  throw usageError(`There is no file ${path}.`, `Give the path from here, ${join('folder', 'file.csv')} or absolute.`)
}
