// Bytes for tests, made independently of the decoder: link frames, ciphered APDUs, contexts.
import { createCipheriv, createSecretKey, type KeyObject } from 'node:crypto'
import type { DecodeContext } from '../../../operators/decode-dlms/types.ts'
import type { MeterKeys } from '../../../operators/decode-dlms/wire/cipher.ts'

/** Bytes of a hexadecimal text; blanks are for the reader. */
export function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex'))
}

/** Hexadecimal of bytes. */
export function hex(data: Uint8Array): string {
  return Buffer.from(data).toString('hex')
}

/** Byte arrays one after the other. */
export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts))
}

// One bit at a time, unlike the tables of the decoder.
function fcs(data: Uint8Array): Uint8Array {
  let crc = 0xffff
  for (const byte of data) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0x8408 : crc >> 1
  }
  crc ^= 0xffff
  return Uint8Array.of(crc & 0xff, crc >> 8)
}

/** An HDLC frame with flags. Addresses in hexadecimal as on the wire. */
export function hdlc(
  information: Uint8Array,
  options: { control?: number; segmented?: boolean; to?: string; from?: string } = {},
): Uint8Array {
  const { control = 0x13, segmented = false, to = '41', from = '0883' } = options
  const addresses = bytes(to + from)
  const length = 2 + addresses.length + 1 + 2 + (information.length === 0 ? 0 : information.length + 2)
  const format = 0xa000 | (segmented ? 0x0800 : 0) | length
  const header = joined(Uint8Array.of(format >> 8, format & 0xff), addresses, Uint8Array.of(control))
  const body = information.length === 0 ? header : joined(header, fcs(header), information)
  return joined(Uint8Array.of(0x7e), body, fcs(body), Uint8Array.of(0x7e))
}

/** An M-Bus long frame. */
export function mbus(data: Uint8Array, control: number): Uint8Array {
  const body = joined(Uint8Array.of(0x53, 0xff, control, 0x01, 0x67), data)
  const length = body.length & 0xff
  const sum = body.reduce((total, byte) => (total + byte) & 0xff, 0)
  return joined(Uint8Array.of(0x68, length, length, 0x68), body, Uint8Array.of(sum, 0x16))
}

/** A TCP/UDP wrapper. */
export function wrapper(apdu: Uint8Array): Uint8Array {
  return joined(Uint8Array.of(0, 1, 0, 1, 0, 1, apdu.length >> 8, apdu.length & 0xff), apdu)
}

/** Made-up keys of one meter: suite 0 and 1 take the first 16 bytes, suite 2 all 32. */
export const testKeys = {
  title: bytes('4d564c0000000001'),
  encryption: bytes('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'),
  authentication: bytes('d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef'),
}

/** Length of the keys of a suite in bytes. */
function keyBytes(suite: number): number {
  return suite === 2 ? 32 : 16
}

/** Keys for a suite as the decoder takes them. */
export function keysFor(suite: number, more: Partial<MeterKeys> = {}): MeterKeys {
  return {
    encryption: createSecretKey(testKeys.encryption.slice(0, keyBytes(suite))),
    authentication: createSecretKey(testKeys.authentication.slice(0, keyBytes(suite))),
    ...more,
  }
}

/** What the tag covers and with which key, from the standard's table: see notes on the security control byte in the Green Book, 9.2.7. */
export function cipheredBody(plaintext: Uint8Array, control: number, counter: number, key?: KeyObject): Uint8Array {
  const suite = control & 0x0f
  const size = keyBytes(suite)
  const secret = key ?? createSecretKey(testKeys.encryption.slice(0, size))
  const ak = testKeys.authentication.slice(0, size)
  const counterBytes = Uint8Array.of(counter >>> 24, (counter >>> 16) & 0xff, (counter >>> 8) & 0xff, counter & 0xff)
  const header = joined(Uint8Array.of(control), counterBytes)
  const cipher = createCipheriv(
    suite === 2 ? 'aes-256-gcm' : 'aes-128-gcm',
    secret,
    joined(testKeys.title, counterBytes),
    { authTagLength: 12 },
  )
  const authenticated = (control & 0x10) !== 0
  const encrypted = (control & 0x20) !== 0
  if (authenticated) cipher.setAAD(joined(Uint8Array.of(control), ak, encrypted ? new Uint8Array(0) : plaintext))
  const text = encrypted ? joined(cipher.update(plaintext), cipher.final()) : plaintext
  if (!encrypted) cipher.final()
  return joined(header, text, authenticated ? cipher.getAuthTag() : new Uint8Array(0))
}

/** Length prefix of A-XDR. */
export function sized(data: Uint8Array): Uint8Array {
  const { length } = data
  if (length < 0x80) return joined(Uint8Array.of(length), data)
  return joined(length < 0x100 ? Uint8Array.of(0x81, length) : Uint8Array.of(0x82, length >> 8, length & 0xff), data)
}

/** general-glo-ciphering (or another general form) around a plaintext. */
export function generalGlo(
  plaintext: Uint8Array,
  control: number,
  counter: number,
  tag = 0xdb,
  title: Uint8Array = testKeys.title,
  key?: KeyObject,
): Uint8Array {
  return joined(Uint8Array.of(tag), sized(title), sized(cipheredBody(plaintext, control, counter, key)))
}

/** A context that accepts plain frames and knows no keys. */
export function plainContext(transport: DecodeContext['transport'], more: Partial<DecodeContext> = {}): DecodeContext {
  return { transport, keys: () => undefined, minimumProtection: 'none', ...more }
}
