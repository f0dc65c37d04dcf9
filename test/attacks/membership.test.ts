// The attack: a home moves in, and the sum of its group is compared with that of a day before. Its values of the day that ends
// with its arrival come in after midnight, and count already.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { membershipHistory } from '../../operators/privacy/release/restricted/membership.ts'
import { drive } from '../helpers/release-driver.ts'
import { berlin, cell, partial, releaseOperator, zeroNoise } from '../helpers/release-fixtures.ts'
import { household } from '../operators/privacy/k-anonymize/registers.ts'

const groups = { utility: 'utility-1', region: 'region-1', substation: 'substation-1', feeder: 'feeder-1' }
const arrival = '2026-01-16T00:00'
const joinedWh = 1_234

const entries = (joining: number) => [
  ...Array.from({ length: 150 }, (_, i) => household(`old ${i}`, { groups })),
  ...Array.from({ length: joining }, (_, i) => household(`new ${i}`, { groups, validFrom: berlin(arrival) })),
]

/** What the restricted topic shows of the substation at ten o'clock of three days: the last is the first with newcomers. */
function shown(joining: number, kept: boolean): readonly (number | null)[] {
  const membership = membershipHistory({ entries: entries(joining), timeZone: 'Europe/Berlin', zone: 'de', k: 100 })
  const cells = (window: string, exactWh: number, count: number) =>
    Object.entries(groups).map(([level, group]) =>
      cell(window, 0, { level: level as 'feeder', group, exactWh, count, largestWh: 2_000, secondWh: 2_000 }),
    )
  const at = (seq: number, progress: string, of: ReturnType<typeof cells> = []) => [
    partial(0, seq, progress, of),
    partial(1, seq, progress),
  ]
  const partials = [
    ...at(1, '2026-01-14T00:10'),
    ...at(2, '2026-01-14T12:00', cells('2026-01-14T10:00', 100_000, 150)),
    ...at(3, '2026-01-15T12:00', cells('2026-01-15T10:00', 100_000, 150)),
    ...at(4, '2026-01-16T12:00', cells('2026-01-16T10:00', 100_000 + joining * joinedWh, 150 + joining)),
  ]
  const { restricted } = drive({
    operator: releaseOperator({ noise: zeroNoise, ...(kept ? { membership } : {}) }),
    partials,
  })
  return ['2026-01-14T10:00', '2026-01-15T10:00', '2026-01-16T10:00'].map(
    (window) =>
      restricted.find(
        (record) =>
          record.group === 'substation-1' &&
          record.channel === 'import' &&
          record.phase === 'preliminary' &&
          record.window === berlin(window),
      )?.energyWh ?? null,
  )
}

describe('comparing a group before and after one home moved in', () => {
  it('gives its use to the Wh where every day is shown', () => {
    const [before, , after] = shown(1, false)
    assert.equal(after! - before!, joinedWh)
  })

  it('gives nothing here: the days around the arrival are withheld until enough have come', () => {
    assert.deepEqual(shown(1, true), [100_000, null, null])
  })

  it('shows every day where a hundred moved in at once', () => {
    assert.deepEqual(shown(100, true), [100_000, 100_000, 100_000 + 100 * joinedWh])
  })
})
