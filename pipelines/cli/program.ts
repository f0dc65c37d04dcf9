import { readFileSync } from 'node:fs'
import { Command, InvalidArgumentError } from 'commander'
import type { Settings } from '../runtime/settings.ts'
import type { Pipeline } from '../runtime/stream.ts'
import { addAuditRun } from './audit-run.ts'
import { addDecode } from './decode.ts'
import { addDescribe } from './describe.ts'
import { exitCodes, exitCodeTexts } from './errors.ts'
import { addExample } from './example.ts'
import { addExplain } from './explain.ts'
import { addLedger } from './ledger.ts'
import { addPolicy } from './policy.ts'
import { addRegister } from './register.ts'
import { addRejected } from './rejected.ts'
import { asTyped, report } from './report.ts'
import { addRules } from './rules.ts'
import { addRun, type Deployment } from './run.ts'
import { addServices } from './services.ts'
import { addTopics } from './topics.ts'

/** What the command works on; tests give their own. */
export interface Parts {
  /** Every pipeline, to be described. */
  readonly pipelines: () => Promise<readonly Pipeline[]>
  /** Opens what `run` needs for the pipelines of these names; for all where there is none. */
  readonly deploy: (settings: Settings, names: readonly string[]) => Promise<Deployment>
  /** Further commands. */
  readonly commands?: readonly ((program: Command, version: string) => void)[]
}

/** Runs one command line to its end and sets the exit code. Never throws. */
export async function runCommand(argv: readonly string[], parts: Parts): Promise<void> {
  // `meterveil describe | head` closes the pipe early: that is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? exitCodes.ok)
    throw error
  })
  const debug = Boolean(process.env['METERVEIL_DEBUG'])
  const fail = (error: unknown) => {
    const { lines, exitCode } = report(error, debug)
    for (const line of lines) process.stderr.write(`${line}\n`)
    process.exitCode = exitCode
  }
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      fail(error)
      process.exit()
    })
  }
  try {
    await buildProgram(parts).parseAsync([...argv])
  } catch (error) {
    fail(error)
  }
}

/** The whole command line, not yet run. */
export function buildProgram(parts: Parts): Command {
  const version = packageVersion()
  const program = new Command('meterveil')
    .description('a streaming privacy pipeline for smart meters')
    .version(version)
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError(asTyped('See meterveil --help.'))
    .addHelpText('after', exitCodeHelp())
  for (const add of parts.commands ?? []) add(program, version)
  addRun(program, parsePort, version, parts.deploy, parts.pipelines)
  addDecode(program)
  addExample(program)
  addExplain(program)
  addDescribe(program, parts.pipelines)
  addLedger(program)
  addAuditRun(program)
  addPolicy(program)
  addRegister(program)
  addRejected(program)
  addRules(program)
  addServices(program)
  addTopics(program)
  for (const command of program.commands) inherit(command, program, 'meterveil')
  return program
}

/** Errors of a command, also of one in a group, are reported as the program's own, and name the help of the command. */
function inherit(command: Command, parent: Command, path: string): void {
  const name = `${path} ${command.name()}`
  command.copyInheritedSettings(parent).showHelpAfterError(asTyped(`See ${name} --help.`))
  for (const inner of command.commands) inherit(inner, command, name)
}

/** A port as given on the command line. Throws what commander prints. */
export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (port <= 65_535) return port
  throw new InvalidArgumentError('It must be a whole number from 0 to 65,535.')
}

function exitCodeHelp(): string {
  const lines = Object.entries(exitCodes).map(
    ([name, code]) => `  ${String(code).padEnd(4)} ${exitCodeTexts[name as keyof typeof exitCodes]}`,
  )
  return ['', 'Exit codes:', ...lines].join('\n')
}

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    readonly version: string
  }
  return version
}
