/** Why services could not be had. `missing_program` and `fetch_failed` are up to the machine, the rest is a fault. */
export type ServicesErrorCode =
  | 'missing_program'
  | 'fetch_failed'
  | 'start_failed'
  | 'unreachable'
  | 'data_differs'
  | 'busy'
  | 'unknown_service'

/** What went wrong with a service, and in `action` what to do about it. */
export class ServicesError extends Error {
  override readonly name = 'ServicesError'
  readonly code: ServicesErrorCode
  readonly action: string
  constructor(code: ServicesErrorCode, message: string, action: string) {
    super(message)
    this.code = code
    this.action = action
  }
}
