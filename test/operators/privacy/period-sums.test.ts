import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { rational } from 'diffprivlib-ts'
import { type Period, periodSums, periodsThrough } from '../../../operators/privacy/period-sums.ts'
import { defaultPolicy, halfWidths } from '../../../operators/privacy/release/policy.ts'
import { policyEpochs } from '../../../operators/privacy/release/policy-epochs.ts'
import type { LoadPublic } from '../../../schemas/load-public.ts'
import { monday, released } from '../../helpers/forecast-fixtures.ts'

const day = 86_400_000
const week: Period = { name: 'week', start: monday, end: monday + 7 * day }

const record = (n: number, rawWh: number | null, rest: Partial<LoadPublic> = {}, sigma2 = '100/3'): LoadPublic => {
  const made = released(n, rawWh, rest)
  return { ...made, privacy: { ...made.privacy, sigma2 } }
}

describe('periods', () => {
  it('are whole local days up to and with a date', () => {
    const text = ({ name, start, end }: Period) => [name, new Date(start).toISOString(), new Date(end).toISOString()]
    assert.deepEqual(periodsThrough('Europe/Berlin', '2026-04-02').map(text), [
      ['year_to_date', '2025-12-31T23:00:00.000Z', '2026-04-02T22:00:00.000Z'],
      // Clocks changed on 29 March.
      ['rolling_7_days', '2026-03-26T23:00:00.000Z', '2026-04-02T22:00:00.000Z'],
      ['rolling_30_days', '2026-03-03T23:00:00.000Z', '2026-04-02T22:00:00.000Z'],
      ['rolling_90_days', '2026-01-02T23:00:00.000Z', '2026-04-02T22:00:00.000Z'],
    ])
  })
})

describe('periodSums', () => {
  it('adds values and variances exactly, and takes the final value of a window', () => {
    const records = [
      record(0, 100),
      record(1, -30),
      record(0, 90, { phase: 'final' }, '200/3'),
      record(0, 100),
      record(2, null),
      record(7 * 48, 5_000),
      record(-1, 5_000),
    ]
    const [sum] = periodSums(records, [week])
    assert.equal(sum!.rawWh, 60)
    assert.deepEqual(sum!.variance, rational.integer(100))
    assert.deepEqual([sum!.half50Wh, sum!.half95Wh], [7, 20])
    assert.equal(sum!.windows, 2)
    assert.equal(sum!.missingSeconds, 7 * 86_400 - 2 * 1_800)
  })

  it('adds the variances of both sides of a change of S exactly', () => {
    const { on } = policyEpochs({
      ...defaultPolicy,
      epochs: [{ from: new Date(monday + 2 * day).toISOString().slice(0, 10), clipWhPerHalfHour: { feeder: 7_001 } }],
    })
    const sigma2 = (n: number): string =>
      on(new Date(monday + n * 1_800_000).toISOString().slice(0, 10)).levels.feeder.statement[1].sigma2
    const records = Array.from({ length: 3 * 48 }, (_, n) => record(n, 10, {}, sigma2(n)))
    const [sum] = periodSums(records, [week])
    const of = (clipWh: number) =>
      rational.mul(rational.integer(BigInt(clipWh) ** 2n), rational.parse('200000000/2435597'))
    const expected = rational.add(
      rational.mul(rational.integer(96), of(10_000)),
      rational.mul(rational.integer(48), of(7_001)),
    )
    assert.equal(rational.format(sum!.variance), rational.format(expected))
    assert.deepEqual([sum!.half50Wh, sum!.half95Wh], Object.values(halfWidths(expected)))
  })

  it('says null where nothing was released', () => {
    const [sum] = periodSums([record(0, null)], [week])
    assert.equal(sum!.rawWh, null)
    assert.equal(sum!.half95Wh, 0)
  })

  it('keeps the half-width of a day at the root of its windows', () => {
    const [sum] = periodSums(
      Array.from({ length: 48 }, (_, n) => record(n, 1, {}, '10000')),
      [week],
    )
    // 1.96 x 100 Wh x sqrt(48) = 1357.9
    assert.equal(sum!.half95Wh, 1_358)
  })

  it('refuses records of several groups or channels', () => {
    for (const other of [{ group: 'feeder-2' }, { channel: 'export' }, { level: 'region' }] as const) {
      assert.throws(() => periodSums([record(0, 1), record(1, 1, other)], [week]), RangeError)
    }
  })

  it('refuses two values of one window and phase', () => {
    assert.throws(() => periodSums([record(0, 1), record(0, 2)], [week]), /two values/)
  })
})
