import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { dayAfter, dayNamed, gridPosition, gridSeals } from '../../../../operators/privacy/release/day-grid.ts'
import { policyWith } from '../../../helpers/release-fixtures.ts'

const berlin = 'Europe/Berlin'

describe('day grid', () => {
  for (const [zone, date, windows] of [
    [berlin, '2026-01-15', 48],
    [berlin, '2026-03-29', 46],
    [berlin, '2026-10-25', 50],
    ['Australia/Lord_Howe', '2026-04-05', 49],
    ['Pacific/Kiritimati', '2026-01-15', 48],
    ['Etc/GMT+12', '2026-01-15', 48],
    ['Asia/Kathmandu', '2026-01-15', 48],
  ] as const) {
    it(`has ${windows} half hours on ${date} in ${zone}, in both channels and phases`, () => {
      const day = dayNamed(zone, date)
      assert.equal(day.date, date)
      for (const phase of ['preliminary', 'late'] as const) {
        const seals = gridSeals(zone, day, policyWith({}), phase)
        assert.equal(seals.length, windows * 2)
        seals.forEach((seal, i) => {
          assert.equal(gridPosition(seals, seal.window, seal.channel), i)
        })
      }
    })
  }

  it('has a day after every day', () => {
    assert.equal(dayAfter(berlin, dayNamed(berlin, '2026-03-29')).date, '2026-03-30')
  })

  it('makes windows due after the grace and late values at the cut-off, public at the next tick', () => {
    const day = dayNamed(berlin, '2026-01-15')
    const [preliminary] = gridSeals(berlin, day, policyWith({ graceSeconds: 1_261 }), 'preliminary')
    assert.equal(preliminary!.due, Date.parse('2026-01-15T00:51:01+01:00'))
    assert.equal(preliminary!.tick, Date.parse('2026-01-15T01:00:00+01:00'))
    const late = gridSeals(berlin, day, policyWith({}), 'late')
    assert.deepEqual([...new Set(late.map(({ due }) => due))], [Date.parse('2026-01-16T06:00:00+01:00')])
  })

  it('has no place for windows beside the grid or the day', () => {
    const day = dayNamed(berlin, '2026-01-15')
    for (const window of [day.start - 1_800_000, day.end, day.start + 900_000]) {
      assert.equal(gridPosition(gridSeals(berlin, day, policyWith({}), 'late'), window, 'import'), undefined)
    }
  })
})
