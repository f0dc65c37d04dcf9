/**
 * The Confluent wire format, which every Confluent-compatible client reads: magic byte 0, the schema id as 4 bytes
 * big-endian, then the Avro body.
 */
export function frameBody(id: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(5 + body.length)
  new DataView(bytes.buffer).setUint32(1, id)
  bytes.set(body, 5)
  return bytes
}

/** The schema id and body of a framed value, without a copy; undefined if the bytes are not in the wire format. */
export function readFrame(bytes: Uint8Array): { readonly id: number; readonly body: Uint8Array } | undefined {
  if (bytes.length < 5 || bytes[0] !== 0) return undefined
  const id = new DataView(bytes.buffer, bytes.byteOffset, 5).getUint32(1)
  return { id, body: bytes.subarray(5) }
}
