/** A growing byte buffer that is filled from the front; reused between messages, so `take` copies. */
export interface ByteWriter {
  readonly length: () => number
  readonly clear: () => void
  readonly u8: (value: number) => void
  /** Big-endian, as everything in A-XDR. */
  readonly u16: (value: number) => void
  readonly u32: (value: number) => void
  readonly bytes: (value: Uint8Array) => void
  /** The bytes written so far; valid until the next write. */
  readonly view: () => Uint8Array
  /** A copy of the bytes written so far. */
  readonly take: () => Uint8Array
}

/** Makes a writer with room for `capacity` bytes; it grows when needed. */
export function byteWriter(capacity = 1_024): ByteWriter {
  let buffer = new Uint8Array(capacity)
  let at = 0
  const room = (more: number): void => {
    if (at + more <= buffer.length) return
    const grown = new Uint8Array(Math.max(buffer.length * 2, at + more))
    grown.set(buffer.subarray(0, at))
    buffer = grown
  }
  return {
    length: () => at,
    clear: () => {
      at = 0
    },
    u8: (value) => {
      room(1)
      buffer[at++] = value
    },
    u16: (value) => {
      room(2)
      buffer[at++] = value >>> 8
      buffer[at++] = value
    },
    u32: (value) => {
      room(4)
      buffer[at++] = value >>> 24
      buffer[at++] = value >>> 16
      buffer[at++] = value >>> 8
      buffer[at++] = value
    },
    bytes: (value) => {
      room(value.length)
      buffer.set(value, at)
      at += value.length
    },
    view: () => buffer.subarray(0, at),
    take: () => buffer.slice(0, at),
  }
}
