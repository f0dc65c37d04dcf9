import { type Rational, rational } from 'diffprivlib-ts'
import { unpackRecords } from '../../../operators/privacy/ledger/packed-records.ts'
import { dayNamed } from '../../../operators/privacy/release/day-grid.ts'
import { type ReleasePolicy, type ResolvedPolicy, resolvePolicy } from '../../../operators/privacy/release/policy.ts'
import type { LedgerRecord, LedgerSeal } from '../../../schemas/ledger-record.ts'
import type { LoadPublic } from '../../../schemas/load-public.ts'
import type { LoadRestricted } from '../../../schemas/load-restricted.ts'
import { checkRelease, sealName } from '../../helpers/release-checker.ts'
import { domain } from '../../helpers/release-fixtures.ts'
import { type JournalEntry, journalDate, phaseOf, trueDigests } from '../../helpers/release-journal.ts'
import { type Copy, hashOf, type Witnessed } from './stage.ts'

/** A draw of noise, by its value: every draw of a storm is another number. */
export type Draws = ReadonlyMap<bigint, Rational>

export interface Evidence {
  readonly policy: ReleasePolicy
  readonly journal: readonly JournalEntry[]
  readonly witnessed: Witnessed
  /** Committed links at the end, and those of ledgers that were lost, whole. */
  readonly ledger: readonly LedgerRecord[]
  readonly lost: readonly (readonly LedgerRecord[])[]
  readonly restricted: readonly LoadRestricted[]
  readonly decode: (bytes: Uint8Array) => LoadPublic
  readonly draws: Draws
  /** The local day through which an operator accepted a loss at last. */
  readonly unproven: string | undefined
  /** Copies that must be there at the end, by key and seal; undefined where load.public itself was lost. */
  readonly published: readonly Copy[] | undefined
}

/**
 * What a release under faults must never do, from what was seen and from the journal alone. Every ledger there was keeps
 * I3 and I4 (see `checkRelease`) with the true sums; over all of them together no window is released twice; each released
 * value is the true sum plus a draw of its own, of no less noise than its charge pays for; a group that is shown in one
 * window of a day is shown in all.
 */
export function judge(evidence: Evidence): string[] {
  const { policy, journal, witnessed, ledger, lost, decode } = evidence
  const { cap } = resolvePolicy(policy)
  const violations: string[] = []
  const codec = { decode }
  for (const each of [ledger, ...lost]) {
    const digests = withOtherDays(trueDigests(journal, policy), each)
    const own = new Set(each.map(hashOf))
    const published = witnessed.copies.filter(({ bytes }) => own.has(hashOf({ hash: decode(bytes).ledgerHash })))
    violations.push(...checkRelease({ ledger: each, published, codec, cap, digests }))
  }
  const known = new Set([ledger, ...lost].flatMap((each) => each.map(hashOf)))
  for (const { bytes } of witnessed.copies) {
    const { ledgerHash } = decode(bytes)
    if (!known.has(hashOf({ hash: ledgerHash }))) violations.push('I3: a copy was visible that no ledger holds')
  }
  for (const hash of witnessed.committed.keys()) {
    if (!known.has(hash)) violations.push('I3: a committed link is in no ledger')
  }
  checkDraws(evidence, violations)
  checkSelected(evidence, violations)
  checkComplete(evidence, violations)
  return [...new Set(violations)]
}

/** Windows of the day after are sealed empty; the journal says nothing about them. */
function withOtherDays(
  truth: ReadonlyMap<string, Uint8Array>,
  ledger: readonly LedgerRecord[],
): ReadonlyMap<string, Uint8Array> {
  const digests = new Map(truth)
  for (const link of ledger) {
    if (link.kind === 'seal' && link.date !== journalDate) digests.set(sealName(link), link.digest)
  }
  return digests
}

function checkDraws({ policy, journal, witnessed, decode, draws }: Evidence, violations: string[]): void {
  const resolved = resolvePolicy(policy)
  const used = new Map<bigint, string>()
  const released = new Map<string, string>()
  const preliminary = new Map<string, number>()
  const seals = [...witnessed.committed.values()].filter((link): link is LedgerSeal => link.kind === 'seal')
  for (const link of seals.sort((a, b) => phaseOrder(a) - phaseOrder(b))) {
    for (const { key, bytes } of unpackRecords(link.records, link.hash, link.count)) {
      const record = decode(bytes)
      if (record.rawWh === null) continue
      const name = `${sealName(link)} ${key}`
      const base = `${link.window} ${link.channel} ${key}`
      if ((released.get(name) ?? hashOf(link)) !== hashOf(link)) violations.push(`I3: ${name} is released twice`)
      released.set(name, hashOf(link))
      if (link.phase === 'preliminary') preliminary.set(base, record.rawWh)
      const before = link.phase === 'late' ? (preliminary.get(base) ?? 0) : 0
      const draw = BigInt(record.rawWh) - BigInt(before) - BigInt(trueSum(journal, link, record))
      const sigma2 = draws.get(draw)
      if (sigma2 === undefined) violations.push(`noise: ${name} is not the true sum and a draw`)
      else if (used.has(draw) && used.get(draw) !== name)
        violations.push(`noise: ${name} has the noise of another value`)
      else if (isUndercharged(record, sigma2, resolved)) violations.push(`I4: ${name} has less noise than was paid for`)
      used.set(draw, name)
    }
  }
}

/**
 * Over every ledger there was: which groups a day shows is decided once, whatever became of the ledger since. Of a day for
 * which an accepted loss leaves nothing proven, nothing is drawn any more: then a later ledger may only withhold.
 */
function checkSelected({ ledger, lost, decode, unproven }: Evidence, violations: string[]): void {
  const everywhere = new Map<string, boolean>()
  const before = new Set(lost.flatMap((each) => each.map(hashOf)))
  for (const each of [...lost, ledger]) {
    const here = new Map<string, boolean>()
    for (const link of each) {
      if (link.kind !== 'seal') continue
      const isProven = unproven === undefined || link.date > unproven
      for (const { key, bytes } of unpackRecords(link.records, link.hash, link.count)) {
        const { rawWh, flags } = decode(bytes)
        const isShown = rawWh !== null
        const name = `${key} on ${link.date}`
        if (isShown && !isProven && each === ledger && lost.length > 0 && !before.has(hashOf(link))) {
          violations.push(`I3: ${name} is shown although it is not proven`)
        }
        if (flags.includes('withheld_unproven')) continue
        for (const known of isProven ? [here, everywhere] : [here]) {
          if ((known.get(name) ?? isShown) !== isShown) violations.push(`I3: ${name} is selected twice`)
          known.set(name, isShown)
        }
      }
    }
  }
}

const phaseOrder = ({ phase }: LedgerSeal): number => (phase === 'preliminary' ? 0 : 1)

/** S^2 / (2 sigma^2) must not be above the charged rho. */
function isUndercharged({ level, privacy }: LoadPublic, sigma2: Rational, resolved: ResolvedPolicy): boolean {
  const clip = rational.integer(privacy.clipWh)
  const cost = rational.div(rational.mul(clip, clip), rational.mul(rational.integer(2), sigma2))
  return rational.compare(cost, resolved.levels[level].rho) > 0
}

function trueSum(journal: readonly JournalEntry[], link: LedgerSeal, { level, group }: LoadPublic): number {
  if (link.date !== journalDate) return 0
  const { start } = dayNamed(domain.timeZone, journalDate)
  return journal
    .filter(
      (entry) =>
        phaseOf(entry) === link.phase &&
        start + entry.hour * 3_600_000 === link.window &&
        entry.channel === link.channel &&
        (level === 'utility' || entry.feeder === group),
    )
    .reduce((sum, { wh }) => sum + wh, 0)
}

function checkComplete(
  { policy, journal, ledger, restricted, published, decode }: Evidence,
  violations: string[],
): void {
  const sealed = new Set(ledger.flatMap((link) => (link.kind === 'seal' ? [sealName(link)] : [])))
  for (const name of trueDigests(journal, policy).keys())
    if (!sealed.has(name)) violations.push(`stuck: ${name} is not sealed`)
  const seen = new Set<string>()
  for (const { level, group, ...window } of restricted) {
    const name = `${sealName(window)} ${level}/${group}`
    if (seen.has(name)) violations.push(`restricted: ${name} is there twice`)
    seen.add(name)
  }
  if (published === undefined) return
  const names = new Map<string, number>()
  for (const { key, bytes } of published) {
    const name = `${hashOf({ hash: decode(bytes).ledgerHash })} ${key}`
    names.set(name, (names.get(name) ?? 0) + 1)
  }
  for (const link of ledger) {
    if (link.kind !== 'seal') continue
    for (const { key } of unpackRecords(link.records, link.hash, link.count)) {
      const times = names.get(`${hashOf(link)} ${key}`) ?? 0
      if (times !== 1) violations.push(`published: ${sealName(link)} ${key} is there ${times} times`)
    }
  }
}
