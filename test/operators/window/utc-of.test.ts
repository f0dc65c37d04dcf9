import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utcOf } from '../../../operators/window/utc-of.ts'

const cases = [
  { name: 'a winter hour', zone: 'Europe/London', local: '2026-01-12T10:30Z', utc: '2026-01-12T10:30Z' },
  { name: 'a summer hour', zone: 'Europe/London', local: '2026-07-12T10:30Z', utc: '2026-07-12T09:30Z' },
  {
    name: 'the last hour before clocks go forward',
    zone: 'Europe/London',
    local: '2026-03-29T00:30Z',
    utc: '2026-03-29T00:30Z',
  },
  { name: 'no hour that clocks skip', zone: 'Europe/London', local: '2026-03-29T01:30Z', utc: undefined },
  { name: 'no hour that clocks show twice', zone: 'Europe/London', local: '2026-10-25T01:30Z', utc: undefined },
  { name: 'the first hour after', zone: 'Europe/London', local: '2026-10-25T02:00Z', utc: '2026-10-25T02:00Z' },
  { name: 'an hour west', zone: 'America/New_York', local: '2026-01-12T10:30Z', utc: '2026-01-12T15:30Z' },
  {
    name: 'an hour in a zone of half hours',
    zone: 'Asia/Kolkata',
    local: '2026-01-12T10:30Z',
    utc: '2026-01-12T05:00Z',
  },
] as const

for (const { name, zone, local, utc } of cases) {
  test(`turns into UTC ${name}`, () => {
    assert.equal(utcOf(zone, Date.parse(local)), utc === undefined ? undefined : Date.parse(utc))
  })
}
