import { type Rational, rational } from 'diffprivlib-ts'
import type { Topic } from '../../../schemas/codec.ts'
import type { LedgerCharge, LedgerCheckpoint, LedgerRecord, LedgerSeal } from '../../../schemas/ledger-record.ts'
import type { LoadPublic } from '../../../schemas/load-public.ts'
import { type ChainHead, emptyHead, headOf, linkFault, sameBytes } from './chain.ts'
import { costOf, type DayCharge, fractionOf } from './day-charge.ts'
import { type FoundFault, foundFault, type LedgerFault } from './faults.ts'
import { PackError, type PackedRecord, unpackRecords } from './packed-records.ts'
import { recordChecker } from './verify-records.ts'

export interface VerifyOptions {
  /** Reads sealed records, wire-format header included, and gives them their keys. Required. */
  readonly published: {
    readonly key: Topic<LoadPublic, 'released'>['key']
    readonly decode: (bytes: Uint8Array) => LoadPublic
  }
  /** Most rho that a household-day may be charged. Required. */
  readonly cap: Rational
  /** Refuses links of any other domain. Default: that of the first link. */
  readonly domain?: string | undefined
  /** The head that was pinned outside the log. */
  readonly pin?: ChainHead | undefined
  /** Is told of each fault as it is found. Required. */
  readonly found: (fault: FoundFault) => void
}

export interface LedgerVerifier {
  /** Checks the next link and answers the records of a seal that could be opened. */
  readonly follow: (link: LedgerRecord) => readonly PackedRecord[]
  /** Notes a record of the ledger that could not be read. */
  readonly unreadable: () => void
  /** Checks what can only be said at the end. Answers the head and how much was checked. */
  readonly finish: () => VerifiedLedger
}

export interface VerifiedLedger {
  readonly head: ChainHead
  readonly domain: string | undefined
  readonly days: number
  readonly seals: number
  readonly records: number
}

/**
 * Checks a whole ledger, link by link, from what it says alone: the chain, the pinned head, every charge, checkpoint and
 * seal, and every sealed record. A fault is told and the check goes on, so that one does not hide the next. With `from`
 * `checkpoint` reading may begin at one: its totals are taken as true, and days after it are checked in full.
 */
export function verifyLedger(options: VerifyOptions & { readonly from?: 'first link' | 'checkpoint' }): LedgerVerifier {
  const { published, cap, pin, from = 'first link' } = options
  let { domain } = options
  let head: ChainHead = emptyHead
  let followed = 0
  let pinSeen = pin === undefined || pin.seq === 0
  /** Days whose charge lies before the checkpoint that reading began at. */
  let beforeBegin: string | undefined
  let awaited: LedgerCharge | undefined
  let lastCharged: string | undefined
  let counted: { days: number; seals: number } = { days: 0, seals: 0 }
  const charges = new Map<string, DayCharge>()
  const year = { name: '', rho: rational.zero, days: 0 }
  const sealed = new Set<string>()
  let records = 0
  const tell = (fault: LedgerFault, seq: number | undefined, detail?: string) =>
    options.found(foundFault(fault, seq, detail))
  const checkRecord = recordChecker({ key: published.key, tell })

  const followCharge = (link: LedgerCharge) => {
    const { seq, date } = link
    const charge = costOf(link, tell)
    const { total } = charge
    if (charges.has(date)) tell('charged_twice', seq, date)
    else if (lastCharged !== undefined && date !== dayAfter(lastCharged)) {
      tell('day_skipped', seq, `${date} follows ${lastCharged}`)
    }
    if (rational.compare(total, cap) > 0) {
      tell('charged_above_cap', seq, `${date}: rho ${rational.format(total)}, cap ${rational.format(cap)}`)
    }
    // A second charge is paid on top: what the household-day truly spent is the sum of both.
    charges.set(date, charges.get(date) ?? charge)
    if (year.name !== date.slice(0, 4)) Object.assign(year, { name: date.slice(0, 4), rho: rational.zero, days: 0 })
    year.rho = rational.add(year.rho, total)
    year.days += 1
    lastCharged = date
    awaited = link
    counted.days += 1
  }

  const followCheckpoint = (link: LedgerCheckpoint, first: boolean) => {
    const { seq, date, rhoYear, days, seals } = link
    const stated = fractionOf(rhoYear)
    if (first && from === 'checkpoint') {
      Object.assign(year, { name: date.slice(0, 4), rho: stated ?? rational.zero, days })
      lastCharged = date
      beforeBegin = date
      counted = { days: 0, seals: seals ?? 0 }
      return
    }
    const differs: string[] = []
    if (date !== lastCharged) differs.push(`it is of ${date}, the last charge of ${lastCharged ?? 'no day'}`)
    if (!stated || rational.compare(stated, year.rho) !== 0) {
      differs.push(`rho of the year ${rhoYear}, charged ${rational.format(year.rho)}`)
    }
    if (days !== year.days) differs.push(`${days} days, charged ${year.days}`)
    if (seals !== null && seals !== counted.seals) differs.push(`${seals} seals, there are ${counted.seals}`)
    if (differs.length > 0) tell('checkpoint_differs', seq, differs.join('; '))
  }

  const followSeal = (link: LedgerSeal): readonly PackedRecord[] => {
    const { seq, date, zone, window, windowSeconds, channel, phase, tick } = link
    const name = `${new Date(window).toISOString()} ${windowSeconds} s ${channel}`
    counted.seals += 1
    const charge = charges.get(date)
    const whole = beforeBegin === undefined || date > beforeBegin
    if (!charge && whole) tell('sealed_uncharged', seq, `${name} of ${date}`)
    else if (charge && charge.zone !== zone)
      tell('sealed_uncharged', seq, `${date} was charged for zone ${charge.zone}, not ${zone}`)
    if (sealed.has(`${name} ${phase}`)) tell('sealed_twice', seq, `${name} ${phase}`)
    sealed.add(`${name} ${phase}`)
    if (phase === 'late' && !sealed.has(`${name} preliminary`) && whole) tell('late_first', seq, name)
    if (tick < window + windowSeconds * 1_000) tell('tick_early', seq, name)
    const opened = openPack(link, tell)
    const keys = new Set<string>()
    for (const each of opened) {
      records += 1
      if (keys.has(each.key)) tell('record_repeats', seq, each.key)
      keys.add(each.key)
      let record: LoadPublic
      try {
        record = published.decode(each.bytes)
      } catch {
        tell('pack_unreadable', seq, `the record of ${each.key} does not fit its schema`)
        continue
      }
      checkRecord(link, each.key, record, charge)
    }
    return opened
  }

  return {
    follow: (link) => {
      const first = followed === 0
      followed += 1
      domain ??= link.domain
      if (first && link.seq > 1) {
        if (!(from === 'checkpoint' && link.kind === 'checkpoint')) tell('cut', link.seq, 'nothing before it is there')
        head = { seq: link.seq - 1, hash: link.prev }
      }
      const fault = linkFault(head, link, domain)
      if (fault) tell(fault, link.seq, fault === 'gap' ? `it follows link ${head.seq}` : undefined)
      if (pin && link.seq === pin.seq) {
        pinSeen = true
        if (!sameBytes(link.hash, pin.hash)) tell('differs_from_pin', link.seq)
      } else if (pin && link.seq === pin.seq + 1 && !pinSeen) {
        // The pinned link itself lies before where reading began, or is missing: the next one names it.
        pinSeen = true
        if (!sameBytes(link.prev, pin.hash)) tell('differs_from_pin', link.seq, 'by the hash of the link before it')
      }
      if (fault === 'foreign') return []
      if (link.seq > head.seq) head = headOf(link)
      if (awaited && link.kind !== 'checkpoint') tell('checkpoint_missing', awaited.seq, awaited.date)
      awaited = undefined
      if (link.kind === 'charge') followCharge(link)
      else if (link.kind === 'checkpoint') followCheckpoint(link, first)
      else return followSeal(link)
      return []
    },
    unreadable: () => tell('unreadable', undefined, `after link ${head.seq}`),
    finish: () => {
      if (awaited) tell('checkpoint_missing', awaited.seq, awaited.date)
      if (pin && !pinSeen) {
        if (head.seq < pin.seq) tell('behind_pin', undefined, `it ends at link ${head.seq}, pinned is ${pin.seq}`)
        else tell('differs_from_pin', undefined, `link ${pin.seq} is not there`)
      }
      return { head, domain, days: counted.days, seals: counted.seals, records }
    },
  }
}

function openPack(
  link: LedgerSeal,
  tell: (fault: LedgerFault, seq: number, detail: string) => void,
): readonly PackedRecord[] {
  try {
    return unpackRecords(link.records, link.hash, link.count)
  } catch (error) {
    if (!(error instanceof PackError)) throw error
    tell('pack_unreadable', link.seq, error.message)
    return []
  }
}

/** The calendar day after a date, `YYYY-MM-DD`. */
export function dayAfter(date: string): string {
  return new Date(Date.parse(`${date}T12:00:00Z`) + 86_400_000).toISOString().slice(0, 10)
}
