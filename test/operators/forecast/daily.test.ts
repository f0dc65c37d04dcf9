// Groups that are released by the local day: 23, 24 or 25 hours, one series.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { forecast } from '../../../operators/forecast/index.ts'
import { localDay } from '../../../operators/window/local-day.ts'
import type { ForecastPublic } from '../../../schemas/forecast-public.ts'
import { released } from '../../helpers/forecast-fixtures.ts'
import { collector, context, envelope } from '../../helpers/release-fixtures.ts'

const timeZone = 'Europe/Berlin'

/** The forecasts that follow from each of so many local days, from that one on. */
function run(from: string, days: number): { readonly end: number; readonly made: readonly ForecastPublic[] }[] {
  const operator = forecast({ timeZone, parentOf: () => undefined })
  const state = operator.restore([], [])
  let day = localDay(timeZone, Date.parse(from))
  return Array.from({ length: days }, (_, n) => {
    const out = collector<ForecastPublic>()
    const window = { window: day.start, windowSeconds: (day.end - day.start) / 1_000, ledgerSeq: n + 1 }
    const record = { ...released(0, 1_000_000 + Math.round(5_000 * Math.sin(n))), ...window, consistentWh: null }
    operator.process([envelope(record)], state, out, context)
    const { end } = day
    day = localDay(timeZone, end)
    return { end, made: out.values }
  })
}

for (const [what, from] of [
  ['forward', '2026-03-01T12:00Z'],
  ['back', '2026-09-25T12:00Z'],
] as const) {
  it(`are forecast through the night in which the clocks go ${what}, each window a day of the calendar`, () => {
    const days = run(from, 60)
    let windows = 0
    let made = 0
    for (const { end, made: forecasts } of days) {
      for (const one of forecasts) {
        const day = localDay(timeZone, one.start)
        assert.ok(one.start <= end)
        assert.deepEqual([one.start, one.windowSeconds], [day.start, (day.end - day.start) / 1_000])
        assert.ok(one.windows > windows, `the series begins anew at ${new Date(end).toISOString()}`)
        windows = one.windows
        made += 1
      }
    }
    assert.equal(windows, 60)
    assert.ok(made >= 50, `${made} forecasts`)
    assert.ok(
      days.slice(-30).every(({ made: forecasts }) => forecasts.length === 1),
      'a day has no forecast',
    )
  })
}
