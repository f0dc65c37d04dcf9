import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { defaultAxdrLimits, nodeCount, readValue } from '../../../operators/decode-dlms/wire/axdr.ts'
import { type DataTree, dataTree } from '../../../operators/decode-dlms/wire/axdr-read.ts'
import { cursor, finish } from '../../../operators/decode-dlms/wire/cursor.ts'
import { WireError } from '../../../operators/decode-dlms/wire/reasons.ts'
import { bytes } from './make.ts'

function read(hex: string, limits = defaultAxdrLimits): DataTree {
  const data = bytes(hex)
  const c = cursor(data)
  const value = readValue(c, limits)
  finish(c)
  return dataTree(value)
}

function reasonFor(hex: string, limits = defaultAxdrLimits): string {
  try {
    read(hex, limits)
    return 'read'
  } catch (error) {
    return error instanceof WireError ? error.reason : `not closed: ${String(error)}`
  }
}

describe('A-XDR data', () => {
  const values: readonly (readonly [string, string, DataTree])[] = [
    ['null-data', '00', { type: 'null-data' }],
    ['boolean', '0301', { type: 'boolean', value: true }],
    ['bit-string of 10 bits', '040a a340', { type: 'bit-string', value: '1010001101' }],
    ['double-long below zero', '05 fffffffe', { type: 'double-long', value: -2 }],
    ['double-long-unsigned above 2^31', '06 fffffffe', { type: 'double-long-unsigned', value: 4_294_967_294 }],
    ['octet-string', '09 02 0102', { type: 'octet-string', value: bytes('0102') }],
    ['visible-string', '0a 01 41', { type: 'visible-string', value: bytes('41') }],
    ['utf8-string', '0c 02 c3a4', { type: 'utf8-string', value: bytes('c3a4') }],
    ['bcd', '0d 42', { type: 'bcd', value: 0x42 }],
    ['integer', '0f 80', { type: 'integer', value: -128 }],
    ['long', '10 8000', { type: 'long', value: -32_768 }],
    ['unsigned', '11 ff', { type: 'unsigned', value: 255 }],
    ['long-unsigned', '12 ffff', { type: 'long-unsigned', value: 65_535 }],
    ['long64 at its lower end', '14 8000000000000000', { type: 'long64', value: -9_223_372_036_854_775_808n }],
    ['long64 that fits a number', '14 ffffffffffffffff', { type: 'long64', value: -1 }],
    [
      'long64-unsigned at its upper end',
      '15 ffffffffffffffff',
      { type: 'long64-unsigned', value: 18_446_744_073_709_551_615n },
    ],
    ['long64-unsigned of 2^53 - 1', '15 001fffffffffffff', { type: 'long64-unsigned', value: 9_007_199_254_740_991 }],
    ['long64-unsigned of 2^53', '15 0020000000000000', { type: 'long64-unsigned', value: 9_007_199_254_740_992n }],
    ['enum', '16 1e', { type: 'enum', value: 30 }],
    ['float32', '17 41200000', { type: 'float32', value: 10 }],
    ['float64', '18 4024000000000000', { type: 'float64', value: 10 }],
    ['date-time', '19 07e704010615202300ff8880', { type: 'date-time', value: bytes('07e704010615202300ff8880') }],
    ['date', '1a 07e7040106', { type: 'date', value: bytes('07e7040106') }],
    ['time', '1b 15202300', { type: 'time', value: bytes('15202300') }],
    ['delta-integer', '1c ff', { type: 'delta-integer', value: -1 }],
    ['delta-long', '1d fffe', { type: 'delta-long', value: -2 }],
    ['delta-double-long', '1e fffffffd', { type: 'delta-double-long', value: -3 }],
    ['delta-unsigned', '1f ff', { type: 'delta-unsigned', value: 255 }],
    ['delta-long-unsigned', '20 ffff', { type: 'delta-long-unsigned', value: 65_535 }],
    ['delta-double-long-unsigned', '21 ffffffff', { type: 'delta-double-long-unsigned', value: 4_294_967_295 }],
    ['empty structure', '02 00', { type: 'structure', elements: [] }],
    [
      'array with a length in more bytes than needed',
      '01 82 0001 11 05',
      { type: 'array', elements: [{ type: 'unsigned', value: 5 }] },
    ],
    [
      'compact-array of structures with an inner array',
      '13 02 02 12 01 0002 11 08 0001 0203 0004 0506',
      {
        type: 'compact-array',
        elements: [
          [1, 2, 3],
          [4, 5, 6],
        ].map(([first, second, third]) => ({
          type: 'structure' as const,
          elements: [
            { type: 'long-unsigned' as const, value: first as number },
            {
              type: 'array' as const,
              elements: [
                { type: 'unsigned' as const, value: second as number },
                { type: 'unsigned' as const, value: third as number },
              ],
            },
          ],
        })),
      },
    ],
    [
      'compact-array of octet-strings',
      '13 09 05 01aa 02bbcc',
      {
        type: 'compact-array',
        elements: ['aa', 'bbcc'].map((text) => ({ type: 'octet-string' as const, value: bytes(text) })),
      },
    ],
    ['empty compact-array', '13 11 00', { type: 'compact-array', elements: [] }],
  ]
  for (const [what, hex, tree] of values) {
    it(`reads ${what}`, () => assert.deepEqual(read(hex), tree))
  }

  it('keeps siblings apart after nested values of every depth', () => {
    const tree = read('02 03 02 02 01 01 02 00 11 01 01 00 11 02')
    assert.deepEqual(tree.type === 'structure' && tree.elements.map(({ type }) => type), [
      'structure',
      'array',
      'unsigned',
    ])
  })

  const refused: readonly (readonly [string, string, string])[] = [
    ['nothing', '', 'axdr_truncated'],
    ['an unknown type', '07', 'axdr_unknown_type'],
    ['the type 255', 'ff', 'axdr_unknown_type'],
    ['a number cut short', '06 000000', 'axdr_truncated'],
    ['a count beyond what is left', '01 84 ffffffff 00', 'axdr_truncated'],
    ['a string beyond what is left', '09 05 01020304', 'axdr_truncated'],
    ['bits beyond what is left', '04 84 ffffffff ff', 'axdr_truncated'],
    ['the indefinite length', '09 80 00', 'length_invalid'],
    ['a length of five bytes', '09 85 0000000001 00', 'length_invalid'],
    ['bytes after the value', '11 05 00', 'apdu_trailing_bytes'],
    ['a structure that ends early', '02 02 11 05', 'axdr_truncated'],
    ['17 levels', `${'0101'.repeat(17)}00`, 'axdr_too_deep'],
    ['compact elements that take no bytes', '13 00 01 00', 'axdr_budget'],
    ['compact structures of nothing', '13 02 00 01 00', 'axdr_budget'],
    ['a compact-array inside the description of another', '13 13 11 01 00', 'axdr_unknown_type'],
    ['a compact description without end', `13 ${'02ff'.repeat(40)}`, 'axdr_too_deep'],
    ['compact contents cut inside an element', '13 12 03 000102', 'axdr_truncated'],
    ['65,535 nulls for each compact byte', '13 02 02 01 ffff 00 11 01 05', 'axdr_budget'],
  ]
  for (const [what, hex, reason] of refused) {
    it(`refuses ${what} with ${reason}`, () => assert.equal(reasonFor(hex), reason))
  }

  it('reads 16 levels', () => assert.equal(reasonFor(`${'0101'.repeat(16)}00`), 'read'))

  it('stops at the element budget, whatever was read before', () => {
    const ten = `010a${'00'.repeat(10)}`
    assert.equal(reasonFor(ten), 'read')
    assert.equal(reasonFor(ten, { depth: 16, elements: 10 }), 'axdr_budget')
    assert.equal(reasonFor(ten, { depth: 16, elements: 11 }), 'read')
  })

  it('keeps earlier values as they were when thousands are read after them', () => {
    const kept = Array.from({ length: 3000 }, (_, k) => {
      const data = bytes(`0203 12${k.toString(16).padStart(4, '0')} 0102 1101 1102 00`)
      return readValue(cursor(data))
    })
    kept.forEach((value, k) => {
      const tree = dataTree(value)
      assert.ok(tree.type === 'structure' && tree.elements.length === 3)
      assert.deepEqual(tree.elements[0], { type: 'long-unsigned', value: k })
    })
  })

  it('leaves nothing behind when a value is refused half-way', () => {
    const good = () => dataTree(readValue(cursor(bytes('0202 1105 1206ab'))))
    const before = good()
    for (let k = 0; k < 5000; k++) assert.equal(reasonFor('0204 1105 1105 1105 07'), 'axdr_unknown_type')
    assert.deepEqual(good(), before)
  })

  it('grows for a large value and keeps every node', () => {
    const data = joinedNulls(30_000)
    assert.equal(nodeCount(readValue(cursor(data))), 30_001)
  })
})

function joinedNulls(count: number): Uint8Array {
  const data = new Uint8Array(4 + count)
  data.set([1, 0x82, count >> 8, count & 0xff])
  return data
}
