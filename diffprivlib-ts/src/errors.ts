/** Thrown when an argument lies outside what a function promises to handle; the message names the argument and the allowed range. */
export class ParameterError extends RangeError {
  override readonly name = 'ParameterError'
  readonly code = 'parameter_invalid'
}

/** Thrown when a charge would take a unit over its cap. Nothing was charged; the caller must withhold the release. */
export class BudgetExceededError extends Error {
  override readonly name = 'BudgetExceededError'
  readonly code = 'budget_exceeded'
  /** The unit whose cap would be passed. */
  readonly unit: string
  /** The label of the refused charge. */
  readonly label: string
  /** What the cap is stated in: rho, epsilon or mu^2. */
  readonly currency: string
  /** What was asked for in that currency, as a reduced fraction. */
  readonly requested: string
  /** What is still unspent in that unit, as a reduced fraction. */
  readonly remaining: string

  constructor(facts: { unit: string; label: string; requested: string; remaining: string; currency?: string }) {
    const { currency = 'rho' } = facts
    super(
      `charge "${facts.label}" of ${currency} ${facts.requested} exceeds what unit "${facts.unit}" has left, ${facts.remaining}: withhold the release`,
    )
    this.currency = currency
    this.unit = facts.unit
    this.label = facts.label
    this.requested = facts.requested
    this.remaining = facts.remaining
  }
}

/** Thrown when a label was already charged in its unit: a second release under one name would be a second, uncharged one. */
export class DuplicateChargeError extends Error {
  override readonly name = 'DuplicateChargeError'
  readonly code = 'charge_duplicate'
}

/** Thrown by a one-shot mechanism that has already released: drawing again would be a second, uncharged release. */
export class AlreadyReleasedError extends Error {
  override readonly name = 'AlreadyReleasedError'
  readonly code = 'already_released'
}

/** Thrown when secure randomness cannot be had. No noise was drawn, and none may be replaced by a weaker source. */
export class RandomnessError extends Error {
  override readonly name = 'RandomnessError'
  readonly code = 'randomness_unavailable'
}

/** Thrown when a result is recorded for a release that was never charged: noise must not exist before its charge. */
export class UnchargedReleaseError extends Error {
  override readonly name = 'UnchargedReleaseError'
  readonly code = 'release_uncharged'
}

/** Thrown when a ledger cannot be trusted or written: altered, incomplete, held by another writer, or failed. Release nothing on it. */
export class LedgerError extends Error {
  override readonly name = 'LedgerError'
  readonly code = 'ledger_refused'
}
