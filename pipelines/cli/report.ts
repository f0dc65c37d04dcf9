import { CommanderError } from 'commander'
import { HaltError } from '../../operators/contract/halt.ts'
import type { PolicyError } from '../../operators/privacy/release/policy.ts'
import { SettingsError } from '../runtime/settings-error.ts'
import { CliError, type ExitCode, exitCodes, ReportedError } from './errors.ts'

/** Errors of our own whose message is written for the reader and says what to do. */
const speaking = [
  'StartError',
  'LogError',
  'RegistryError',
  'RedisSettingsError',
  'ListenError',
  'KeyringError',
  'RegisterError',
]

/** Commands that a sentence may tell the reader to run. */
export const toldCommands = [
  'audit-run',
  'decode',
  'demo',
  'describe',
  'example',
  'explain',
  'ledger',
  'policy',
  'register',
  'rejected',
  'rules',
  'run',
  'services',
  'topics',
] as const

const told = new RegExp(`(?<!npx )\\bmeterveil (?=(?:${toldCommands.join('|')}|--help)\\b)`, 'g')

/** A sentence with its commands as they are typed: npx finds the command in a clone, in a dependency and on the PATH. */
export const asTyped = (text: string): string => text.replace(told, 'npx meterveil ')

/**
 * What a failed command prints on standard error, and its exit code. Stack traces only with METERVEIL_DEBUG: their text may
 * name files of this machine, and a reader cannot act on them.
 */
export function report(error: unknown, debug: boolean): Report {
  const { lines, exitCode } = reportOf(error, debug)
  return { lines: lines.map(asTyped), exitCode }
}

interface Report {
  readonly lines: readonly string[]
  readonly exitCode: ExitCode
}

function reportOf(error: unknown, debug: boolean): Report {
  const stack = debug && error instanceof Error && error.stack ? [error.stack] : []
  // Commander has printed its own sentence already.
  if (error instanceof CommanderError)
    return { lines: [], exitCode: error.exitCode === 0 ? exitCodes.ok : exitCodes.usage }
  if (error instanceof ReportedError) return error
  if (error instanceof CliError) {
    return { lines: [`Error: ${error.message}`, error.action, ...stack], exitCode: error.exitCode }
  }
  if (error instanceof SettingsError) {
    return {
      lines: [error.message, 'Correct them and start again; docs/operator.md lists every setting.', ...stack],
      exitCode: exitCodes.usage,
    }
  }
  if (error instanceof HaltError) {
    return {
      lines: [`Halted: ${error.message}`, error.action, ...more(error.reason), ...stack],
      exitCode: exitCodes.halted,
    }
  }
  if (error instanceof Error && error.name === 'PolicyError') {
    const { reason } = error as PolicyError
    return {
      lines: [
        `Error: the policy is wrong: ${error.message}.`,
        'Correct it in the settings.',
        ...more(reason),
        ...stack,
      ],
      exitCode: exitCodes.usage,
    }
  }
  if (error instanceof Error && speaking.includes(error.name)) {
    return { lines: [`Error: ${error.message}`, ...stack], exitCode: exitCodes.failed }
  }
  const advice = systemAdvice(error)
  if (advice) return { lines: [...advice, ...stack], exitCode: exitCodes.failed }
  const text = error instanceof Error ? error.message : String(error)
  return {
    lines: [`Error: ${text}`, ...(debug ? stack : ['Run again with METERVEIL_DEBUG=1 to see where.'])],
    exitCode: exitCodes.failed,
  }
}

/** Where the reader finds what a release reason means. */
const more = (reason: string | undefined): readonly string[] =>
  reason === undefined ? [] : [`Reason: ${reason}. meterveil ledger explain ${reason} says what it means.`]

/** Failures of the operating system that a newcomer can meet, in words. */
function systemAdvice(error: unknown): readonly string[] | undefined {
  const { code, path } = (error ?? {}) as { readonly code?: string; readonly path?: string }
  const what = path ?? 'A file'
  switch (code) {
    case 'ENOSPC':
      return ['Error: the disk is full.', 'Make room, then start again: nothing that was committed is lost.']
    case 'EACCES':
    case 'EPERM':
      return [`Error: ${what} may not be opened by this user.`, 'Check its owner and mode.']
    case 'ENOENT':
      return [`Error: ${what} does not exist.`, 'Check the path.']
    case 'EISDIR':
      return [`Error: ${what} is a folder.`, 'Name a file.']
    case 'ENOTDIR':
      return [`Error: ${what} is no folder.`, 'Name a folder.']
    case 'EMFILE':
      return ['Error: too many files are open.', 'Raise the limit with ulimit -n, then start again.']
    default:
      return undefined
  }
}
