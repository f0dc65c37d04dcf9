import { type Rational, rational } from 'diffprivlib-ts'
import type { LedgerCharge } from '../../../schemas/ledger-record.ts'
import { selectionDelta } from '../release/selection-terms.ts'
import type { LedgerFault } from './faults.ts'

/** What a charge of a day comes to. */
export interface DayCharge {
  readonly seq: number
  readonly zone: string
  readonly total: Rational
  /** rho of the sums by level: what their noise follows from. */
  readonly levels: ReadonlyMap<string, Rational>
  /** What selections spend of delta beside rho; zero without any. */
  readonly delta: Rational
}

/** Adds up a charge. Tells of costs that are no positive fractions, which count nothing, and of what is named twice. */
export function costOf(
  { seq, date, zone, charges }: LedgerCharge,
  tell: (fault: LedgerFault, seq: number, detail: string) => void,
): DayCharge {
  const levels = new Map<string, Rational>()
  const names = new Set<string>()
  let total = rational.zero
  let delta = rational.zero
  for (const { release, level, rho } of charges) {
    const cost = fractionOf(rho)
    if (!cost || rational.sign(cost) <= 0) {
      tell('charge_unreadable', seq, `${date} ${level}: ${rho.slice(0, 40)}`)
      continue
    }
    if (names.has(`${release}/${level}`)) tell('charge_repeats', seq, `${date} ${release} ${level}`)
    names.add(`${release}/${level}`)
    total = rational.add(total, cost)
    const ofDelta = selectionDelta(release)
    if (ofDelta) delta = rational.add(delta, ofDelta)
    else levels.set(level, rational.add(levels.get(level) ?? rational.zero, cost))
  }
  return { seq, zone, total, levels, delta }
}

/** A fraction from its text; undefined for a text that is none. */
export function fractionOf(text: string): Rational | undefined {
  try {
    return rational.parse(text)
  } catch {
    return undefined
  }
}
