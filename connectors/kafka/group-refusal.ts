import { LogError } from '../contract.ts'
import { failureOf, isRetriable, toLogError } from './errors.ts'
import type { Settings } from './options.ts'

/** A broker's error of unknown cause: nobody knows that it will last. */
const unknownServerError = -1

/**
 * The port's error for a member that could not join or stay in its group: `retriable`, or a lasting refusal, `unauthorized`
 * or `group_refused`, whose message names the group and says what to do.
 */
export function groupError(
  error: unknown,
  group: string,
  { sessionTimeoutMs }: Pick<Settings, 'sessionTimeoutMs'>,
): LogError {
  const what = `joining group ${group}`
  const known = toLogError(error, what, 'retriable')
  if (error instanceof LogError || known.code === 'unauthorized') return known
  const failure = failureOf(error)
  const { code, type } = failure
  if (code === undefined || code === unknownServerError || isRetriable(failure)) {
    return known.code === 'retriable' ? known : new LogError('retriable', known.message)
  }
  return new LogError('group_refused', `${what}: ${type} (${code}); ${remedy(code, sessionTimeoutMs)}`)
}

function remedy(code: number, sessionTimeoutMs: number): string {
  switch (code) {
    case 23:
      return 'stop the clients in it that are not ours, and start again'
    case 26:
      return `let the brokers' group.min.session.timeout.ms and group.max.session.timeout.ms allow ${sessionTimeoutMs} ms`
    case 81:
      return "run fewer workers, or raise the brokers' group.max.size"
    default:
      return 'the log of its coordinator says why'
  }
}
