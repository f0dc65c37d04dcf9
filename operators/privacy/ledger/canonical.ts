/**
 * Writes fields so that no two field lists share a byte string: every text and byte field carries its length, every
 * number is eight bytes. What is hashed or keyed in the ledger is written with it.
 */
export interface CanonicalWriter {
  /** UTF-8 behind a four-byte length. */
  readonly text: (value: string) => CanonicalWriter
  /** Eight bytes, big-endian two's complement. Throws RangeError for a number that is not a safe integer. */
  readonly integer: (value: number | bigint) => CanonicalWriter
  /** The bytes behind a four-byte length. */
  readonly bytes: (value: Uint8Array) => CanonicalWriter
  /** What was written: a view, so nothing is to be written after it. */
  readonly finish: () => Uint8Array
}

/** A writer that begins with `domain`, so that bytes made for one purpose never stand for another. */
export function canonical(domain: string): CanonicalWriter {
  let buffer = Buffer.allocUnsafe(1_024)
  let length = 0
  const room = (count: number): number => {
    if (length + count > buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(buffer.length * 2, length + count))
      buffer.copy(grown, 0, 0, length)
      buffer = grown
    }
    const at = length
    length += count
    return at
  }
  const writer: CanonicalWriter = {
    text: (value) => {
      // At most three bytes for each unit of UTF-16; what is not needed is given back.
      const at = room(4 + 3 * value.length)
      const written = buffer.write(value, at + 4, 'utf8')
      buffer.writeUInt32BE(written, at)
      length = at + 4 + written
      return writer
    },
    integer: (value) => {
      if (typeof value === 'bigint') {
        const at = room(8)
        buffer.writeBigInt64BE(value, at)
        return writer
      }
      if (!Number.isSafeInteger(value)) throw new RangeError('expected a safe integer')
      const at = room(8)
      buffer.writeInt32BE(Math.floor(value / 2 ** 32), at)
      buffer.writeUInt32BE(value >>> 0, at + 4)
      return writer
    },
    bytes: (value) => {
      const at = room(4 + value.length)
      buffer.writeUInt32BE(value.length, at)
      buffer.set(value, at + 4)
      return writer
    },
    finish: () => new Uint8Array(buffer.buffer, buffer.byteOffset, length),
  }
  return writer.text(domain)
}
