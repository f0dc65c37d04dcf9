// Replay window of one meter's invocation counters, as one array of bytes so that it can be a cell of state:
//   owner (4, fingerprint of title and key) | highest counter (4) | seen (16, bit i of the window = highest - i) | digests (16 x 2, slot = counter mod 16)
const ownerAt = 0
const highAt = 4
const seenAt = 8
const digestsAt = 24
const slots = 16

/** Counters remembered below the highest one. */
export const windowWidth = 128
/** Bytes of an encoded window. */
export const windowBytes = digestsAt + slots * 2

/**
 * `fresh` was never seen and may be accepted, also late and out of order; `duplicate` was accepted before with the same
 * content; `replayed` lies below the window, or was accepted with other content.
 */
export type ReplayVerdict = 'fresh' | 'duplicate' | 'replayed'

/**
 * What the window says of a counter before anything is decrypted.
 * @param owner fingerprint of title and key: a new meter or key starts a new window.
 * @param digest 16 bits of the content. Kept for the 16 newest counters; an older seen counter counts as a duplicate.
 */
export function judgeCounter(
  window: Uint8Array | undefined,
  owner: number,
  counter: number,
  digest: number,
): ReplayVerdict {
  if (window === undefined || read32(window, ownerAt) !== owner) return 'fresh'
  const age = read32(window, highAt) - counter
  if (age < 0) return 'fresh'
  if (age >= windowWidth) return 'replayed'
  if ((window[seenAt + (age >> 3)]! & (1 << (age & 7))) === 0) return 'fresh'
  if (age >= slots) return 'duplicate'
  return read16(window, digestsAt + (counter % slots) * 2) === digest ? 'duplicate' : 'replayed'
}

/** The window after a counter was accepted. Only for frames whose tag verified: a forged counter must not move it. */
export function recordCounter(
  window: Uint8Array | undefined,
  owner: number,
  counter: number,
  digest: number,
): Uint8Array {
  const next = new Uint8Array(windowBytes)
  write32(next, ownerAt, owner)
  let high = counter
  if (window !== undefined && read32(window, ownerAt) === owner) {
    const old = read32(window, highAt)
    high = Math.max(old, counter)
    shiftSeen(window, next, high - old)
    for (let k = digestsAt; k < windowBytes; k++) next[k] = window[k]!
  }
  write32(next, highAt, high)
  const age = high - counter
  if (age < windowWidth) next[seenAt + (age >> 3)]! |= 1 << (age & 7)
  if (age < slots) write16(next, digestsAt + (counter % slots) * 2, digest)
  return next
}

function shiftSeen(from: Uint8Array, to: Uint8Array, by: number): void {
  if (by >= windowWidth) return
  const whole = by >> 3
  const part = by & 7
  for (let k = whole; k < windowWidth / 8; k++) {
    const low = from[seenAt + k - whole]! << part
    const carried = part > 0 && k > whole ? from[seenAt + k - whole - 1]! >> (8 - part) : 0
    to[seenAt + k] = (low | carried) & 0xff
  }
}

const read16 = (b: Uint8Array, at: number): number => (b[at]! << 8) | b[at + 1]!
const read32 = (b: Uint8Array, at: number): number =>
  b[at]! * 0x1000000 + ((b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!)

function write16(b: Uint8Array, at: number, value: number): void {
  b[at] = value >>> 8
  b[at + 1] = value
}

function write32(b: Uint8Array, at: number, value: number): void {
  b[at] = value >>> 24
  b[at + 1] = value >>> 16
  b[at + 2] = value >>> 8
  b[at + 3] = value
}
