import { fillRandom } from '#entropy'
import { ParameterError } from '../errors.ts'
import type { BitSource, SecureBits } from './bit-source.ts'
import { pooledBits } from './pool.ts'

let shared: SecureBits | undefined
const genuine = new WeakSet<BitSource>()

/**
 * The secure source of this thread: one pool per thread, made at first use. Workers load their own copy of this module, so no two
 * threads share a pool. Throws RandomnessError, at the draw, when the system gives no random bytes.
 */
export const secureBits = (): SecureBits => {
  if (!shared) {
    shared = Object.freeze(pooledBits(fillRandom)) as SecureBits
    genuine.add(shared)
  }
  return shared
}

/** Refuses at run time what the types refuse at compile time: any source that `secureBits` did not make. Throws ParameterError. */
export const requireSecure = (source: SecureBits): SecureBits => {
  if (!genuine.has(source))
    throw new ParameterError(
      'a mechanism draws its noise from secureBits() only; tests import "diffprivlib-ts/testing"',
    )
  return source
}
