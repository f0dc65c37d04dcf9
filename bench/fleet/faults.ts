/**
 * How messages of a fleet arrive, and what goes wrong. Shares are of intervals or messages unless said otherwise.
 * No open measurement of per-reading lateness exists; the defaults follow retry settings of head-ends in the field
 * (seconds to 15 minutes), automated re-reads over five days, and gaps seen in cleaned household sets.
 */
export interface FaultRates {
  /** Pushes are spread at random over this long after the interval's end. */
  readonly randomisationSeconds: number
  /** Mean transit time. */
  readonly networkSeconds: number
  /** Arrive within 4 hours; one by one. */
  readonly lateHours: number
  /** Arrive within 24 hours, several intervals in one message. */
  readonly lateDay: number
  /** Arrive within 5 days, several intervals in one message. */
  readonly lateDays: number
  readonly never: number
  /** Messages that arrive again, byte for byte, seconds to 15 minutes later. */
  readonly duplicates: number
  /** The same in the ten minutes after a gateway comes back. */
  readonly stormDuplicates: number
  readonly homesPerGateway: number
  /** Share of gateways that are down at a time, for 1 to 6 hours. */
  readonly gatewaysDown: number
  /** Of the messages during an outage, those that the meter's side kept and sent as they were; the rest are read later. */
  readonly outageBuffered: number
  /** Of the meters whose messages are read later, those that lose them. */
  readonly outageLost: number
  /** Meters whose clock is off by 60 to 300 seconds, and by 300 to 1,200. */
  readonly clockOff60: number
  readonly clockOff300: number
  /** Messages with flipped bits or a missing end. */
  readonly corrupt: number
  /** Of those, the ones sent again intact. */
  readonly corruptRetried: number
  /** Old messages that someone sends again: half from before the meter's counter window, half recent ones. */
  readonly replayed: number
  /** Messages that repeat an interval with another value under a higher counter. */
  readonly restated: number
  /** Messages with an interval that lies 16 to 30 days back. */
  readonly tooLate: number
  /** Forged messages without protection. */
  readonly weakened: number
  /** Messages from a connection that the register does not know. */
  readonly unknown: number
  /** Meters whose key is not the one in the key ring. */
  readonly wrongKeyMeters: number
  /** Meters exchanged per day. */
  readonly exchangesPerDay: number
  /** Intervals with a bit set in the profile status. */
  readonly statusFlagged: number
}

/** The defaults: rough field conditions, nine intervals of ten on time. */
export const defaultFaults: FaultRates = {
  randomisationSeconds: 300,
  networkSeconds: 2,
  lateHours: 0.064,
  lateDay: 0.018,
  lateDays: 0.008,
  never: 0.002,
  duplicates: 0.02,
  stormDuplicates: 0.2,
  homesPerGateway: 200,
  gatewaysDown: 0.01,
  outageBuffered: 0.7,
  outageLost: 0.05,
  clockOff60: 0.003,
  clockOff300: 0.0005,
  corrupt: 0.002,
  corruptRetried: 0.8,
  replayed: 0.0005,
  restated: 0.001,
  tooLate: 0.0002,
  weakened: 0.0001,
  unknown: 0.0002,
  wrongKeyMeters: 0.0004,
  exchangesPerDay: 0.0005,
  statusFlagged: 0.002,
}

/** Nothing is lost, late, repeated or damaged; pushes are still spread over the randomisation time. */
export const noFaults: FaultRates = {
  ...defaultFaults,
  lateHours: 0,
  lateDay: 0,
  lateDays: 0,
  never: 0,
  duplicates: 0,
  stormDuplicates: 0,
  gatewaysDown: 0,
  clockOff60: 0,
  clockOff300: 0,
  corrupt: 0,
  replayed: 0,
  restated: 0,
  tooLate: 0,
  weakened: 0,
  unknown: 0,
  wrongKeyMeters: 0,
  exchangesPerDay: 0,
  statusFlagged: 0,
}

/** Throws on rates outside 0–1, or shares of lateness above 1 together. */
export function checkFaults(faults: FaultRates): void {
  const { randomisationSeconds, networkSeconds, homesPerGateway, ...shares } = faults
  for (const [name, value] of Object.entries(shares)) {
    if (!(value >= 0 && value <= 1)) throw new Error(`fault rate ${name} must lie between 0 and 1`)
  }
  if (faults.lateHours + faults.lateDay + faults.lateDays + faults.never > 1) {
    throw new Error('fault rates lateHours, lateDay, lateDays and never add up to more than 1')
  }
  if (!(randomisationSeconds >= 0 && networkSeconds >= 0 && homesPerGateway >= 1)) {
    throw new Error('randomisationSeconds and networkSeconds must not be negative, homesPerGateway at least 1')
  }
}
