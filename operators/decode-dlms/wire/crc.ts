// CRC-16/X-25 of ISO/IEC 13239, the frame check of HDLC in IEC 62056-46: polynomial 0x1021 reflected, start and final XOR 0xFFFF, low byte first.

const polynomial = 0x8408

// Four tables, so that the loop takes four bytes a turn: the frame check is a large part of the cost of a plain frame.
const tables: readonly Uint16Array[] = buildTables()
const t0 = tables[0] as Uint16Array
const t1 = tables[1] as Uint16Array
const t2 = tables[2] as Uint16Array
const t3 = tables[3] as Uint16Array

function buildTables(): readonly Uint16Array[] {
  const first = new Uint16Array(256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1
    first[byte] = crc
  }
  const all = [first]
  for (let k = 1; k < 4; k++) {
    const before = all[k - 1] as Uint16Array
    const next = new Uint16Array(256)
    for (let byte = 0; byte < 256; byte++) {
      const crc = before[byte] as number
      next[byte] = (crc >>> 8) ^ (first[crc & 0xff] as number)
    }
    all.push(next)
  }
  return all
}

/** The register value with which a check starts. */
export const crcStart = 0xffff

/** The register value after a range that ends with its own, correct check bytes. */
export const crcGood = 0xf0b8

/** Runs the register over `bytes[from..to)` and returns it, not inverted; feed it back in to go on. */
export function crcRun(bytes: Uint8Array, from: number, to: number, register: number = crcStart): number {
  let crc = register
  let at = from
  for (const last = to - 3; at < last; at += 4) {
    crc ^= (bytes[at] as number) | ((bytes[at + 1] as number) << 8)
    crc =
      (t3[crc & 0xff] as number) ^
      (t2[crc >>> 8] as number) ^
      (t1[bytes[at + 2] as number] as number) ^
      (t0[bytes[at + 3] as number] as number)
  }
  for (; at < to; at++) crc = (crc >>> 8) ^ (t0[(crc ^ (bytes[at] as number)) & 0xff] as number)
  return crc
}

/** The two check bytes for `bytes[from..to)` as one number; its low byte is sent first. */
export function crcOf(bytes: Uint8Array, from: number, to: number): number {
  return crcRun(bytes, from, to) ^ 0xffff
}
