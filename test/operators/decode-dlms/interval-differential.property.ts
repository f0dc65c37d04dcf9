// Two readers of the same message, written apart: `intervalReadings`, on which the pipeline counts, and `readings`, which prints everything exactly.
// Whatever energy the first one gives out, the second one shows under the same OBIS code with the same decimal; what is shown twice is given by neither.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decode } from '../../../operators/decode-dlms/decode.ts'
import { type Reading, readings } from '../../../operators/decode-dlms/interpret/readings.ts'
import { intervalReadings } from '../../../operators/decode-dlms/intervals.ts'
import { intervalProfiles } from '../../../operators/decode-dlms/profiles/index.ts'
import { type CaseCheck, caseCount, checkCases, firstFailure, pick } from '../../helpers/dlms-cases.ts'
import { fleetSamples, plaintextsOf } from '../../helpers/dlms-corpus.ts'
import { mutated } from '../../helpers/dlms-mutate.ts'
import { plainContext } from './make.ts'

type Subject = typeof intervalReadings

const found = intervalProfiles.get('interval-30min')
assert.ok(found)
const profile = found
const names = { import: '1-0:1.29.0.255', export: '1-0:2.29.0.255' } as const
const totals = { import: '1-0:1.8.0.255', export: '1-0:2.8.0.255' } as const
// Rows of a load profile are one value for `readings`; profile-rows.test.ts compares those.
const pushes = plaintextsOf(fleetSamples(80)).filter(({ bytes, context }) => {
  const decoded = decode(bytes, context)
  return (
    decoded.outcome === 'message' && readings(decoded.content.message).values.some(({ obis }) => obis === names.import)
  )
})

/** Whether a printed decimal is this whole number. */
function is(value: Reading['value'], whole: number): boolean {
  return typeof value === 'string' && (value === String(whole) || new RegExp(`^${whole}\\.0+$`).test(value))
}

const counts = { given: 0, refused: 0 }

const agrees: CaseCheck<Subject> = (subject, random) => {
  const { bytes } = pick(random, pushes)
  const decoded = decode(random.chance(0.1) ? bytes : mutated(bytes, random), plainContext('apdu'))
  if (decoded.outcome !== 'message') return
  const { message } = decoded.content
  const printed = readings(message).values
  const intervals = subject(message, profile)
  if ('reason' in intervals) {
    counts.refused++
    return
  }
  counts.given++
  for (const { channel, energyWh, registerWh, start } of intervals.readings) {
    const shown = printed.filter(({ obis }) => obis === names[channel])
    assert.equal(shown.length, 1, `${shown.length} values of ${channel} are shown`)
    const [one] = shown as [Reading]
    assert.ok(one.unit === 'Wh' || one.unit === undefined, `energy in ${one.unit}`)
    assert.ok(is(one.value, energyWh), `${energyWh} Wh given, ${String(one.value)} shown`)
    if (registerWh !== undefined) {
      const register = printed.filter(({ obis }) => obis === totals[channel])
      assert.ok(register.length === 1 && is(register[0]?.value ?? null, registerWh), 'the register differs')
    }
    assert.equal((start / 1_000) % 60, 0)
  }
}

describe('the energy of intervals', () => {
  it('is what is printed for the same message, damaged or not', () => {
    checkCases(intervalReadings, agrees, caseCount(), 81)
    assert.ok(pushes.length > 30 && counts.given > 20 && counts.refused > 20, JSON.stringify(counts))
  })

  const planted: readonly (readonly [string, Subject])[] = [
    [
      'applies the scaler twice',
      (message, compiled, options) => {
        const intervals = intervalReadings(message, compiled, options)
        if ('reason' in intervals) return intervals
        const shown = readings(message).values.find(({ obis }) => obis === names.import)
        const factor = 10 ** (shown?.scaler ?? 0)
        return { readings: intervals.readings.map((one) => ({ ...one, energyWh: one.energyWh * factor })) }
      },
    ],
    [
      'exchanges import and export',
      (message, compiled, options) => {
        const intervals = intervalReadings(message, compiled, options)
        if ('reason' in intervals) return intervals
        const turned = { import: 'export', export: 'import' } as const
        return { readings: intervals.readings.map((one) => ({ ...one, channel: turned[one.channel] })) }
      },
    ],
  ]
  for (const [what, subject] of planted) {
    it(`is told from that of a reader that ${what}`, () => {
      assert.notEqual(firstFailure(subject, agrees, 20_000, 81), -1)
    })
  }
})
