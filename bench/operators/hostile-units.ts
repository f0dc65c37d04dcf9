// Units of up to 64 KiB that cost a decoder the most for what they are: used by the bench that times them and by the property that counts their steps.
import type { DecodeContext } from '../../operators/decode-dlms/types.ts'
import type { Framing } from '../../operators/decode-dlms/wire/scan.ts'

/** Length of a hostile input in bytes. */
export const hostileBytes = 65_536

/** One attack on `decode`. */
export interface HostileUnit {
  readonly name: string
  readonly context: DecodeContext
  readonly unit: Uint8Array
}

/** One attack on a framer. */
export interface HostileStream {
  readonly name: string
  readonly framing: Framing
  readonly bytes: Uint8Array
  /** Good units in it: 0, unless the attack is their number. */
  readonly units: number
}

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'))

/** A length or count of four bytes. */
const long = (count: number): string => `84${count.toString(16).padStart(8, '0')}`

/** A head that may name the count, a pattern so often, and a tail: as much as fits, or `most` times. */
function repeated(
  head: string | ((count: number) => string),
  pattern: string,
  tail: string | ((count: number) => string) = '',
  most = hostileBytes,
): Uint8Array {
  const part = hex(pattern)
  const headOf = typeof head === 'string' ? () => head : head
  const tailOf = typeof tail === 'string' ? () => tail : tail
  let count = Math.floor(Math.min(most, hostileBytes / part.length))
  const whole = (): number => hex(headOf(count)).length + count * part.length + hex(tailOf(count)).length
  while (whole() > hostileBytes) count -= Math.max(1, Math.floor((whole() - hostileBytes) / part.length / 4))
  const unit = new Uint8Array(whole())
  unit.set(hex(headOf(count)))
  for (let k = 0, at = hex(headOf(count)).length; k < count; k++, at += part.length) unit.set(part, at)
  unit.set(hex(tailOf(count)), unit.length - hex(tailOf(count)).length)
  return unit
}

const push = '0f 00000001 00'
const nodes = 32_767
// structure { array of 32,752 nulls, unsigned }: one byte of contents becomes 32,754 nodes.
const swelling = '13 02 02 01 7ff0 00 11 01 05'
const line = '0003 0100010800ff 02'

const apdus: readonly (readonly [string, Uint8Array])[] = [
  ['arrays of one array, without end', repeated(push, '01 01')],
  [
    'structures to the deepest level, over and over',
    repeated((n) => `${push} 01 ${long(n)}`, `${'0201'.repeat(15)} 00`),
  ],
  ['an array of nulls within the budget', repeated((n) => `${push} 01 ${long(n)}`, '00', '', nodes)],
  ['an array of nulls past the budget', repeated((n) => `${push} 01 ${long(n)}`, '00')],
  ['an array of empty structures', repeated((n) => `${push} 01 ${long(n)}`, '02 00', '', nodes)],
  ['an array that claims 4,294,967,295 elements', repeated(`${push} 01 ${long(0xffff_ffff)}`, '00')],
  ['described items', repeated((n) => `${push} 01 ${long(n)}`, '0202 0906 0100010800ff 00', '', nodes / 4)],
  ['a flat list of OBIS codes', repeated((n) => `${push} 02 ${long(n)}`, '0906 0100010800ff', '', nodes)],
  [
    'a push object list of many lines',
    repeated(
      (n) => `${push} 02 ${long(n + 1)} 01 ${long(n)}`,
      '0204 120003 0906 0100010800ff 0f02 120000',
      (n) => '00'.repeat(n),
    ),
  ],
  [
    'a load profile of short rows',
    repeated(
      (n) =>
        `${push} 0203 0102 0204 120007 0906 0100630100ff 0f03 120000 0204 120007 0906 0100630100ff 0f02 120000
        0102 0204 120008 0906 0000010000ff 0f02 120000 0204 120003 0906 0100011d00ff 0f02 120000 01 ${long(n + 1)}
        0202 090c 07ea031d070c1e0000ff8880 0600000001`,
      '0202 00 1c01',
      '',
      10_000,
    ),
  ],
  ['a compact array one byte of which becomes 32,754 nodes', hex(`${push} ${swelling}`)],
  ['a compact array of nulls', repeated((n) => `${push} 13 00 ${long(n)}`, '00')],
  ['a compact array of bytes', repeated((n) => `${push} 13 11 ${long(n)}`, '11', '', nodes)],
  ['a compact array of empty strings', repeated((n) => `${push} 13 09 ${long(n)}`, '00', '', nodes)],
  ['a compact array of empty structures', repeated((n) => `${push} 13 02 02 02 00 11 ${long(n)}`, '05', '', nodes / 4)],
  ['a compact array described by 255 structures', repeated(`${push} 13 02 ff`, '02 00')],
  ['a compact array of a description without end', repeated(`${push} 13`, '02 01')],
  ['a bit-string of 520,000 bits', repeated((n) => `${push} 04 ${long(n * 8)}`, 'a5')],
  ['one long string', repeated((n) => `${push} 09 ${long(n)}`, '41')],
  ['an untagged list', repeated((n) => `${push} 0202 1600 01 ${long(n)}`, `0202 ${line} 00`)],
  ['an untagged list that ends wrong', repeated((n) => `${push} 0202 1600 01 ${long(n)}`, `0202 ${line} 00`, '00')],
  [
    'an untagged list of swelling values',
    repeated((n) => `${push} 0202 1600 01 ${long(n)}`, `0202 ${line} ${swelling}`),
  ],
  ['a get-response with a list of nulls', repeated((n) => `c403c1 ${long(n)}`, '00 00')],
  ['a get-response with a list of access results', repeated((n) => `c403c1 ${long(n)}`, '01 04')],
  ['a get-response with a list of swelling values', repeated((n) => `c403c1 ${long(n)}`, `00 ${swelling}`)],
  [
    'an access-response of nulls',
    repeated(
      (n) => `da 00000001 00 00 ${long(n)}`,
      '00',
      (n) => long(n) + '0100'.repeat(n),
    ),
  ],
  [
    'an access-response that repeats requests with swelling selections',
    repeated((n) => `da 00000001 00 01 ${long(n)}`, `04 0001 010203040506 01 01 ${swelling}`, '0000'),
  ],
  ['an access-response of swelling values', repeated((n) => `da 00000001 00 00 ${long(n)}`, swelling)],
  ['a P1 text of end marks', repeated('2f', '21')],
  ['an AARE of empty fields', repeated((n) => `61 82 ${n.toString(16).padStart(4, '0')}`, '89', '', 0xfffc)],
  [
    'an AARE of fields of one byte',
    repeated((n) => `61 82 ${(n * 3).toString(16).padStart(4, '0')}`, '890101', '', 21_000),
  ],
  ['a block transfer inside block transfers', repeated((n) => `e0 80 0001 0000 ${long(n * 7)}`, 'e0 80 0001 0000 03')],
]

/** Every attack on `decode` that is known, each as large as it can be within 64 KiB. */
export function hostileUnits(): readonly HostileUnit[] {
  const context: DecodeContext = { transport: 'apdu', keys: () => undefined, minimumProtection: 'none' }
  return apdus.map(([name, unit]) => ({ name, context, unit }))
}

/** Every attack on a framer that is known. */
export function hostileStreams(): readonly HostileStream[] {
  const streams: readonly (readonly [Framing, string, Uint8Array, number?])[] = [
    ['hdlc', 'flags', repeated('', '7e')],
    ['hdlc', 'openings of the longest frame', repeated('', '7ea7ff')],
    ['hdlc', 'openings with addresses of four bytes', repeated('', '7ea7ff0202020302020203')],
    ['hdlc', 'good headers whose frame check is wrong', repeated('', '7ea010410883137d8be6e7000102030000')],
    ['hdlc', 'bytes without any flag', repeated('', '00')],
    ['mbus', 'start bytes', repeated('', '68')],
    ['mbus', 'openings of the longest frame', repeated('', '68fafa68')],
    ['mbus', 'openings that overlap', repeated('', '686868686803')],
    ['mbus', 'frames whose sum is wrong', repeated('', `68 06 06 68 53 ff 00 01 67 00 00 16`)],
    ['wrapper', 'units without contents', repeated('', '0001 0001 0001 0000'), hostileBytes / 8],
    ['wrapper', 'units of one byte', repeated('', '0001 0001 0001 0001 0f'), Math.floor(hostileBytes / 9)],
    ['hdlc', 'frames without contents', repeated('', '7ea0070303938c11', '7e'), Math.floor((hostileBytes - 1) / 8)],
    ['wrapper', 'a header with another version', repeated('', '0002')],
  ]
  return streams.map(([framing, name, bytes, units = 0]) => ({ name, framing, bytes, units }))
}
