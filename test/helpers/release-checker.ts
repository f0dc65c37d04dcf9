import { type Rational, rational } from 'diffprivlib-ts'
import type { Published } from '../../operators/contract/published.ts'
import { sameBytes, verifyChain } from '../../operators/privacy/ledger/chain.ts'
import { unpackRecords } from '../../operators/privacy/ledger/packed-records.ts'
import { intervalSums } from '../../operators/privacy/release/policy.ts'
import type { Codec } from '../../schemas/codec.ts'
import type { LedgerRecord, LedgerSeal } from '../../schemas/ledger-record.ts'
import type { LoadPublic } from '../../schemas/load-public.ts'

export interface CheckedRelease {
  /** Committed links of one domain. */
  readonly ledger: readonly LedgerRecord[]
  /** Every copy in load.public that a read_uncommitted reader sees, aborted ones included. */
  readonly published: readonly Published<LoadPublic>[]
  readonly codec: Pick<Codec<LoadPublic>, 'decode'>
  /** Most rho that a household-day may be charged. */
  readonly cap: Rational
  /** Digest of what truly belongs into each window and phase, by `sealName`; recomputed from the journal by the caller. */
  readonly digests?: ReadonlyMap<string, Uint8Array>
}

/** Name of one release: a window, channel and phase of a domain. */
export const sealName = ({ window, channel, phase }: Pick<LedgerSeal, 'window' | 'channel' | 'phase'>): string =>
  `${new Date(window).toISOString()} ${channel} ${phase}`

/**
 * Checks what a release promises, from what stands in the log alone. Answers every violation in words; none if all hold.
 * I3: each window, channel and phase is sealed once, every visible public copy has the bytes of its seal, nothing is
 * public without one, and each group is released once. I4: a day is charged once, before its first seal, by exactly what
 * its records state and by no more than the cap.
 */
export function checkRelease({ ledger, published, codec, cap, digests }: CheckedRelease): string[] {
  const violations: string[] = []
  const verdict = verifyChain(ledger)
  if (!verdict.ok) violations.push(`chain: ${verdict.fault} at ${verdict.seq}`)
  const charges = checkCharges(ledger, cap, violations)
  const seals = checkSeals(ledger, charges, digests, violations)
  checkPublished(published, codec, seals, charges, violations)
  return violations
}

interface Charged {
  readonly seq: number
  readonly rho: ReadonlyMap<string, string>
}

function checkCharges(ledger: readonly LedgerRecord[], cap: Rational, violations: string[]): Map<string, Charged> {
  const charged = new Map<string, Charged>()
  for (const link of ledger) {
    if (link.kind !== 'charge') continue
    if (charged.has(link.date)) violations.push(`I4: ${link.date} is charged twice`)
    const total = link.charges.map(({ rho }) => rational.parse(rho)).reduce(rational.add, rational.zero)
    if (rational.compare(total, cap) > 0) violations.push(`I4: ${link.date} is charged above the cap`)
    const sums = link.charges.filter(({ release }) => release === intervalSums)
    charged.set(link.date, { seq: link.seq, rho: new Map(sums.map(({ level, rho }) => [level, rho])) })
  }
  return charged
}

function checkSeals(
  ledger: readonly LedgerRecord[],
  charges: ReadonlyMap<string, Charged>,
  digests: CheckedRelease['digests'],
  violations: string[],
): Map<number, LedgerSeal> {
  const names = new Set<string>()
  const seals = new Map<number, LedgerSeal>()
  for (const link of ledger) {
    if (link.kind !== 'seal') continue
    const name = sealName(link)
    if (names.has(name)) violations.push(`I3: ${name} is sealed twice`)
    names.add(name)
    seals.set(link.seq, link)
    const charge = charges.get(link.date)
    if (!charge || charge.seq >= link.seq) violations.push(`I4: ${name} is sealed before its day was charged`)
    const truth = digests?.get(name)
    if (digests && !truth) violations.push(`truth: ${name} should not have been sealed`)
    if (truth && !sameBytes(truth, link.digest)) violations.push(`truth: ${name} holds other sums than it should`)
  }
  return seals
}

function checkPublished(
  published: readonly Published<LoadPublic>[],
  codec: CheckedRelease['codec'],
  seals: ReadonlyMap<number, LedgerSeal>,
  charges: ReadonlyMap<string, Charged>,
  violations: string[],
): void {
  const opened = new Map<number, ReadonlyMap<string, Uint8Array>>()
  const seen = new Map<string, Uint8Array>()
  for (const { key, bytes, timestamp } of published) {
    const record = codec.decode(bytes)
    const name = `${sealName({ ...record, phase: record.phase === 'final' ? 'late' : 'preliminary' })} ${key}`
    const before = seen.get(name)
    if (before && !sameBytes(before, bytes)) violations.push(`I3: ${name} is visible with two sets of bytes`)
    seen.set(name, bytes)
    const seal = seals.get(record.ledgerSeq)
    if (!seal) {
      violations.push(`I3: ${name} is public without a committed seal`)
      continue
    }
    const records = opened.get(seal.seq) ?? byKey(seal)
    opened.set(seal.seq, records)
    const sealed = records.get(key)
    if (!sealed || !sameBytes(sealed, bytes)) violations.push(`I3: ${name} differs from its seal`)
    if (timestamp !== seal.tick) violations.push(`I3: ${name} does not carry its tick`)
    if (charges.get(seal.date)?.rho.get(record.level) !== record.privacy.rho) {
      violations.push(`I4: ${name} states another cost than was charged`)
    }
  }
}

function byKey(seal: LedgerSeal): ReadonlyMap<string, Uint8Array> {
  return new Map(unpackRecords(seal.records, seal.hash, seal.count).map(({ key, bytes }) => [key, bytes]))
}
