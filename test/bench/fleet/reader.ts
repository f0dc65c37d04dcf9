import { createDecipheriv } from 'node:crypto'
import type { Keyring } from '../../../operators/contract/keyring.ts'

/** A value tree as read back from a frame; numbers, octets, lists and null. */
export type Read = number | string | null | readonly Read[]

/** Reads one A-XDR value of the types that the fleet sends; octet strings come back as hex. */
export function readAxdr(bytes: Uint8Array, at: number): { readonly value: Read; readonly next: number } {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const tag = view.readUInt8(at)
  if (tag === 0) return { value: null, next: at + 1 }
  if (tag === 6) return { value: view.readUInt32BE(at + 1), next: at + 5 }
  if (tag === 15) return { value: view.readInt8(at + 1), next: at + 2 }
  if (tag === 17 || tag === 22) return { value: view.readUInt8(at + 1), next: at + 2 }
  if (tag === 18) return { value: view.readUInt16BE(at + 1), next: at + 3 }
  const length = readLength(view, at + 1)
  if (tag === 9) {
    return { value: view.toString('hex', length.next, length.next + length.value), next: length.next + length.value }
  }
  if (tag !== 1 && tag !== 2) throw new Error(`unexpected tag ${tag}`)
  const list: Read[] = []
  let next = length.next
  for (let i = 0; i < length.value; i++) {
    const element = readAxdr(bytes, next)
    list.push(element.value)
    next = element.next
  }
  return { value: list, next }
}

function readLength(view: Buffer, at: number): { readonly value: number; readonly next: number } {
  const first = view.readUInt8(at)
  if (first < 0x80) return { value: first, next: at + 1 }
  if (first === 0x81) return { value: view.readUInt8(at + 1), next: at + 2 }
  if (first !== 0x82) throw new Error('a length in another form than the fleet sends')
  return { value: view.readUInt16BE(at + 1), next: at + 3 }
}

/** APDU of a message from its transport units, joined; no check of link-layer sums. */
export function joinUnits(transport: string, units: readonly Uint8Array[]): Buffer {
  if (transport === 'hdlc') return Buffer.concat(units.map((unit) => unit.subarray(9, -3))).subarray(3)
  const apdus = units.map((unit) => Buffer.from(unit.subarray(8)))
  if (apdus[0]?.[0] !== 0xe0) return apdus[0] as Buffer
  return Buffer.concat(
    apdus.map((block) => {
      const { value, next } = readLength(block, 6)
      return block.subarray(next, next + value)
    }),
  )
}

/** Plain APDU and header of a general-glo-ciphering; throws when the tag is wrong. */
export function openGeneralGlo(
  apdu: Buffer,
  keyring: Keyring,
  keyRef: string,
): { readonly title: string; readonly counter: number; readonly control: number; readonly plain: Buffer } {
  if (apdu[0] !== 0xdb || apdu[1] !== 8) throw new Error('not a general-glo-ciphering with a system title')
  const title = apdu.subarray(2, 10)
  const length = readLength(apdu, 10)
  const body = apdu.subarray(length.next)
  if (body.length !== length.value) throw new Error('length of the ciphered part disagrees')
  const keys = keyring.meterKeys(keyRef)
  if (keys?.authentication === undefined) throw new Error('no key')
  const control = body.readUInt8(0)
  const nonce = Buffer.concat([title, body.subarray(1, 5)])
  const algorithm = (control & 0x0f) === 2 ? 'aes-256-gcm' : 'aes-128-gcm'
  const decipher = createDecipheriv(algorithm, keys.encryption, nonce, { authTagLength: 12 })
  decipher.setAAD(Buffer.concat([Buffer.of(control), keys.authentication.export()]))
  decipher.setAuthTag(body.subarray(-12))
  const plain = Buffer.concat([decipher.update(body.subarray(5, -12)), decipher.final()])
  return { title: title.toString('hex').toUpperCase(), counter: body.readUInt32BE(1), control, plain }
}

/** One interval as read back from a data-notification. */
export interface ReadRow {
  readonly endAt: number
  readonly status: number
  readonly importWh: number
  readonly exportWh: number | undefined
  readonly totalWh: number
}

const clockName = '0000010000ff'
const names = {
  '0000600a01ff': 'status',
  '0100011d00ff': 'importWh',
  '0100021d00ff': 'exportWh',
  '0100010800ff': 'totalWh',
} as const

/** Instant of a 12-byte date-time in hex: UTC is local time plus deviation. */
export function instantOf(hex: string): number {
  const b = Buffer.from(hex, 'hex')
  const local = Date.UTC(
    b.readUInt16BE(0),
    b.readUInt8(2) - 1,
    b.readUInt8(3),
    b.readUInt8(5),
    b.readUInt8(6),
    b.readUInt8(7),
  )
  return local + b.readInt16BE(9) * 60_000
}

/** Intervals of a plain data-notification in any of the fleet's layouts. */
export function readRows(plain: Buffer): readonly ReadRow[] {
  if (plain[0] !== 0x0f) throw new Error('not a data-notification')
  const { value, next } = readAxdr(plain, 6 + plain.readUInt8(5))
  if (next !== plain.length) throw new Error('bytes after the body')
  const body = value as readonly Read[]
  const first = body[0] as readonly Read[]
  // described list: a list of {name, value[, scaler and unit]}
  if (typeof first[0] === 'string') {
    return [toRow(body.map((item) => [(item as Read[])[0] as string, (item as Read[])[1] as Read]))]
  }
  const objects = (first as readonly (readonly Read[])[]).map((object) => object[1] as string)
  if (body.length !== 5 || typeof body[2] !== 'object') {
    return [toRow(objects.map((name, i) => [name, body[i + 1] as Read]))]
  }
  const columns = (body[2] as readonly (readonly Read[])[]).map((object) => object[1] as string)
  const period = body[3] as number
  let endAt = Number.NaN
  return (body[4] as readonly (readonly Read[])[]).map((cells) => {
    endAt = cells[0] === null ? endAt + period * 1_000 : instantOf(cells[0] as string)
    return { ...toRow(columns.slice(1).map((name, i) => [name, cells[i + 1] as Read])), endAt }
  })
}

function toRow(pairs: readonly (readonly [string, Read])[]): ReadRow {
  const row: Record<string, number> = {}
  for (const [name, value] of pairs) {
    if (name === clockName) row['endAt'] = instantOf(value as string)
    else if (name in names) row[names[name as keyof typeof names]] = value as number
  }
  const { endAt = Number.NaN, status = Number.NaN, importWh = Number.NaN, exportWh, totalWh = Number.NaN } = row
  return { endAt, status, importWh, exportWh, totalWh }
}
