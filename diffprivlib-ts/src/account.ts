import { openUnitBook } from './accounting/unit-book.ts'
import { BudgetExceededError, ParameterError } from './errors.ts'
import { add, compare, format, max, parse, type Rational, sign, sub, zero } from './rational.ts'

/** One committed charge, as plain data: rho is a reduced fraction such as `"1/400"`. */
export interface ChargeRecord {
  readonly unit: string
  readonly label: string
  readonly rho: string
}

/** All that an account knows, as plain data that survives JSON. */
export interface AccountSnapshot {
  readonly version: 1
  readonly cap: string
  readonly charges: readonly ChargeRecord[]
}

declare const disjoint: unique symbol

/** Charges of which every privacy unit can meet at most one. Made by `disjointParts` alone. */
export interface DisjointParts {
  readonly rhos: readonly Rational[]
  /** Why no privacy unit can be in two parts. */
  readonly because: string
  readonly [disjoint]: true
}

/**
 * Declares that the parts share no privacy unit, so that together they cost their largest rho (parallel composition) and not their sum.
 * `because` states the reason, e.g. `"the register places a connection point in one feeder until local midnight"`; a reason is required,
 * for this is a claim about the data that no program can check. Throws ParameterError without parts, without a reason, or for a negative rho.
 */
export const disjointParts = (rhos: readonly Rational[], because: string): DisjointParts => {
  if (rhos.length === 0) throw new ParameterError('parallel composition needs at least one part')
  if (because.trim() === '')
    throw new ParameterError('parallel composition needs the reason why no privacy unit is in two parts')
  for (const rho of rhos) requireRho(rho)
  return Object.freeze({ rhos: Object.freeze([...rhos]), because }) as DisjointParts
}

/** A zCDP account: each unit (for example one zone and local day) may be charged up to the cap, and nothing is ever refunded. */
export interface Account {
  /** The most rho that any one unit may spend. */
  readonly cap: Rational
  /**
   * Charges `rho`, or the largest of disjoint parts, to `unit` and returns what was charged. Call it before any noise is drawn.
   * Throws BudgetExceededError when the unit's total would pass the cap, and DuplicateChargeError when the label was already charged
   * there; in both cases nothing changes.
   */
  readonly charge: (unit: string, label: string, rho: Rational | DisjointParts) => Rational
  /** What `label` was charged in `unit`, if it was. */
  readonly charged: (unit: string, label: string) => Rational | undefined
  /** The sum of all charges to `unit`: its rho by sequential composition. */
  readonly spent: (unit: string) => Rational
  /** What `unit` may still be charged. */
  readonly remaining: (unit: string) => Rational
  /** The rho of a person who is in all of these units, for example a household over seven days: the sum over distinct units. */
  readonly spentTogether: (units: readonly string[]) => Rational
  /** The rho of a person who can be in only one of these units: the maximum. `because` states the reason and is required. */
  readonly spentDisjointly: (units: readonly string[], because: string) => Rational
  /** The units charged so far, in order of their first charge. */
  readonly units: () => readonly string[]
  /** A copy of everything, for `restoreAccount`. */
  readonly snapshot: () => AccountSnapshot
}

const requireRho = (rho: Rational): void => {
  if (sign(rho) < 0) throw new ParameterError('rho must not be negative: charges are never refunded')
}

const rhoOf = (charge: Rational | DisjointParts): Rational =>
  'rhos' in charge ? charge.rhos.reduce((largest, rho) => max(largest, rho), zero) : charge

/** Opens an empty account. Throws ParameterError when the cap is not positive. */
export const openAccount = (cap: Rational): Account => {
  if (sign(cap) <= 0) throw new ParameterError('the cap must be greater than 0')
  const book = openUnitBook<Rational, Rational>(zero, add)
  const spent = book.total

  const charge = (unit: string, label: string, requested: Rational | DisjointParts) => {
    const rho = rhoOf(requested)
    requireRho(rho)
    book.charge(unit, label, rho, (before, after) => {
      if (compare(after, cap) > 0)
        throw new BudgetExceededError({
          unit,
          label,
          requested: format(rho),
          remaining: format(sub(cap, before)),
        })
    })
    return rho
  }

  return Object.freeze({
    cap,
    charge,
    charged: book.charged,
    spent,
    remaining: (unit: string) => sub(cap, spent(unit)),
    spentTogether: (names: readonly string[]) =>
      [...new Set(names)].reduce((total, unit) => add(total, spent(unit)), zero),
    spentDisjointly: (names: readonly string[], because: string) =>
      rhoOf(
        disjointParts(
          names.map((unit) => spent(unit)),
          because,
        ),
      ),
    units: () => [...book.units()].map(([unit]) => unit),
    snapshot: () => ({
      version: 1 as const,
      cap: format(cap),
      charges: [...book.units()].flatMap(([unit, charges]) =>
        [...charges].map(([label, rho]) => ({ unit, label, rho: format(rho) })),
      ),
    }),
  })
}

/**
 * Rebuilds an account from a snapshot by charging everything again, so a snapshot that breaks its own cap or names a charge twice is
 * refused. Throws ParameterError for another version, and the errors of `charge`.
 */
export const restoreAccount = (snapshot: AccountSnapshot): Account => {
  if (snapshot.version !== 1)
    throw new ParameterError(`this version reads account snapshots of version 1, got ${snapshot.version}`)
  const account = openAccount(parse(snapshot.cap))
  for (const { unit, label, rho } of snapshot.charges) account.charge(unit, label, parse(rho))
  return account
}
