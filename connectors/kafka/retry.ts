import { setTimeout as pause } from 'node:timers/promises'
import type { Failure } from './errors.ts'
import { failureOf } from './errors.ts'

/** A call was not answered in time. What became of it is unknown. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
}

/** Monotonic milliseconds. */
export const now = (): number => performance.now()

/** Rejects with `DeadlineError` if a call has not settled after `ms`; the call itself goes on, unheard. */
export async function within<T>(ms: number, call: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DeadlineError(`no answer within ${Math.round(ms)} ms`)), ms)
  })
  try {
    return await Promise.race([call, late])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Calls until it works, `again` says no, or `ms` are over; then the last error is thrown. Pauses grow from 2 ms (a broker
 * writes the markers of the transaction before in about that time) to 50 ms.
 */
export async function retrying<T>(
  ms: number,
  again: (failure: Failure) => boolean,
  call: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const until = now() + ms
  let before = ''
  for (let wait = 2; ; wait = Math.min(wait * 2, 50)) {
    try {
      return await within(Math.max(1, until - now()), call())
    } catch (error) {
      const failure = failureOf(error)
      if (error instanceof DeadlineError && before !== '') throw new DeadlineError(`${error.message}, after ${before}`)
      before = `${failure.type}: ${failure.message}`
      if (!again(failure) || now() + wait >= until || signal?.aborted) throw error
    }
    await pause(wait)
  }
}

/** How long a client may take to say goodbye to brokers that perhaps never answer, ms. */
const goodbyeMs = 2_000

/** Disconnects a client of kafkajs, which by itself waits for whatever is under way. */
export async function goodbye(client: { readonly disconnect: () => Promise<void> }): Promise<void> {
  await within(goodbyeMs, client.disconnect()).catch(() => {})
}
