import { crc32 } from 'node:zlib'

/**
 * Entries of the log's files: length and checksum, 4 bytes each and little-endian, then the payload. The checksum covers
 * the length too, so that zeros, which a power cut may leave, are no frame. CRC-32 as zlib has it: built in, and as good as CRC-32C at finding torn and flipped bytes.
 */
export const frameOverhead = 8

export function frame(payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(frameOverhead + payload.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, payload.length, true)
  bytes.set(payload, frameOverhead)
  view.setUint32(4, checksum(bytes, 0, payload.length), true)
  return bytes
}

function checksum(bytes: Uint8Array, at: number, length: number): number {
  return crc32(bytes.subarray(at + frameOverhead, at + frameOverhead + length), crc32(bytes.subarray(at, at + 4)))
}

/** The payload of the frame at `at`, without a copy; undefined if there is no whole and sound one. */
export function payloadAt(bytes: Uint8Array, at: number): Uint8Array | undefined {
  if (at + frameOverhead > bytes.length) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = view.getUint32(at, true)
  if (at + frameOverhead + length > bytes.length) return undefined
  if (checksum(bytes, at, length) !== view.getUint32(at + 4, true)) return undefined
  return bytes.subarray(at + frameOverhead, at + frameOverhead + length)
}

/** Reads frames from `from` on. `end` is where the first byte lies that belongs to no sound frame. */
export function readFrames(bytes: Uint8Array, from: number): { readonly payloads: Uint8Array[]; readonly end: number } {
  const payloads: Uint8Array[] = []
  let end = from
  for (;;) {
    const payload = payloadAt(bytes, end)
    if (payload === undefined) return { payloads, end }
    payloads.push(payload)
    end += frameOverhead + payload.length
  }
}

/** Sound frames at any byte from `from` on, behind bytes that are none. */
export function* framesBehind(bytes: Uint8Array, from: number): Generator<Uint8Array> {
  for (let at = from; at < bytes.length; at++) {
    const payload = payloadAt(bytes, at)
    if (payload !== undefined) yield payload
  }
}
