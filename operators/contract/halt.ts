/**
 * A broken promise: something the pipeline must not go on without is missing or contradicts itself (no key, a log that
 * disagrees with itself). The runtime stops the pipeline and alerts; nothing is emitted. The message says what to do and
 * holds no key, meter, title or connection.
 */
export class HaltError extends Error {
  override readonly name = 'HaltError'
}
