import { type Rational, rational, zcdpToEpsilon } from 'diffprivlib-ts'
import type { LedgerRecord, LedgerSeal } from '../../../schemas/ledger-record.ts'
import type { LoadPublic } from '../../../schemas/load-public.ts'
import { defaultPolicy } from '../release/policy.ts'
import { deltaLeft } from '../release/selection-terms.ts'
import { type ChainHead, emptyHead, headOf } from './chain.ts'
import { costOf } from './day-charge.ts'
import { unpackRecords } from './packed-records.ts'

/** The cap that the documentation promises, and the delta at which it states epsilon. A deployment may only charge less. */
export const documentedCap: Rational = rational.parse(defaultPolicy.rhoPerDay)
export const documentedDelta: Rational = rational.parse(defaultPolicy.delta)

/** rho that was charged over some days, and the epsilon that it comes to at the stated delta, rounded up. */
export interface Spent {
  readonly days: number
  readonly rho: string
  readonly epsilon: number
  /** The same with four decimals, rounded up. */
  readonly epsilonText: string
}

/** The three statements of a household's privacy at the end of a day. */
export interface Statements {
  readonly day: Spent
  /** The day and the six before it. */
  readonly week: Spent
  /** From the first of January. */
  readonly year: Spent
}

/** What the ledger says of one local day. */
export interface LedgerDay {
  readonly date: string
  /** Ledger link of the charge, or undefined where the day was not charged. */
  readonly charged: number | undefined
  /** SHA-256 of the day's plan, policy and groups, that the charge carries; undefined where the day was not charged. */
  readonly plan: Uint8Array | undefined
  readonly charges: readonly { readonly level: string; readonly kind: string; readonly rho: string }[]
  /** Windows sealed per phase, over both channels. */
  readonly preliminary: number
  readonly late: number
  /** All that was charged. */
  readonly rho: Rational
  /** What selections spend of delta beside it. */
  readonly delta: Rational
  /** The newest seal of all groups, which says why some are withheld. */
  readonly newest: LedgerSeal | undefined
}

export interface LedgerOverview {
  readonly head: ChainHead
  readonly domain: string | undefined
  readonly links: number
  readonly seals: number
  /** Every day that is charged or sealed, oldest first. */
  readonly days: readonly LedgerDay[]
}

export interface OverviewOptions {
  /** The only days that keep their newest seal, by date. Default: all. */
  readonly keep?: (date: string) => boolean
}

type Counted = { -readonly [K in keyof Omit<LedgerDay, 'date'>]: LedgerDay[K] }

/** Counts links as they are read. Trusts them: `verifyLedger` is what checks. */
export function ledgerOverview({ keep = () => true }: OverviewOptions = {}): {
  readonly follow: (link: LedgerRecord) => void
  readonly finish: () => LedgerOverview
} {
  const days = new Map<string, Counted>()
  let head = emptyHead
  let domain: string | undefined
  let links = 0
  let seals = 0
  const dayOf = (date: string): Counted => {
    const none: Counted = {
      charged: undefined,
      plan: undefined,
      charges: [],
      rho: rational.zero,
      delta: rational.zero,
      preliminary: 0,
      late: 0,
      newest: undefined,
    }
    const day = days.get(date) ?? none
    days.set(date, day)
    return day
  }
  return {
    follow: (link) => {
      head = headOf(link)
      domain ??= link.domain
      links += 1
      if (link.kind === 'checkpoint') return
      const day = dayOf(link.date)
      if (link.kind === 'charge') {
        day.charged ??= link.seq
        day.plan ??= link.policy
        day.charges = [
          ...day.charges,
          ...link.charges.map(({ level, release, rho }) => ({ level, kind: release, rho })),
        ]
        const { total, delta } = costOf(link, () => {})
        day.rho = rational.add(day.rho, total)
        day.delta = rational.add(day.delta, delta)
        return
      }
      seals += 1
      day[link.phase] += 1
      // Seals of longer windows hold some groups alone.
      if (keep(link.date) && link.count >= (day.newest?.count ?? 0)) day.newest = link
    },
    finish: () => ({ head, domain, links, seals, days: listed(days) }),
  }
}

const listed = (days: ReadonlyMap<string, Counted>): LedgerDay[] =>
  [...days].sort(([a], [b]) => (a < b ? -1 : 1)).map(([date, day]) => ({ date, ...day }))

/** The three statements at the end of a day, from the charges of the days up to it. */
export function statementsOf(days: readonly LedgerDay[], date: string, delta: Rational): Statements {
  const from = new Date(Date.parse(`${date}T12:00:00Z`) - 6 * 86_400_000).toISOString().slice(0, 10)
  const until = days.filter((each) => each.date <= date)
  const spent = (over: readonly LedgerDay[]): Spent => {
    const charged = over.filter((each) => each.charged !== undefined)
    const rho = charged.map((each) => each.rho).reduce(rational.add, rational.zero)
    const ofDelta = charged.map((each) => each.delta).reduce(rational.add, rational.zero)
    return spentOver(charged.length, rho, deltaLeft(delta, ofDelta))
  }
  return {
    day: spent(until.filter((each) => each.date === date)),
    week: spent(until.filter((each) => each.date >= from)),
    year: spent(until.filter((each) => each.date.startsWith(date.slice(0, 5)))),
  }
}

/** rho over some days with its epsilon, never below the true one; `delta` is what is left for the conversion. */
function spentOver(days: number, rho: Rational, delta: Rational): Spent {
  const epsilon = zcdpToEpsilon(rho, delta)
  return {
    days,
    rho: rational.format(rho),
    epsilon: rational.toNumber(epsilon, 'up'),
    epsilonText: rational.toDecimal(epsilon, 4, 'up'),
  }
}

/** Why groups are withheld in the windows of a seal: names of groups by reason, in the order of the seal. */
export function withheldIn(
  seal: LedgerSeal,
  decode: (bytes: Uint8Array) => LoadPublic,
): { readonly groups: number; readonly withheld: ReadonlyMap<string, readonly string[]> } {
  const withheld = new Map<string, string[]>()
  const records = unpackRecords(seal.records, seal.hash, seal.count)
  for (const { key, bytes } of records) {
    for (const flag of decode(bytes).flags) {
      if (!flag.startsWith('withheld')) continue
      withheld.set(flag, [...(withheld.get(flag) ?? []), key])
    }
  }
  return { groups: records.length, withheld }
}

/** What is left of the budget, and what the year comes to. */
export interface BudgetForecast {
  readonly date: string
  /** rho per household-day. */
  readonly cap: string
  readonly charged: string
  readonly left: string
  /** `left` as a part of the cap, rounded down. */
  readonly leftShare: number
  /** So far, and at the end of the year if every day to come is charged like this one. */
  readonly yearSoFar: Spent
  readonly yearEnd: Spent
  /** Any 366 days like this one, and 366 days at the cap: the most that a year can come to, as public records state it. */
  readonly anyYear: Spent
  readonly anyYearAtCap: Spent
}

/** Days of a leap year. */
const longestYear = 366

/** Looks ahead from the newest day that was charged; undefined where none was. */
export function budgetForecast(
  { days }: Pick<LedgerOverview, 'days'>,
  { cap, delta }: { readonly cap: Rational; readonly delta: Rational },
): BudgetForecast | undefined {
  const newest = days.findLast(({ charged }) => charged !== undefined)
  if (!newest) return undefined
  const { date, rho: rate } = newest
  const ofDelta = days.map((each) => each.delta).reduce((a, b) => (rational.compare(a, b) < 0 ? b : a))
  const statements = statementsOf(days, date, delta)
  const left = rational.sub(cap, rate)
  const newYear = Date.parse(`${Number(date.slice(0, 4)) + 1}-01-01T12:00:00Z`)
  const toCome = Math.round((newYear - Date.parse(`${date}T12:00:00Z`)) / 86_400_000) - 1
  const over = (count: number, rho: Rational): Spent =>
    spentOver(count, rho, deltaLeft(delta, rational.mul(rational.integer(count), ofDelta)))
  const times = (count: number, rho: Rational) => rational.mul(rational.integer(count), rho)
  return {
    date,
    cap: rational.format(cap),
    charged: statements.day.rho,
    left: rational.format(left),
    leftShare: rational.toNumber(rational.div(left, cap), 'down'),
    yearSoFar: statements.year,
    yearEnd: over(
      statements.year.days + toCome,
      rational.add(rational.parse(statements.year.rho), times(toCome, rate)),
    ),
    anyYear: over(longestYear, times(longestYear, rate)),
    anyYearAtCap: over(longestYear, times(longestYear, cap)),
  }
}
