import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decodeDump } from '../../../operators/decode-dlms/dump.ts'
import { shiftDecimal, shiftInteger } from '../../../operators/decode-dlms/interpret/decimal.ts'
import { checkOctetLayout, octetReadings } from '../../../operators/decode-dlms/interpret/octet-layout.ts'
import { labelled } from '../../../operators/decode-dlms/interpret/registry.ts'
import { positionalLayouts } from '../../../operators/decode-dlms/profiles/index.ts'
import { type AxdrValue, readValue } from '../../../operators/decode-dlms/wire/axdr.ts'
import { cursor } from '../../../operators/decode-dlms/wire/cursor.ts'
import { bytesOf, frameById } from './frames.ts'
import { bytes, plainContext } from './make.ts'

function bodyOf(id: string): AxdrValue {
  const [unit] = decodeDump(bytesOf(frameById(id)), plainContext('hdlc')).units
  assert.equal(unit?.decoded.outcome, 'message')
  const { message } = unit.decoded.content
  assert.ok(message.kind === 'data-notification' && message.value !== undefined)
  return message.value
}

const named = (...ids: readonly string[]) => ids.map((id) => positionalLayouts.get(id) ?? assert.fail(id))

describe('positional layouts', () => {
  it('label a list that exactly one configured layout fits', () => {
    const list = labelled(bodyOf('ams-gh493-1'), named('kaifa-han-list-1', 'kaifa-han-list-2-three-phase'))
    assert.ok('values' in list && list.layout?.id === 'kaifa-han-list-2-three-phase')
    const voltage = list.values.find(({ obis }) => obis === '1-0:32.7.0.255')
    assert.deepEqual([voltage?.raw, voltage?.value, voltage?.unit], [2367, '236.7', 'V'])
  })

  it('give the powers and voltages that the distributor states', () => {
    const list = labelled(bodyOf('ams-gh615-1'), named('iskra-am550-slovenia-power'))
    assert.ok('values' in list)
    const value = (obis: string) => list.values.find((reading) => reading.obis === obis)?.value
    assert.deepEqual(
      [value('1-0:1.7.0.255'), value('1-0:32.7.0.255'), value('1-0:31.7.0.255')],
      ['1393', '237.9', '1.03'],
    )
  })

  it('leave a list of another maker unlabelled', () => {
    const list = labelled(bodyOf('ams-gh615-8'), named('kaifa-han-list-2-three-phase', 'iskra-am550-slovenia-power'))
    assert.ok('values' in list && list.layout === undefined)
    assert.ok(
      list.values.every(({ obis, unit, index }) => obis === undefined && unit === undefined && index !== undefined),
    )
  })

  it('refuse to choose between two that fit', () => {
    const [layout] = named('kaifa-han-list-1')
    const twin = { ...(layout as NonNullable<typeof layout>), id: 'twin' }
    assert.deepEqual(labelled(bodyOf('ams-gh180-1'), [layout as NonNullable<typeof layout>, twin]), {
      reason: 'profile_ambiguous',
    })
  })
})

describe('layouts of a bare octet-string', () => {
  const layout = checkOctetLayout({
    kind: 'octets',
    id: 'test-gas',
    version: 1,
    describes: 'Made up for this test.',
    length: 6,
    fields: [
      { at: 0, size: 4, signed: false, littleEndian: false, obis: '7-0:3.0.0.255', scaler: -3, unit: 13 },
      { at: 4, size: 2, signed: true, littleEndian: true, obis: '7-0:41.0.0.255', scaler: -1, unit: 9 },
    ],
  })
  const octets = (hex: string) => readValue(cursor(bytes(`0906 ${hex}`)))

  it('give their fields exactly', () => {
    const found = octetReadings(octets('000030 39 ffff'), [layout])
    assert.ok('values' in found)
    assert.deepEqual(
      found.values.map(({ obis, value, unit }) => [obis, value, unit]),
      [
        ['7-0:3.0.0.255', '12.345', 'm³'],
        ['7-0:41.0.0.255', '-0.1', '°C'],
      ],
    )
  })

  it('are refused when none or more than one has the length', () => {
    assert.deepEqual(octetReadings(octets('000000000000'), []), { reason: 'obis_unmapped' })
    assert.deepEqual(octetReadings(octets('000000000000'), [layout, layout]), { reason: 'profile_ambiguous' })
    assert.deepEqual(octetReadings(readValue(cursor(bytes('1105'))), [layout]), { reason: 'obis_unmapped' })
  })

  it('must keep their fields inside the string', () => {
    assert.throws(() => checkOctetLayout({ ...layout, length: 5 }), /test-gas/)
  })
})

describe('decimals', () => {
  for (const [raw, scaler, text] of [
    [2307, -1, '230.7'],
    [-5, -2, '-0.05'],
    [0, -2, '0.00'],
    [12, 1, '120'],
    [0, 3, '0'],
    [-7, 2, '-700'],
    [18_446_744_073_709_551_615n, -3, '18446744073709551.615'],
  ] as const) {
    it(`of ${raw} with scaler ${scaler} are ${text}`, () => assert.equal(shiftDecimal(raw, scaler), text))
  }

  it('give integers only where they are exact', () => {
    assert.equal(shiftInteger(5000n, -3), 5)
    assert.equal(shiftInteger(5001, -3), Number.NaN)
    assert.equal(shiftInteger(1, 16), Number.POSITIVE_INFINITY)
    assert.equal(shiftInteger(0, 127), 0)
    assert.equal(shiftInteger(1, -128), Number.NaN)
  })
})
