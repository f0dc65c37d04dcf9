import type { Neighbours } from '../bounding.ts'
import { BudgetExceededError, DuplicateChargeError, LedgerError, ParameterError } from '../errors.ts'
import { type LedgerEntry, lossOf, lossRecord } from '../ledger/entry.ts'
import { type Ledger, memoryLedger } from '../ledger/ledger.ts'
import type { PrivacyLoss } from '../loss.ts'
import { format, type Rational, sub } from '../rational.ts'
import { admits, type CapRule, capRule, leftOf, type PrivacyCap, requireTaken } from './cap.ts'
import { type CompositionName, epsilonBy, tightestEpsilon } from './composition.ts'
import { type DisjointLosses, isDisjoint } from './disjoint.ts'
import { addLoss, emptyTally, type LossTally } from './tally.ts'
import { openUnitBook } from './unit-book.ts'

/** An account of one unit: what tools and mechanisms charge. */
export interface UnitAccount<in N extends Neighbours> {
  /** Charges the unit; when it returns, the charge is durable. Throws as `PrivacyAccount.charge` does. */
  readonly charge: (label: string, loss: PrivacyLoss<N>) => void
}

/** An account over losses of one neighbour relation. Each unit may lose up to the cap, and nothing is ever refunded. */
export interface PrivacyAccount<in N extends Neighbours> {
  readonly name: string
  /** Whether the cap holds also for losses chosen from earlier results: then the account is a privacy filter. */
  readonly adaptive: boolean
  /**
   * Charges a loss, or the largest of disjoint parts, to `unit`. Call it before any noise is drawn: when it returns, the charge is durable in
   * the ledger. Throws BudgetExceededError when the unit would pass its cap, DuplicateChargeError when the label was charged there
   * before, ParameterError for a loss that the cap does not take; nothing changes then. Throws LedgerError when the ledger fails.
   */
  readonly charge: (unit: string, label: string, loss: PrivacyLoss<N> | DisjointLosses<N>) => void
  /**
   * Charges, then draws once, then records that the release was made. A label released before, also by a process before this one, throws
   * DuplicateChargeError. When `draw` throws, the charge stays. A promise from `draw` throws ParameterError: nothing may run in between.
   */
  readonly release: <T>(
    unit: string,
    label: string,
    loss: PrivacyLoss<N> | DisjointLosses<N>,
    draw: () => T,
    digest?: (released: T) => string,
  ) => T
  /**
   * Records that the release of a charge was made, for callers that draw themselves. Throws UnchargedReleaseError when there is no such charge
   * and AlreadyReleasedError when it was recorded before.
   */
  readonly settle: (unit: string, label: string, digest?: string) => void
  /** Throws what charging the loss now would throw, and changes nothing. */
  readonly check: (unit: string, label: string, loss: PrivacyLoss<N>) => void
  /** Whether a loss would be admitted now, without charging it. Throws ParameterError for a loss that the cap does not take. */
  readonly affords: (unit: string, loss: PrivacyLoss<N>, count?: bigint) => boolean
  /** Whether `label` was charged to `unit`. */
  readonly charged: (unit: string, label: string) => boolean
  /** What `unit` has lost, from which any composition reads its figure. */
  readonly tally: (unit: string) => LossTally
  /** What `unit` has spent, in the currency of the cap and rounded up. */
  readonly spent: (unit: string) => Rational
  /** What `unit` has left in the same currency, rounded down. */
  readonly remaining: (unit: string) => Rational
  /**
   * The epsilon at `delta` of a person who is in all of these units, rounded up: by one theorem, or by the tightest that takes the losses. All but
   * `basic`, `advanced`, `zcdp` and `gaussian` are true of losses that were fixed beforehand.
   */
  readonly epsilon: (units: readonly string[], delta: Rational, composition?: CompositionName | 'tightest') => Rational
  /** The account of one unit, for tools. */
  readonly of: (unit: string) => UnitAccount<N>
  /** The units charged so far, in order of their first charge. */
  readonly units: () => readonly string[]
  /** The losses charged to `unit`, in order. */
  readonly losses: (unit: string) => readonly PrivacyLoss[]
}

/** Options of `openPrivacyAccount`. */
export interface PrivacyAccountOptions<N extends Neighbours> {
  /** The relation that the guarantee is about; losses of the other one do not compile. Required. */
  readonly neighbours: N
  /** The most that each unit may lose. Required. */
  readonly cap: PrivacyCap
  /** Where charges become durable; without one they are gone with the process. */
  readonly ledger?: Ledger
  /** Names the account in the ledger. */
  readonly name?: string
}

const sameTerms = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean => {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...keys].every((key) => a[key] === b[key])
}

/** Opens the account in the ledger, or finds it there with the same terms. Returns its entries so far. */
const enter = (ledger: Ledger, account: string, neighbours: Neighbours, rule: CapRule): readonly LedgerEntry[] => {
  const own = ledger.entries().filter((entry) => entry.account === account)
  const opened = own.find((entry) => entry.kind === 'account')
  if (!opened) ledger.append({ kind: 'account', account, neighbours, terms: rule.terms })
  else if (opened.neighbours !== neighbours || !sameTerms(opened.terms, rule.terms))
    throw new LedgerError(
      `account "${account}" is in this ledger with other terms: a cap or relation is not changed by opening it again`,
    )
  return own
}

/**
 * Opens an account for one neighbour relation under a cap; with a ledger that knows its name, it goes on where that one stopped. Throws
 * ParameterError for a cap out of range, and LedgerError when the ledger knows the account with other terms or holds charges that its
 * cap does not admit.
 */
export const openPrivacyAccount = <N extends Neighbours>(options: PrivacyAccountOptions<N>): PrivacyAccount<N> => {
  const { neighbours, cap, ledger = memoryLedger(), name = 'main' } = options
  return accountUnder(neighbours, capRule(cap), ledger, name)
}

/** The account under any rule. */
export const accountUnder = <N extends Neighbours>(
  neighbours: N,
  rule: CapRule,
  ledger: Ledger,
  name: string,
): PrivacyAccount<N> => {
  if (neighbours !== 'add-remove' && neighbours !== 'replace-one')
    throw new ParameterError(`neighbours must be "add-remove" or "replace-one", got ${JSON.stringify(neighbours)}`)
  const book = openUnitBook<PrivacyLoss<N>, LossTally>(emptyTally, addLoss)

  const requireOwn = (loss: PrivacyLoss<N>): void => {
    if (loss.neighbours !== neighbours)
      throw new ParameterError(`this account takes losses of ${neighbours} neighbours, not of ${loss.neighbours}`)
    requireTaken(rule, loss)
  }

  const admit = (unit: string, label: string, loss: PrivacyLoss<N>) => (before: LossTally, after: LossTally) => {
    if (admits(rule, after)) return
    const left = leftOf(rule, before)
    const alone = rule.spent(addLoss(emptyTally, loss))
    throw new BudgetExceededError({
      unit,
      label,
      currency: rule.currency,
      requested: alone ? format(alone) : 'more delta than the cap has',
      remaining: format(left),
    })
  }

  for (const entry of enter(ledger, name, neighbours, rule))
    if (entry.kind === 'charge') {
      const loss = lossOf(entry.loss, neighbours)
      try {
        book.charge(entry.unit, entry.label, loss, admit(entry.unit, entry.label, loss))
      } catch (cause) {
        throw new LedgerError(`the ledger holds a charge that account "${name}" does not admit`, { cause })
      }
    }

  const charge = (unit: string, label: string, requested: PrivacyLoss<N> | DisjointLosses<N>): void => {
    const [loss, because] = isDisjoint(requested) ? [requested.loss, requested.because] : [requested, undefined]
    requireOwn(loss)
    const entry = { kind: 'charge', account: name, unit, label, loss: lossRecord(loss) } as const
    book.charge(unit, label, loss, admit(unit, label, loss), () =>
      ledger.append(because === undefined ? entry : { ...entry, because }),
    )
  }

  const settle = (unit: string, label: string, digest = ''): void => {
    ledger.append({ kind: 'result', account: name, unit, label, digest })
  }

  const spent = (unit: string): Rational => rule.spent(book.total(unit)) ?? rule.limit

  return Object.freeze({
    name,
    adaptive: rule.adaptive,
    charge,
    release: <T>(
      unit: string,
      label: string,
      loss: PrivacyLoss<N> | DisjointLosses<N>,
      draw: () => T,
      digest: (released: T) => string = () => '',
    ): T => {
      charge(unit, label, loss)
      const released = draw()
      if (typeof (released as { then?: unknown } | null | undefined)?.then === 'function')
        throw new ParameterError('a release is drawn at once: a promise may run before its charge or twice')
      settle(unit, label, digest(released))
      return released
    },
    settle,
    check: (unit: string, label: string, loss: PrivacyLoss<N>) => {
      requireOwn(loss)
      const before = book.total(unit)
      if (book.charged(unit, label)) throw new DuplicateChargeError(`"${label}" was already charged to unit "${unit}"`)
      admit(unit, label, loss)(before, addLoss(before, loss))
    },
    affords: (unit: string, loss: PrivacyLoss<N>, count = 1n) => {
      requireOwn(loss)
      return admits(rule, addLoss(book.total(unit), loss, count))
    },
    charged: (unit: string, label: string) => book.charged(unit, label) !== undefined,
    tally: book.total,
    spent,
    remaining: (unit: string) => sub(rule.limit, spent(unit)),
    epsilon: (units: readonly string[], delta: Rational, composition: CompositionName | 'tightest' = 'tightest') => {
      const chosen = new Set(units)
      let whole = emptyTally
      for (const [unit, charges] of book.units())
        if (chosen.has(unit)) for (const loss of charges.values()) whole = addLoss(whole, loss)
      return composition === 'tightest' ? tightestEpsilon(whole, delta).epsilon : epsilonBy(composition, whole, delta)
    },
    of: (unit: string): UnitAccount<N> =>
      Object.freeze({ charge: (label: string, loss: PrivacyLoss<N>) => charge(unit, label, loss) }),
    units: () => [...book.units()].map(([unit]) => unit),
    losses: (unit: string) => [...book.charges(unit).values()],
  })
}
