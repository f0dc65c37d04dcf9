import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { rational, zcdpToEpsilon } from 'diffprivlib-ts'
import type { LedgerEntry } from '../../../../operators/privacy/ledger/chain.ts'
import {
  budgetForecast,
  documentedCap,
  documentedDelta,
  ledgerOverview,
  statementsOf,
  withheldIn,
} from '../../../../operators/privacy/ledger/overview.ts'
import { releaseReasons, whyNotCharged } from '../../../../operators/privacy/ledger/reasons.ts'
import { defaultPolicy, resolvePolicy } from '../../../../operators/privacy/release/policy.ts'
import type { LedgerRecord } from '../../../../schemas/ledger-record.ts'
import { publicFlags } from '../../../../schemas/load-public.ts'
import { publicCodec, releasedLog, relinked } from '../../../helpers/ledger-fixture.ts'

const overviewOf = (links: readonly LedgerRecord[]) => {
  const overview = ledgerOverview()
  for (const link of links) overview.follow(link)
  return overview.finish()
}

/** Charges of 1/100 for each of these days, in two levels. */
const charged = (dates: readonly string[]) =>
  overviewOf(
    relinked(
      dates.map((date) => {
        const charges = (['utility', 'feeder'] as const).map((level) => ({
          release: 'interval_sums',
          level,
          rho: '1/200',
        }))
        const entry: LedgerEntry = {
          kind: 'charge',
          domain: 'demo',
          zone: 'de',
          date,
          charges,
          policy: new Uint8Array(),
        }
        return entry as LedgerRecord
      }),
    ),
  )
const daysFrom = (first: string, count: number) =>
  Array.from({ length: count }, (_, i) =>
    new Date(Date.parse(`${first}T12:00:00Z`) + i * 86_400_000).toISOString().slice(0, 10),
  )

describe('the overview of a ledger', () => {
  it('counts charges and seals by day and phase', () => {
    const { ledger } = releasedLog()
    const { links, seals, days, domain } = overviewOf(ledger)
    assert.deepEqual([domain, links, seals], ['demo', ledger.length, ledger.length - 4])
    assert.deepEqual(
      days.map(({ date, charged: at, preliminary, late }) => [date, at, preliminary, late]),
      [
        ['2026-01-15', 1, 96, 96],
        ['2026-01-16', ledger.findLast(({ kind }) => kind === 'charge')?.seq, days[1]?.preliminary, 0],
      ],
    )
    assert.ok(days[1]!.preliminary > 0)
    const charge = ledger.find((link) => link.kind === 'charge')
    assert.deepEqual(days[0]!.plan, charge?.policy)
  })

  it('says which groups a window withholds and why', () => {
    const { withheld, groups } = withheldIn(overviewOf(releasedLog(24).ledger).days[0]!.newest!, publicCodec.decode)
    assert.equal(groups, 7)
    assert.deepEqual(
      [...withheld],
      [
        ['withheld_small_group', ['feeder/feeder-3']],
        ['withheld_not_useful', ['feeder/feeder-4']],
      ],
    )
  })

  it('states the day, seven days and the year to date, epsilon never below the true one', () => {
    const { days } = charged(daysFrom('2025-12-25', 20))
    const { day, week, year } = statementsOf(days, '2026-01-13', documentedDelta)
    assert.deepEqual(
      [day, week, year].map((spent) => [spent.days, spent.rho]),
      [
        [1, '1/100'],
        [7, '7/100'],
        [13, '13/100'],
      ],
    )
    for (const { rho, epsilon, epsilonText } of [day, week, year]) {
      const exact = zcdpToEpsilon(rational.parse(rho), documentedDelta)
      for (const stated of [rational.fromDouble(epsilon), rational.decimal(epsilonText)]) {
        assert.ok(rational.compare(stated, exact) >= 0, `${rho}: ${epsilonText}`)
      }
      assert.ok(Number(epsilonText) - epsilon <= 1e-4)
    }
  })

  it('forecasts what is left of the cap and what the year comes to', () => {
    assert.equal(budgetForecast(charged([]), { cap: documentedCap, delta: documentedDelta }), undefined)
    const forecast = budgetForecast(charged(daysFrom('2026-01-01', 31)), { cap: documentedCap, delta: documentedDelta })
    assert.ok(forecast)
    assert.equal(forecast.date, '2026-01-31')
    assert.deepEqual(
      [forecast.cap, forecast.charged, forecast.left],
      ['2435597/100000000', '1/100', '1435597/100000000'],
    )
    assert.deepEqual([forecast.yearSoFar.days, forecast.yearSoFar.rho], [31, '31/100'])
    assert.deepEqual([forecast.yearEnd.days, forecast.yearEnd.rho], [365, '73/20'])
    assert.deepEqual([forecast.anyYear.days, forecast.anyYear.rho], [366, '183/50'])
    const { epsilonYear } = resolvePolicy(defaultPolicy).levels.utility.statement[1]
    assert.equal(forecast.anyYearAtCap.epsilon, epsilonYear, 'as every public record states it')
  })
})

describe('reasons', () => {
  it('hold every flag of a public record, and name what each is about', () => {
    for (const flag of publicFlags) assert.equal(releaseReasons[flag].about, 'flag')
    for (const [name, { sentence, action }] of Object.entries(releaseReasons)) {
      assert.match(name, /^[a-z_]+$/)
      for (const text of [sentence, action]) assert.match(text, /\.$/)
    }
  })

  for (const [date, days, reason] of [
    ['2026-01-15', [], 'day_not_reached'],
    ['2026-01-14', ['2026-01-15', '2026-01-17'], 'day_before_first'],
    ['2026-01-18', ['2026-01-15', '2026-01-17'], 'day_not_reached'],
    ['2026-01-16', ['2026-01-15', '2026-01-17'], 'day_left_out'],
  ] as const) {
    it(`${date} is not charged beside [${days.join(', ')}]: ${reason}`, () =>
      assert.equal(whyNotCharged(date, days), reason))
  }
})
