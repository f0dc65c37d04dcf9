import { type Command, InvalidArgumentError, Option } from 'commander'
import { steps } from '../runtime/probe.ts'
import type { CrashPoint } from '../simulation/audit-stage.ts'
import { type AuditValues, auditValues } from './audit-lines.ts'

/** What was given on the command line. */
export interface AuditFlags {
  readonly worlds?: readonly string[]
  readonly runs: number
  readonly rho?: string
  readonly crash?: CrashPoint
  readonly threads: number
  readonly values: AuditValues
  readonly writeExample?: string
}

/**
 * `meterveil audit-run --worlds A.json,B.json --runs N`: runs the real pipelines over each world so many times, with real
 * noise, and prints what load.public shows, aborted copies included, as lines of JSON for an auditor's own tools.
 */
export function addAuditRun(program: Command): void {
  program
    .command('audit-run')
    .description('run the real pipelines over two small worlds, many times; print what the public topic shows of each')
    .option('--worlds <files>', 'two world files, with a comma between them', listOf)
    .option('--runs <n>', 'runs of each world', whole(10_000_000), 100)
    .option(
      '--rho <fraction>',
      'what a household-day may cost, an exact fraction; that of the default policy by default',
    )
    .option('--crash <point>', 'kill every run once, e.g. publish:produce:after:1, and start it again', crashPoint)
    .option('--threads <n>', 'how many threads share the runs', whole(256), 1)
    .addOption(
      new Option('--values <which>', 'all that a record shows, or its raw value alone')
        .choices(auditValues)
        .default('all'),
    )
    .option('--write-example <folder>', 'write two worlds that differ in one household-day there, and stop')
    .action(async (flags: AuditFlags) => (await import('./audit-run-work.ts')).auditRun(flags))
}

function listOf(text: string): readonly string[] {
  return text.split(',').filter((path) => path !== '')
}

const whole =
  (most: number) =>
  (text: string): number => {
    const number = /^\d{1,9}$/.test(text) ? Number(text) : 0
    if (number >= 1 && number <= most) return number
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${most.toLocaleString('en-GB')}.`)
  }

// Not taken from where they run: the command line should not wait for the pipelines.
const pipelines: readonly CrashPoint['pipeline'][] = ['readings', 'load', 'publish']

function crashPoint(text: string): CrashPoint {
  const [pipeline = '', step = '', at = '', nth = '1'] = text.split(':')
  const known = steps.find((each) => each === step)
  const killed = pipelines.find((each) => each === pipeline)
  if (killed && known && (at === 'before' || at === 'after') && /^[1-9]\d{0,5}$/.test(nth)) {
    return { pipeline: killed, step: known, at, nth: Number(nth) }
  }
  throw new InvalidArgumentError(
    `It must be pipeline:step:before|after:nth, a pipeline of ${pipelines.join(', ')} and a step of ${steps.join(', ')}.`,
  )
}
