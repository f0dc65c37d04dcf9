import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gridOf, slotOf } from '../../../operators/forecast/moments.ts'
import { readHolidays, readWeather } from '../../../operators/forecast/surroundings.ts'

describe('a file of holidays', () => {
  it('is a list of local dates', () => {
    const dates = readHolidays('{ "name": "here", "dates": ["2026-01-01", "2026-12-25"] }')
    assert.deepEqual([...dates], ['2026-01-01', '2026-12-25'])
  })

  it('ships for England and Wales', () => {
    const path = join(import.meta.dirname, '../../../operators/forecast/holidays/england-and-wales.json')
    const dates = readHolidays(readFileSync(path, 'utf8'))
    for (const date of ['2025-04-21', '2026-04-03', '2026-05-25', '2027-12-28']) assert.ok(dates.has(date), date)
  })

  const wrong = [
    { says: 'something else', text: '2026-01-01', message: /must be JSON such as/ },
    { says: 'no dates', text: '{}', message: /dates must be a list/ },
    { says: 'another form', text: '{ "dates": ["1 January"] }', message: /dates holds "1 January"/ },
    { says: 'no such day', text: '{ "dates": ["2026-13-01"] }', message: /dates holds "2026-13-01"/ },
    { says: 'a 30 February', text: '{ "dates": ["2026-02-30"] }', message: /dates holds "2026-02-30"/ },
  ]
  for (const { says, text, message } of wrong) {
    it(`is refused where it holds ${says}`, () => {
      assert.throws(() => readHolidays(text), { name: 'ForecastDataError', message })
    })
  }
})

describe('a file of temperatures', () => {
  const weather = readWeather(
    'time,celsius\n2026-01-12T00:00Z,4\n2026-01-12T02:00+01:00,6\r\n2026-01-12T12:00Z,-1.5\n2026-01-13T12:00Z,3\n',
  )
  const at = (time: string) => weather(Date.parse(time))

  it('says what it holds, and what lies between two times', () => {
    assert.equal(at('2026-01-12T00:00Z'), 4)
    assert.equal(at('2026-01-12T00:30Z'), 5)
    assert.equal(at('2026-01-13T12:00Z'), 3)
  })

  it('says nothing of other times', () => {
    for (const time of ['2026-01-11T23:59Z', '2026-01-12T03:00Z', '2026-01-12T20:00Z', '2026-01-13T12:01Z']) {
      assert.equal(at(time), undefined, time)
    }
  })

  const wrong = [
    { says: 'another header', text: 'at,temperature', message: /line 1 must be the header/ },
    { says: 'a time without offset', text: 'time,celsius\n2026-01-12T00:00,4', message: /line 2 must be a time/ },
    { says: 'a time of 30 February', text: 'time,celsius\n2026-02-30T00:00Z,4', message: /line 2 must be a time/ },
    { says: 'a value that is none', text: 'time,celsius\n2026-01-12T00:00Z,', message: /line 2 must hold -90 to 60/ },
    { says: 'kelvin', text: 'time,celsius\n2026-01-12T00:00Z,277', message: /line 2 must hold -90 to 60/ },
    {
      says: 'times out of order',
      text: 'time,celsius\n2026-01-12T01:00Z,4\n2026-01-12T00:00Z,4',
      message: /line 3 must be later/,
    },
    { says: 'more columns', text: 'time,celsius\n2026-01-12T01:00Z,4,5', message: /line 2 must be a time/ },
  ]
  for (const { says, text, message } of wrong) {
    it(`is refused where it holds ${says}`, () => {
      assert.throws(() => readWeather(text), { name: 'ForecastDataError', message })
    })
  }
})

describe('moments', () => {
  const grid = gridOf(1_800_000, {
    timeZone: 'Europe/Berlin',
    holidays: new Set(['2026-10-26']),
    weather: (at) => (at === Date.parse('2026-10-25T12:00Z') ? 9 : undefined),
  })
  const of = (time: string) => grid.momentAt(Date.parse(time))

  it('know the local day of the week, holidays as Sundays', () => {
    assert.deepEqual(
      ['2026-10-23T10:00Z', '2026-10-23T22:00Z', '2026-10-24T22:00Z', '2026-10-26T10:00Z', '2026-10-27T10:00Z'].map(
        (time) => [of(time).kind, of(time).weekday],
      ),
      [
        ['workday', 4],
        ['saturday', 5],
        ['sunday', 6],
        ['sunday', 6],
        ['workday', 1],
      ],
    )
  })

  it('run from 0 to 1 over a day of 25 hours as over any other, and use every slot', () => {
    assert.equal(of('2026-10-24T22:00Z').phase, 0)
    assert.equal(of('2026-10-25T10:30Z').phase, 0.5)
    assert.equal(of('2026-10-25T23:00Z').phase, 0)
    const slots = Array.from({ length: 50 }, (_, n) =>
      slotOf(grid, grid.momentAt(Date.parse('2026-10-24T22:00Z') + n * 1_800_000)),
    )
    assert.equal(new Set(slots).size, 48)
    const usual = Array.from({ length: 48 }, (_, n) =>
      slotOf(grid, grid.momentAt(Date.parse('2026-10-25T23:00Z') + n * 1_800_000)),
    )
    assert.deepEqual(
      usual,
      usual.map((_, n) => n),
    )
  })

  it('know the weather where it is known', () => {
    assert.equal(of('2026-10-25T12:00Z').celsius, 9)
    assert.equal(of('2026-10-25T12:30Z').celsius, undefined)
  })
})
