import {
  budgetForecast,
  documentedCap,
  documentedDelta,
  type LedgerDay,
  type LedgerOverview,
  ledgerOverview,
  type Spent,
  statementsOf,
  withheldIn,
} from '../../operators/privacy/ledger/overview.ts'
import { releaseReasons, whyNotCharged } from '../../operators/privacy/ledger/reasons.ts'
import type { LedgerWork } from './ledger.ts'
import type { OpenedLedger } from './ledger-open.ts'
import type { Terminal } from './terminal.ts'
import { count, percent } from './text.ts'

interface Shown {
  readonly date?: string
  readonly last?: number
}

const usualDays = 7
const namedAtMost = 20

/** `meterveil ledger show`: charges and seals by day, three statements, and what is withheld and why. Checks nothing. */
export async function showLedger({ ledger, terminal }: LedgerWork, { date, last = usualDays }: Shown): Promise<void> {
  const overview = await readOverview(ledger)
  const days = date === undefined ? overview.days.slice(-last) : overview.days.filter((day) => day.date === date)
  const { links, seals, head, domain } = overview
  terminal.record({ kind: 'ledger', domain: domain ?? null, links, seals, seq: head.seq, hash: head.hash })
  terminal.line(`Ledger of ${domain ?? 'no domain yet'}: ${count(links)} links, ${count(seals)} seals.`)
  terminal.line(`Head: ${head.seq} ${Buffer.from(head.hash).toString('hex')}`)
  showCharges(terminal, days)
  showStatements(terminal, overview, days)
  showWithheld(terminal, ledger, days, date !== undefined)
  if (date !== undefined) showPlan(terminal, days)
  if (date !== undefined) explainUncharged(terminal, overview, date)
}

async function readOverview(ledger: OpenedLedger): Promise<LedgerOverview> {
  const overview = ledgerOverview()
  for await (const link of ledger.links()) if (link) overview.follow(link)
  return overview.finish()
}

function showCharges(terminal: Terminal, days: readonly LedgerDay[]): void {
  for (const { date, charged = null, plan, charges, preliminary, late } of days) {
    terminal.record({ kind: 'day', date, charged, plan: plan ? hex(plan) : null, charges, preliminary, late })
  }
  if (days.length === 0) return
  terminal.title('Charged and sealed')
  terminal.table(
    ['day', left('level'), left('kind'), 'rho', 'preliminary', 'late'],
    days.flatMap(({ date, charges, preliminary, late }) =>
      charges.map(({ level, kind, rho }, i) =>
        i === 0 ? [date, level, kind, rho, preliminary, late] : ['', level, kind, rho],
      ),
    ),
  )
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const left = (head: string) => ({ head, align: 'left' }) as const

function showStatements(terminal: Terminal, { days: all }: LedgerOverview, days: readonly LedgerDay[]): void {
  if (days.length === 0) return
  terminal.title('Epsilon of a household at delta 1e-6, rounded up')
  const rows = days.map(({ date }) => {
    const { day, week, year } = statementsOf(all, date, documentedDelta)
    terminal.record({ kind: 'statements', date, day, week, year })
    return [date, day.epsilonText, week.epsilonText, year.epsilonText, year.days]
  })
  terminal.table(['until', 'the day', '7 days', 'year to date', 'days charged'], rows)
}

function showWithheld(
  terminal: Terminal,
  { decodePublic }: OpenedLedger,
  days: readonly LedgerDay[],
  withNames: boolean,
): void {
  const reasons = new Set<string>()
  const rows = days.flatMap(({ date, newest }) => {
    if (!newest) return []
    const { groups, withheld } = withheldIn(newest, decodePublic)
    return [...withheld].map(([reason, names]) => {
      reasons.add(reason)
      terminal.record({ kind: 'withheld', date, reason, of: groups, groups: names })
      return { row: [date, reason, names.length, groups], names, reason }
    })
  })
  if (rows.length === 0) return
  terminal.title('Withheld')
  terminal.table(
    ['day', left('reason'), 'groups', 'of'],
    rows.map(({ row }) => row),
  )
  for (const reason of reasons) {
    terminal.line(`${reason}: ${Object.entries(releaseReasons).find(([name]) => name === reason)?.[1].sentence ?? ''}`)
  }
  if (!withNames) return
  for (const { reason, names } of rows) {
    const more = names.length > namedAtMost ? `, and ${count(names.length - namedAtMost)} more` : ''
    terminal.line(`${reason}: ${names.slice(0, namedAtMost).join(', ')}${more}`)
  }
}

/** What `rules check` must come to from the register and the rules of that day. */
function showPlan(terminal: Terminal, days: readonly LedgerDay[]): void {
  for (const { plan } of days) {
    if (plan) terminal.line(`Digest of the plan, as meterveil rules check prints it: ${hex(plan)}`)
  }
}

function explainUncharged(terminal: Terminal, { days }: LedgerOverview, date: string): void {
  const charged = days.filter((day) => day.charged !== undefined).map((day) => day.date)
  if (charged.includes(date)) return
  const reason = whyNotCharged(date, charged)
  terminal.record({ kind: 'not-charged', date, reason })
  terminal.line(`${date} is not charged: ${releaseReasons[reason].sentence} (${reason})`)
}

/** `meterveil ledger forecast`: what is left of the daily cap, and what a year comes to at this rate. */
export async function forecastLedger({ ledger, terminal }: LedgerWork): Promise<void> {
  const forecast = budgetForecast(await readOverview(ledger), { cap: documentedCap, delta: documentedDelta })
  if (!forecast) {
    terminal.record({ kind: 'forecast', date: null })
    terminal.line('No day was charged yet: the whole budget of every day is left.')
    return
  }
  const { date, cap, charged, left: rest, leftShare, yearSoFar, yearEnd, anyYear, anyYearAtCap } = forecast
  terminal.record({ kind: 'forecast', ...forecast })
  terminal.title(`Each household-day, as ${date} was charged`)
  terminal.table(
    [left('what'), 'rho'],
    [
      ['cap', cap],
      ['charged', charged],
      [`left (${percent(leftShare)})`, rest],
    ],
  )
  terminal.title('Epsilon of a household at delta 1e-6, rounded up, at this rate')
  const row = (what: string, { days, epsilonText }: Spent) => [what, days, epsilonText]
  terminal.table(
    [left('over'), 'days charged', 'epsilon'],
    [
      row('the year to date', yearSoFar),
      row('the year, to its end', yearEnd),
      row('any 366 days at this rate', anyYear),
      row('any 366 days at the cap', anyYearAtCap),
    ],
  )
}
