import { meterSecrets } from '../../../bench/fleet/keys.ts'
import type { RegisterEntry } from '../../../schemas/register-entry.ts'

/** Finds what must stand nowhere. Answers the kind of the first thing found; never the thing itself. */
export type Scan = (bytes: Uint8Array) => string | undefined

/**
 * Looks for connection points, measuring points, system titles and meter keys of a fleet: as text, in UTF-16, in hex of
 * either case, as raw or packed bytes (BCD), also with the digits of each byte swapped, and in base64.
 */
export function canaryScan(entries: readonly RegisterEntry[], seed: number): Scan {
  const known = new Map<string, string>()
  const lengths = new Set<number>()
  const starts = new Uint8Array(2 ** 24)
  const add = (kind: string, bytes: Uint8Array) => {
    if (bytes.length < 5) return
    known.set(latin(bytes), kind)
    lengths.add(bytes.length)
    starts[start(bytes, 0)] = 1
  }
  const addRaw = (kind: string, raw: Buffer) => {
    add(`${kind} as bytes`, raw)
    add(`${kind} with swapped digits`, swapped(raw))
    for (const text of [raw.toString('hex'), raw.toString('hex').toUpperCase()]) addText(`${kind} in hex`, text)
    // What base64 makes of bytes that do not begin at a multiple of three shares no fixed text with this.
    addText(`${kind} in base64`, raw.toString('base64').replace(/=+$/, '').slice(0, -1))
  }
  const addText = (kind: string, text: string) => {
    add(kind, Buffer.from(text, 'latin1'))
    add(`${kind}, UTF-16`, Buffer.from(text, 'utf16le'))
  }
  for (const { connection, point, systemTitle, keyRef } of entries) {
    for (const [kind, text] of [
      ['a connection point', connection],
      ['a measuring point', point],
    ] as const) {
      addText(kind, text)
      addText(`${kind} in base64`, Buffer.from(text).toString('base64').replace(/=+$/, '').slice(0, -1))
      addText(`${kind} in hex`, Buffer.from(text).toString('hex'))
      const digits = text.replace(/\D/g, '')
      if (digits.length === text.length - 2) addRaw(`${kind} packed`, Buffer.from(digits.padStart(14, '0'), 'hex'))
    }
    addRaw('a system title', Buffer.from(systemTitle, 'hex'))
    const secrets = meterSecrets(seed, keyRef)
    if (!secrets) continue
    addRaw('a meter key', secrets.encryption.export())
    addRaw('an authentication key', Buffer.from(secrets.authentication))
  }
  const all = [...lengths].sort((a, b) => a - b)
  return (bytes) => {
    const last = bytes.length - 3
    for (let at = 0; at < last; at++) {
      if (starts[start(bytes, at)] === 0) continue
      for (const length of all) {
        if (at + length > bytes.length) break
        const kind = known.get(latin(bytes.subarray(at, at + length)))
        if (kind !== undefined) return kind
      }
    }
    return undefined
  }
}

const start = (bytes: Uint8Array, at: number): number => (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!

const latin = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')

const swapped = (raw: Buffer): Buffer => Buffer.from(raw.map((byte) => ((byte & 15) << 4) | (byte >> 4)))
