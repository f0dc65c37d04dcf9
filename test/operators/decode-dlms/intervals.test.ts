import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decode } from '../../../operators/decode-dlms/decode.ts'
import { compileProfile, type IntervalProfile } from '../../../operators/decode-dlms/interpret/interval-profile.ts'
import { type IntervalOptions, type Intervals, intervalReadings } from '../../../operators/decode-dlms/intervals.ts'
import { intervalProfiles } from '../../../operators/decode-dlms/profiles/index.ts'
import { bytes, plainContext } from './make.ts'

const profile = intervalProfiles.get('interval-30min') as ReturnType<typeof compileProfile>

function readingsOf(body: string, compiled = profile, options: IntervalOptions = {}, time = '00'): Intervals {
  const decoded = decode(bytes(`0f 00000001 ${time} ${body}`), plainContext('apdu'))
  assert.equal(decoded.outcome, 'message', decoded.outcome === 'refused' ? decoded.reason : '')
  return intervalReadings(decoded.content.message, compiled, options)
}

function shortOf(intervals: Intervals): string {
  return 'reason' in intervals
    ? intervals.reason
    : intervals.readings.map(({ channel, energyWh }) => `${channel} ${energyWh}`).join(', ')
}

// 2026-03-29 12:30:00, deviation -120 (UTC+2), daylight saving
const stamp = '07ea031d070c1e0000ff8880'
const end = Date.UTC(2026, 2, 29, 10, 30)
const clock = `0202 09060000010000ff 090c${stamp}`
const status = '0202 090600006 00a01ff 1105'.replace('6 0', '60')
const wh = '0202 0f00 161e'
const energy = (obis: string, value: string, unit = wh): string => `0203 0906${obis} ${value} ${unit}`
const imported = energy('0100011d00ff', '06000001f4')
const exported = energy('0100021d00ff', '0600000000')
const total = energy('0100010800ff', '15000000000098967f')

const line = (classId: string, obis: string, attribute: string): string =>
  `0204 12${classId} 0906${obis} 0f${attribute} 120000`
const objects = `${line('0028', '0000190900ff', '01')} ${line('0008', '0000010000ff', '02')} ${line('0003', '0100011d00ff', '02')}`
const captured = `0103 ${line('0008', '0000010000ff', '02')} ${line('0003', '0100011d00ff', '02')} ${line('0003', '0100010800ff', '02')}`
const profileLines = ['01', '03', '04', '02']
  .map((attribute, k) => (k === 0 ? line('0028', '0000190900ff', attribute) : line('0007', '0100630100ff', attribute)))
  .join(' ')
const rows = (body: string, period = '0600000708'): string =>
  `0205 0104 ${profileLines} 09060000190900ff ${captured} ${period} ${body}`

describe('interval readings', () => {
  it('carry start, duration, registers, clock status and interval status', () => {
    const intervals = readingsOf(`0105 ${clock} ${status} ${imported} ${exported} ${total}`)
    assert.ok('readings' in intervals)
    const common = {
      start: end - 1_800_000,
      durationSeconds: 1800,
      clockStatus: 0x80,
      deviationMinutes: -120,
      status: 5,
    }
    assert.deepEqual(intervals.readings, [
      { ...common, channel: 'import', energyWh: 500, registerWh: 9_999_999 },
      { ...common, channel: 'export', energyWh: 0, registerWh: undefined },
    ])
  })

  it('come from a push object list with and without itself as first line', () => {
    const values = `090c${stamp} 0600000141`
    assert.equal(shortOf(readingsOf(`0204 0103 ${objects} 09060000190900ff ${values}`)), 'import 321')
    const self = objects.replace('0f01', '0f02')
    assert.equal(shortOf(readingsOf(`0203 0103 ${self} ${values}`)), 'import 321')
  })

  it('come from a flat list', () => {
    assert.equal(
      shortOf(readingsOf(`0205 09060000010000ff 090c${stamp} 09060100011d00ff 0600000007 ${wh}`)),
      'import 7',
    )
  })

  it('come from the rows of a load profile in the push, nulls filled', () => {
    const intervals = readingsOf(
      rows(`0103 0203 090c${stamp} 0600000001 0600000064 0203 00 0600000002 0600000066 0203 00 00 0600000068`),
    )
    assert.ok('readings' in intervals)
    assert.deepEqual(
      intervals.readings.map(({ start, energyWh, registerWh }) => [start - end, energyWh, registerWh]),
      [
        [-1_800_000, 1, 100],
        [0, 2, 102],
        [1_800_000, 2, 104],
      ],
    )
  })

  it('come from a bare buffer by the columns of the profile, newest row first', () => {
    const definition: IntervalProfile = {
      ...profile.profile,
      columns: ['0-0:1.0.0.255', '1-0:1.29.0.255'],
      newestFirst: true,
    }
    const decoded = decode(bytes(`c401c100 0102 0202 090c${stamp} 0600000005 0202 00 0600000006`), plainContext('apdu'))
    assert.equal(decoded.outcome, 'message')
    const intervals = intervalReadings(decoded.content.message, compileProfile(definition))
    assert.ok('readings' in intervals)
    assert.deepEqual(
      intervals.readings.map(({ start, energyWh }) => [start - end, energyWh]),
      [
        [-1_800_000, 5],
        [-3_600_000, 6],
      ],
    )
  })

  it('take the status from a bit-string, bit k being the k-th bit sent', () => {
    const intervals = readingsOf(`0103 ${clock} ${'0202 09060000600a01ff 0408 a0'} ${imported}`)
    assert.ok('readings' in intervals)
    assert.equal(intervals.readings[0]?.status, 0b101)
  })

  it('take the time of the notification where the profile says so', () => {
    const compiled = compileProfile({ ...profile.profile, clock: 'notification' })
    const intervals = readingsOf(`0101 ${imported}`, compiled, {}, `0c${stamp}`)
    assert.ok('readings' in intervals)
    assert.equal(intervals.readings[0]?.start, end - 1_800_000)
    assert.equal(shortOf(readingsOf(`0101 ${imported}`, compiled)), 'time_missing')
  })

  it('take local time by the zone of the caller where the deviation is open, and say so', () => {
    const open = clock.replace('ff8880', '800080')
    assert.equal(shortOf(readingsOf(`0102 ${open} ${imported}`)), 'time_invalid')
    const intervals = readingsOf(`0102 ${open} ${imported}`, profile, { utcOf: (local) => local - 7_200_000 })
    assert.ok('readings' in intervals)
    assert.equal(intervals.readings[0]?.start, end - 1_800_000)
    assert.equal(intervals.readings[0]?.deviationMinutes, undefined)
  })

  it('are scaled exactly', () => {
    assert.equal(
      shortOf(readingsOf(`0102 ${clock} ${energy('0100011d00ff', '0600000005', '0202 0f03 161e')}`)),
      'import 5000',
    )
    assert.equal(
      shortOf(readingsOf(`0102 ${clock} ${energy('0100011d00ff', '06000001f4', '0202 0fff 161e')}`)),
      'import 50',
    )
  })

  const refused: readonly (readonly [string, string, string])[] = [
    ['no energy that the profile names', `0101 ${clock}`, 'obis_unmapped'],
    ['a null in place of the only energy', `0102 ${clock} ${energy('0100011d00ff', '00')}`, 'obis_unmapped'],
    ['a body that is one value', '1105', 'obis_unmapped'],
    ['no clock', `0101 ${imported}`, 'time_missing'],
    ['a clock with an open hour', `0102 ${clock.replace('070c1e', '07ff1e')} ${imported}`, 'time_invalid'],
    ['a clock on 30 February', `0102 ${clock.replace('07ea031d', '07ea021e')} ${imported}`, 'time_invalid'],
    ['a clock inside an interval', `0102 ${clock.replace('0c1e00', '0c1e05')} ${imported}`, 'time_invalid'],
    ['a clock of six bytes', `0102 0202 09060000010000ff 0906010203040506 ${imported}`, 'time_invalid'],
    ['a deviation of 20 hours', `0102 ${clock.replace('ff8880', '04b080')} ${imported}`, 'time_invalid'],
    ['watts', `0102 ${clock} ${energy('0100011d00ff', '0600000005', '0202 0f00 161b')}`, 'unit_unexpected'],
    [
      'a unit that is none',
      `0102 ${clock} ${energy('0100011d00ff', '0600000005', '0202 0f00 16ff')}`,
      'unit_unexpected',
    ],
    [
      'a fraction of a watt-hour',
      `0102 ${clock} ${energy('0100011d00ff', '0600000005', '0202 0fff 161e')}`,
      'unit_unexpected',
    ],
    [
      'a register in another unit',
      `0103 ${clock} ${imported} ${energy('0100010800ff', '0600000005', '0202 0f00 1620')}`,
      'unit_unexpected',
    ],
    ['energy below zero', `0102 ${clock} ${energy('0100011d00ff', '05ffffffff')}`, 'value_out_of_range'],
    ['energy beyond 2^53', `0102 ${clock} ${energy('0100011d00ff', '150020000000000001')}`, 'value_out_of_range'],
    ['energy as text', `0102 ${clock} ${energy('0100011d00ff', '090131')}`, 'value_out_of_range'],
    ['energy as a delta without a row before', `0102 ${clock} ${energy('0100011d00ff', '1f05')}`, 'value_out_of_range'],
    ['the same object twice', `0103 ${clock} ${imported} ${imported}`, 'profile_ambiguous'],
    [
      'another capture period than the profile',
      rows(`0101 0203 090c${stamp} 0600000001 0600000064`, '0600000384'),
      'time_invalid',
    ],
    ['a null clock in the first row', rows('0101 0203 00 0600000001 0600000064'), 'time_missing'],
    ['rows with fewer columns than capture objects', rows(`0101 0202 090c${stamp} 0600000001`), 'obis_unmapped'],
    ['a buffer without rows', rows('0100'), 'obis_unmapped'],
  ]
  for (const [what, body, reason] of refused) {
    it(`are refused with ${reason} for ${what}`, () => assert.equal(shortOf(readingsOf(body)), reason))
  }

  it('without a scaler and unit anywhere are refused, not guessed', () => {
    const compiled = compileProfile({ ...profile.profile, scales: {} })
    assert.equal(
      shortOf(readingsOf(`0203 0103 ${objects.replace('0f01', '0f02')} 090c${stamp} 0600000141`, compiled)),
      'unit_unexpected',
    )
  })

  it('need a sound profile', () => {
    for (const change of [
      { periodSeconds: 7 },
      { clock: '1.0.0' },
      { channels: [] },
      { status: profile.profile.clock },
    ]) {
      assert.throws(() => compileProfile({ ...profile.profile, ...change }), /interval-30min/)
    }
  })
})
