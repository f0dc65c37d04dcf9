import { LogError } from '../contract.ts'

/** The brokers let this client not in, or not do this: which of the two, and at which door. */
export class RefusedError extends LogError {
  /** `user`: no such user, or another password; `tls`: the handshake failed; `right`: no ACL allows it. */
  readonly refused: 'user' | 'tls' | 'right'
  constructor(refused: RefusedError['refused'], message: string) {
    super('unauthorized', message)
    this.refused = refused
  }
}

/** What the client knows of a failed call. */
export interface Failure {
  /** The broker's error code, if a broker answered with one. */
  readonly code: number | undefined
  /** Name of the broker's error or of the client's. */
  readonly type: string
  readonly message: string
  /** Topics that a broker gave this code; none where the request was not about topics. */
  readonly topics: readonly string[]
  /** Whether TLS itself failed: certificates or protocol, which trying again does not mend. */
  readonly tls: boolean
}

/** Codes that node and OpenSSL give to failed handshakes. */
const tlsCode = /^(?:ERR_SSL_|ERR_TLS_|EPROTO$|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_)/

interface KafkaError extends Error {
  readonly type?: unknown
  readonly code?: unknown
  readonly errors?: unknown
  readonly topics?: unknown
}

/** Looks through the client's wrappers for what the broker said. */
export function failureOf(error: unknown): Failure {
  let inner = error as KafkaError
  for (let depth = 0; depth < 8; depth++) {
    const wrapped = Array.isArray(inner?.errors) ? inner.errors[0] : inner?.cause
    if (!(wrapped instanceof Error)) break
    inner = wrapped as KafkaError
  }
  const message = inner instanceof Error ? inner.message : String(inner)
  const type = typeof inner?.type === 'string' ? inner.type : inner instanceof Error ? inner.name : 'Error'
  // kafkajs does not know newer codes, such as 90: it gives them -99 and names the code in the message only.
  const unknown = /^Unknown error code (\d+)$/.exec(message)?.[1]
  const code = unknown === undefined ? inner?.code : Number(unknown)
  const tls = typeof code === 'string' && tlsCode.test(code)
  const topics = Array.isArray(inner?.topics) ? (inner.topics as readonly string[]) : []
  return { code: typeof code === 'number' ? code : undefined, type: tls ? code : type, message, topics, tls }
}

/** A newer owner took the transactional id over, or the transaction outlived its time: brokers tell no difference. */
const fencedCodes: ReadonlySet<number> = new Set([47, 90])
const authorizationCodes: ReadonlySet<number> = new Set([29, 30, 31, 53, 58])
/** The broker answered, did nothing, and may do it a moment later. */
const retriableCodes: ReadonlySet<number> = new Set([3, 5, 6, 7, 9, 13, 14, 15, 16, 19, 20, 41, 51, 56, 74, 75, 76, 88])
/** The client found no broker to ask; nothing was sent. */
const unsentTypes: ReadonlySet<string> = new Set([
  'KafkaJSBrokerNotFound',
  'KafkaJSMetadataNotLoaded',
  'KafkaJSTopicMetadataNotLoaded',
  'KafkaJSNoBrokerAvailableError',
  'KafkaJSLockTimeout',
  'KafkaJSGroupCoordinatorNotFound',
])
/** A request may or may not have reached the broker. */
const unansweredTypes: ReadonlySet<string> = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'DeadlineError',
])

/** Whether the same request may simply be sent again, on the word of a broker. */
export const isAnsweredRetriable = ({ code, type }: Failure): boolean =>
  code === undefined ? unsentTypes.has(type) : retriableCodes.has(code)

/** Whether a request that changes nothing, or that the broker can tell from its repetition, may be sent again. */
export const isRetriable = (failure: Failure): boolean =>
  !failure.tls &&
  (isAnsweredRetriable(failure) || unansweredTypes.has(failure.type) || failure.type === 'ILLEGAL_SASL_STATE')

/**
 * The port's error for a failed call. `otherwise` is the code for everything that says nothing of its own: what happened
 * is unknown inside a transaction, and may be tried again elsewhere.
 */
export function toLogError(error: unknown, what: string, otherwise: 'unknown_outcome' | 'retriable'): LogError {
  if (error instanceof LogError) return error
  const failure = failureOf(error)
  const { code, type, message, topics, tls } = failure
  const where = topics.length > 0 ? ` for ${topics.join(', ')}` : ''
  const said = code === undefined ? `${type}: ${message}` : `${type} (${code})${where}`
  if (code !== undefined && fencedCodes.has(code)) {
    return new LogError('fenced', `${what}: another owner took over, or the transaction timed out; throw this away`)
  }
  if (code !== undefined && authorizationCodes.has(code)) {
    return new RefusedError('right', `${what}: ${said}; grant the principal this right`)
  }
  if (type === 'KafkaJSSASLAuthenticationError') {
    return new RefusedError('user', `${what}: ${said}; check user and password`)
  }
  if (tls) return new RefusedError('tls', `${what}: TLS failed with ${type}; check the certificates of both sides`)
  if (code === 1) return new LogError('offset_out_of_range', `${what}: the partition does not hold this offset`)
  if (code === 3 || code === 17) return new LogError('topic_unknown', `${what}: there is no such topic or partition`)
  if (code === 10 || code === 18) return new LogError('record_too_large', `${what}: ${said}; see max.message.bytes`)
  if (code === 87 || code === 32) return new LogError('record_invalid', `${what}: the broker refused a record: ${said}`)
  return new LogError(otherwise, `${what}: ${said}`)
}
