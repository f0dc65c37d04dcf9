import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decode } from '../../../operators/decode-dlms/decode.ts'
import { profileRows } from '../../../operators/decode-dlms/interpret/rows.ts'
import type { AxdrValue } from '../../../operators/decode-dlms/wire/axdr.ts'
import { WireError } from '../../../operators/decode-dlms/wire/reasons.ts'
import { bytesOf, frameById } from './frames.ts'

function readValue(hex: string, bytes: Uint8Array = Uint8Array.from(Buffer.from(hex, 'hex'))): AxdrValue {
  const decoded = decode(bytes, {
    transport: 'axdr',
    keys: () => undefined,
    minimumProtection: 'none',
  })
  assert.equal(decoded.outcome, 'message')
  const { message } = decoded.content
  assert.equal(message.kind, 'data')
  return message.value
}

const hourly = { clockColumn: 0, periodSeconds: 3600, newestFirst: false }
const clock = '090c07e30c1f0217000000ffc400'

describe('profile rows', () => {
  it('fill null clocks with the capture period, across midnight and the year', () => {
    const frame = frameById('u9n-profile-generic-null-rows')
    assert.deepEqual(profileRows(readValue(Buffer.from(bytesOf(frame)).toString('hex')), hourly), frame.expect['rows'])
  })

  it('leave the message as it came, also in a Buffer, whose slices are no copies', () => {
    const frame = frameById('u9n-profile-generic-null-rows')
    const bytes = Buffer.from(bytesOf(frame))
    assert.deepEqual(profileRows(readValue('', bytes), hourly), frame.expect['rows'])
    assert.deepEqual([...bytes], [...bytesOf(frame)])
  })

  it('go backwards in time if the newest row comes first', () => {
    const rows = profileRows(readValue(`01020202${clock}110102020011 02`.replaceAll(' ', '')), {
      ...hourly,
      newestFirst: true,
    })
    assert.deepEqual(rows, [
      ['2019-12-31T23:00:00+01:00', '1'],
      ['2019-12-31T22:00:00+01:00', '2'],
    ])
  })

  it('repeat the value of the row before for a null in another column', () => {
    assert.deepEqual(profileRows(readValue(`01020202${clock}120102${'020200'}00`), hourly)[1], [
      '2020-01-01T00:00:00+01:00',
      '258',
    ])
  })

  it('add a delta to the value of the row before, in 64 bits', () => {
    const rows = profileRows(readValue(`01030202${clock}150020000000000001${'0202001cff'}${'0202001f02'}`), hourly)
    assert.deepEqual(
      rows.map((row) => row[1]),
      ['9007199254740993', '9007199254740992', '9007199254740994'],
    )
  })

  const refused: readonly (readonly [string, string, number, string])[] = [
    ['a null clock in the first row', `010102020011 01`, 3600, 'time_missing'],
    ['a null clock without a capture period', `01020202${clock}1101020200 1102`, 0, 'time_missing'],
    ['a null value in the first row', `01010202${clock}00`, 3600, 'value_out_of_range'],
    ['a delta in the first row', `01010202${clock}1c01`, 3600, 'value_out_of_range'],
    ['a row of another length', `01020202${clock}11010201${clock}`, 3600, 'value_out_of_range'],
  ]
  for (const [what, hex, periodSeconds, reason] of refused) {
    it(`refuse ${what}`, () => {
      const value = readValue(hex.replaceAll(' ', ''))
      assert.throws(
        () => profileRows(value, { ...hourly, periodSeconds }),
        (error: unknown) => error instanceof WireError && error.reason === reason,
      )
    })
  }
})
