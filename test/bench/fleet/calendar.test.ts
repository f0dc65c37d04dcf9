import assert from 'node:assert/strict'
import test from 'node:test'
import { dateText, slotsOf } from '../../../bench/fleet/calendar.ts'

const cases = [
  { name: 'a winter day', timeZone: 'Europe/London', start: Date.UTC(2026, 0, 13), halfHours: 48, quarters: 96 },
  {
    name: 'the day the clock goes forward',
    timeZone: 'Europe/London',
    start: Date.UTC(2026, 2, 29),
    halfHours: 46,
    quarters: 92,
  },
  {
    name: 'the day the clock goes back',
    timeZone: 'Europe/London',
    start: Date.UTC(2026, 9, 24, 23),
    halfHours: 50,
    quarters: 100,
  },
  {
    name: 'a day in Texas',
    timeZone: 'America/Chicago',
    start: Date.UTC(2026, 10, 1, 5),
    halfHours: 50,
    quarters: 100,
  },
  {
    name: 'a day in a zone without clock changes',
    timeZone: 'Asia/Kolkata',
    start: Date.UTC(2026, 2, 28, 18, 30),
    halfHours: 48,
    quarters: 96,
  },
] as const

for (const { name, timeZone, start, halfHours, quarters } of cases) {
  test(`${name} has ${halfHours} half hours and ${quarters} quarters`, () => {
    assert.equal(slotsOf({ start, days: 1, intervalSeconds: 1_800, timeZone }).count, halfHours)
    assert.equal(slotsOf({ start, days: 1, intervalSeconds: 900, timeZone }).count, quarters)
  })
}

test('wall-clock times skip an hour in spring and repeat one in autumn', () => {
  const hours = (start: number) =>
    slotsOf({ start, days: 1, intervalSeconds: 1_800, timeZone: 'Europe/London' })
      .days[0]?.wallMinutes.slice(0, 7)
      .map((minute) => Math.floor(minute / 60))
  assert.deepEqual(hours(Date.UTC(2026, 2, 29)), [0, 0, 2, 2, 3, 3, 4])
  assert.deepEqual(hours(Date.UTC(2026, 9, 24, 23)), [0, 0, 1, 1, 1, 1, 2])
})

test('local days follow each other over a clock change', () => {
  const slots = slotsOf({
    start: Date.UTC(2026, 9, 23, 23),
    days: 3,
    intervalSeconds: 1_800,
    timeZone: 'Europe/London',
  })
  assert.deepEqual(
    slots.days.map(({ localDay, firstSlot, slots: n }) => [dateText(localDay), firstSlot, n]),
    [
      ['2026-10-24', 0, 48],
      ['2026-10-25', 48, 50],
      ['2026-10-26', 98, 48],
    ],
  )
  const { calendar } = slots
  assert.equal(dateText(calendar.localDay(Date.UTC(2026, 9, 25, 23, 59))), '2026-10-25')
  assert.equal(calendar.offsetMinutes(Date.UTC(2026, 9, 25, 0, 59)), 60)
  assert.equal(calendar.offsetMinutes(Date.UTC(2026, 9, 25, 1, 0)), 0)
  assert.equal(calendar.daylightSaving(Date.UTC(2026, 9, 25, 0, 59)), true)
})

test('a fleet cannot start in the middle of a local day', () => {
  assert.throws(
    () => slotsOf({ start: Date.UTC(2026, 6, 1), days: 1, intervalSeconds: 1_800, timeZone: 'Europe/London' }),
    /local midnight of Europe\/London/,
  )
})
