import { gaussianSigma2, rational, zcdpToEpsilon } from 'diffprivlib-ts'
import type { Topic } from '../../../schemas/codec.ts'
import type { LedgerSeal } from '../../../schemas/ledger-record.ts'
import type { LoadPublic, PrivacyStatement } from '../../../schemas/load-public.ts'
import { selectionMechanism } from '../release/policy.ts'
import { sameBytes } from './chain.ts'
import { type DayCharge, fractionOf } from './day-charge.ts'
import type { LedgerFault } from './faults.ts'

/** Checks one sealed record against its seal and its day's charge. */
export type RecordChecker = (link: LedgerSeal, key: string, record: LoadPublic, charge: DayCharge | undefined) => void

export interface RecordCheckerOptions {
  readonly key: Topic<LoadPublic, 'released'>['key']
  readonly tell: (fault: LedgerFault, seq: number, detail: string) => void
}

/**
 * A checker of sealed records: that each says what its seal says, states the cost that was charged for its level, the noise
 * that this cost and its bound give (one draw preliminary, two final), and no smaller epsilon than the charge comes to.
 */
export function recordChecker({ key, tell }: RecordCheckerOptions): RecordChecker {
  // Few statements stand in very many records.
  const verdicts = new Map<string, readonly (readonly [LedgerFault, string])[]>()
  return (link, name, record, charge) => {
    if (!saysWhatItsSealSays(link, name, record, key)) tell('record_differs', link.seq, name)
    const withheld = record.flags.some((flag) => flag.startsWith('withheld'))
    if (withheld !== (record.rawWh === null)) tell('withheld_shown', link.seq, name)
    if (!charge) return
    const { level, privacy } = record
    const facts = [charge.seq, level, link.phase, JSON.stringify(privacy)].join('\n')
    const known = verdicts.get(facts) ?? judge(privacy, charge, level, link.phase === 'late' ? 2 : 1)
    verdicts.set(facts, known)
    for (const [fault, detail] of known) tell(fault, link.seq, `${name}: ${detail}`)
  }
}

function saysWhatItsSealSays(
  link: LedgerSeal,
  name: string,
  record: LoadPublic,
  key: RecordCheckerOptions['key'],
): boolean {
  return (
    key(record) === name &&
    record.ledgerSeq === link.seq &&
    sameBytes(record.ledgerHash, link.hash) &&
    record.window === link.window &&
    record.windowSeconds === link.windowSeconds &&
    record.channel === link.channel &&
    record.phase === (link.phase === 'late' ? 'final' : 'preliminary')
  )
}

function judge(
  privacy: PrivacyStatement,
  charge: DayCharge,
  level: string,
  draws: 1 | 2,
): readonly (readonly [LedgerFault, string])[] {
  const found: (readonly [LedgerFault, string])[] = []
  const charged = charge.levels.get(level)
  const stated = fractionOf(privacy.rho)
  if (!charged || !stated || rational.compare(charged, stated) !== 0) {
    found.push(['cost_differs', `states rho ${privacy.rho}, charged ${charged ? rational.format(charged) : 'none'}`])
  }
  const isSelected = privacy.mechanism.includes(selectionMechanism)
  if (isSelected !== rational.sign(charge.delta) > 0) {
    found.push(['cost_differs', `states ${privacy.mechanism}, charged ${isSelected ? 'no' : 'a'} selection`])
  }
  const sigma2 = fractionOf(privacy.sigma2)
  if (charged && privacy.clipWh > 0) {
    const one = gaussianSigma2(rational.integer(BigInt(privacy.clipWh) ** 2n), charged)
    const due = rational.mul(rational.integer(draws), one)
    if (!sigma2 || rational.compare(sigma2, due) !== 0)
      found.push(['noise_differs', `states sigma^2 ${privacy.sigma2}`])
  } else if (charged) found.push(['noise_differs', `states a bound of ${privacy.clipWh} Wh`])
  const short = shortEpsilon(privacy, charge)
  if (short) found.push(['epsilon_understated', short])
  return found
}

/** Which statement of epsilon lies below what the charge comes to over that many days, or undefined. */
function shortEpsilon(privacy: PrivacyStatement, { total, delta: ofDelta }: DayCharge): string | undefined {
  if (!(privacy.delta > 0 && privacy.delta < 1)) return `delta ${privacy.delta}`
  const delta = rational.fromDouble(privacy.delta)
  // A year of 366 days is what records state; earlier ones stated one of 365.
  const spans = [
    ['day', 1, privacy.epsilonDay],
    ['week', 7, privacy.epsilonWeek],
    ['year', 365, privacy.epsilonYear],
  ] as const
  for (const [span, days, stated] of spans) {
    const left = rational.sub(delta, rational.mul(ofDelta, rational.integer(days)))
    if (rational.sign(left) <= 0) return `delta ${privacy.delta}, which selections spend in a ${span}`
    const due = zcdpToEpsilon(rational.mul(total, rational.integer(days)), left)
    if (!Number.isFinite(stated) || rational.compare(rational.fromDouble(stated), due) < 0) {
      return `states ${stated} for the ${span}`
    }
  }
  return undefined
}
