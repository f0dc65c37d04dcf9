/**
 * Releases a group only where enough households are seen to have reported, decided by optimal partition selection with a
 * pre-threshold (see docs/decisions/0014-who-reported.md).
 */
export interface SelectionPolicy {
  /** Part of the cap of rho that the selection spends, over all levels. */
  readonly share: string
  /** Part of the policy's delta that a day's selection spends, over all levels. */
  readonly delta: string
  /** A group of which fewer households reported is never selected, whatever is drawn. */
  readonly preThreshold: number
  /** Most measuring points of one connection in the register, in one group or in several: a household has no more. */
  readonly pointsAtConnection: number
}
