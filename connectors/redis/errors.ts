import { LogError } from '../contract.ts'

export const redisSettingsErrorCodes = [
  'unreachable',
  'unauthorized',
  'evicting',
  'replica',
  'wrong_mode',
  'too_old',
] as const
export type RedisSettingsErrorCode = (typeof redisSettingsErrorCodes)[number]

/** A server that cannot hold the view as it is set up. The message names the setting and the remedy; it holds no secret. */
export class RedisSettingsError extends Error {
  override readonly name = 'RedisSettingsError'
  readonly code: RedisSettingsErrorCode
  constructor(code: RedisSettingsErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** What Redis holds cannot have been written by this view. */
export function damagedView(): LogError {
  return new LogError(
    'corrupt',
    'Redis cannot carry out the scripts of the view: its keys were changed by others, or the server is not compatible; delete the keys under redis.keyPrefix, they will be rebuilt',
  )
}

const refusals: readonly { readonly says: RegExp; readonly error: () => LogError }[] = [
  {
    says: /^(NOAUTH|WRONGPASS|NOPERM|ERR AUTH|ERR invalid password)/,
    error: () => new LogError('unauthorized', unauthorized),
  },
  {
    says: /^OOM/,
    error: () =>
      new LogError('disk_full', 'Redis has reached its maxmemory: raise it, or give the view a server of its own'),
  },
  {
    says: /^MISCONF/,
    error: () => new LogError('disk_full', 'Redis refuses writes since it cannot save: free disk space where it saves'),
  },
  {
    says: /^(READONLY|LOADING|TRYAGAIN|CLUSTERDOWN|MASTERDOWN|BUSY|MOVED|ASK|NOREPLICAS|UNBLOCKED)/,
    error: () => new LogError('retriable', 'Redis is loading, busy or failing over; the call had no effect'),
  },
  { says: /^(WRONGTYPE|CROSSSLOT|ERR|EXECABORT)/, error: damagedView },
]

export const unauthorized =
  'Redis refuses the user, its password or a command: check redis.username and redis.passwordFile, and grant the commands that docs/operator.md lists under “Commands that Redis must grant”'

/** What a failure of the client means to the runtime. Nothing of what Redis said is repeated: it may hold arguments. */
export function logErrorOf(error: unknown): LogError {
  if (error instanceof LogError) return error
  const message = error instanceof Error ? error.message : ''
  // A script's failure is wrapped by some servers and preceded by its place by others.
  const told = message.replace(/^ERR Error running script.*?: (?=[A-Z]{3})/, '')
  for (const { says, error: make } of refusals) if (says.test(told)) return make()
  return new LogError('unknown_outcome', 'Redis did not answer: the connection was lost while it was asked')
}
