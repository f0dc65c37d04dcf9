import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { cutOff, localDay } from '../../../operators/window/local-day.ts'

const hour = 3_600_000
const at = (iso: string): number => Date.parse(iso)

describe('localDay', () => {
  const cases = [
    {
      name: 'an ordinary day',
      zone: 'Europe/London',
      noon: '2026-01-15T12:00Z',
      start: '2026-01-15T00:00Z',
      hours: 24,
    },
    {
      name: 'the day clocks go forward',
      zone: 'Europe/London',
      noon: '2026-03-29T12:00Z',
      start: '2026-03-29T00:00Z',
      hours: 23,
    },
    {
      name: 'the day clocks go back',
      zone: 'Europe/London',
      noon: '2026-10-25T12:00Z',
      start: '2026-10-24T23:00Z',
      hours: 25,
    },
    {
      name: 'the spring day in New York',
      zone: 'America/New_York',
      noon: '2026-03-08T12:00Z',
      start: '2026-03-08T05:00Z',
      hours: 23,
    },
    {
      name: 'the autumn day in New York',
      zone: 'America/New_York',
      noon: '2026-11-01T12:00Z',
      start: '2026-11-01T04:00Z',
      hours: 25,
    },
    {
      name: 'half an hour back on Lord Howe',
      zone: 'Australia/Lord_Howe',
      noon: '2026-04-05T02:00Z',
      start: '2026-04-04T13:00Z',
      hours: 24.5,
    },
    {
      name: 'half an hour forward on Lord Howe',
      zone: 'Australia/Lord_Howe',
      noon: '2026-10-04T02:00Z',
      start: '2026-10-03T13:30Z',
      hours: 23.5,
    },
    {
      name: 'a zone on a quarter hour',
      zone: 'Asia/Kathmandu',
      noon: '2026-06-01T06:00Z',
      start: '2026-05-31T18:15Z',
      hours: 24,
    },
    {
      name: 'the far east of the date line',
      zone: 'Pacific/Kiritimati',
      noon: '2026-06-01T00:00Z',
      start: '2026-05-31T10:00Z',
      hours: 24,
    },
    {
      name: 'the day before 1970',
      zone: 'America/New_York',
      noon: '1969-12-31T12:00Z',
      start: '1969-12-31T05:00Z',
      hours: 24,
    },
  ]
  for (const { name, zone, noon, start, hours } of cases) {
    test(`finds ${name}: ${hours} hours`, () => {
      const day = localDay(zone, at(noon))
      assert.equal(new Date(day.start).toISOString(), new Date(at(start)).toISOString())
      assert.equal((day.end - day.start) / hour, hours)
      assert.equal(day.date, noon.slice(0, 10))
      assert.equal(day.day, Date.parse(day.date) / (24 * hour))
    })
  }

  test('begins a day at its first instant and ends it before the next', () => {
    const day = localDay('Europe/London', at('2026-10-25T12:00Z'))
    assert.equal(localDay('Europe/London', day.start).date, '2026-10-25')
    assert.equal(localDay('Europe/London', day.end - 1).date, '2026-10-25')
    assert.equal(localDay('Europe/London', day.end).date, '2026-10-26')
    assert.equal(localDay('Europe/London', day.start - 1).date, '2026-10-24')
  })

  test('skips the day that Samoa skipped', () => {
    const before = localDay('Pacific/Apia', at('2011-12-30T09:59:59Z'))
    assert.equal(before.date, '2011-12-29')
    assert.equal(localDay('Pacific/Apia', before.end).date, '2011-12-31')
  })

  test('agrees with the calendar for any instant, in whatever order it is asked', () => {
    const zones = ['Europe/London', 'America/New_York', 'Australia/Lord_Howe', 'Pacific/Kiritimati', 'Asia/Kathmandu']
    const formats = new Map(
      zones.map((zone) => [zone, new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' })]),
    )
    const instants = fc.integer({ min: at('2020-01-01T00:00Z'), max: at('2027-01-01T00:00Z') })
    fc.assert(
      fc.property(fc.constantFrom(...zones), instants, (zone, instant) => {
        const day = localDay(zone, instant)
        assert.ok(day.start <= instant && instant < day.end)
        assert.equal(day.date, formats.get(zone)?.format(instant))
      }),
      { numRuns: Math.ceil(Number(process.env['MV_CASES'] ?? 20000) / 10) },
    )
  })

  test('forgets days without changing its answers', () => {
    const first = localDay('Europe/Paris', at('2000-01-01T12:00Z'))
    for (let day = 0; day < 4_200; day += 1) localDay('Europe/Paris', at('2001-01-01T12:00Z') + day * 24 * hour)
    assert.deepEqual(localDay('Europe/Paris', at('2000-01-01T12:00Z')), first)
  })

  test('refuses an unknown zone', () => {
    assert.throws(() => localDay('Europe/Nowhere', 0), RangeError)
  })
})

describe('cutOff', () => {
  const cases = [
    { zone: 'Europe/London', date: '2026-01-15', expected: '2026-01-16T06:00:00.000Z' },
    { zone: 'Europe/London', date: '2026-03-28', expected: '2026-03-29T05:00:00.000Z' },
    { zone: 'Europe/London', date: '2026-10-24', expected: '2026-10-25T06:00:00.000Z' },
    { zone: 'America/New_York', date: '2026-03-07', expected: '2026-03-08T10:00:00.000Z' },
    { zone: 'Australia/Lord_Howe', date: '2026-10-03', expected: '2026-10-03T19:00:00.000Z' },
  ]
  for (const { zone, date, expected } of cases) {
    test(`of ${date} in ${zone} is six in the morning of the next day`, () => {
      const day = Date.parse(date) / (24 * hour)
      assert.equal(new Date(cutOff(zone, day)).toISOString(), expected)
      assert.equal(cutOff(zone, day), cutOff(zone, day, 6))
    })
  }

  test('at an hour that the clock skips is the hour after', () => {
    assert.equal(
      new Date(cutOff('Europe/London', Date.parse('2026-03-28') / (24 * hour), 1)).toISOString(),
      '2026-03-29T01:00:00.000Z',
    )
  })
})
