const headerBytes = 5

/**
 * The Confluent wire format, which every Confluent-compatible client reads: magic byte 0, the schema id as 4 bytes
 * big-endian, then the Avro body.
 */
export function frameBody(id: number, body: Uint8Array): Uint8Array {
  // From the pool: small arrays of their own cost more than the copy.
  const bytes = Buffer.allocUnsafe(headerBytes + body.length)
  bytes[0] = 0
  bytes[1] = id >>> 24
  bytes[2] = id >>> 16
  bytes[3] = id >>> 8
  bytes[4] = id
  bytes.set(body, headerBytes)
  return bytes
}

/** The schema id and body of a framed value, without a copy; undefined if the bytes are not in the wire format. */
export function readFrame(bytes: Uint8Array): { readonly id: number; readonly body: Buffer } | undefined {
  if (bytes.length < headerBytes || bytes[0] !== 0) return undefined
  const id = ((bytes[1]! << 24) | (bytes[2]! << 16) | (bytes[3]! << 8) | bytes[4]!) >>> 0
  // A view of the kind that codecs read, so that they need none of their own.
  return { id, body: Buffer.from(bytes.buffer, bytes.byteOffset + headerBytes, bytes.length - headerBytes) }
}
