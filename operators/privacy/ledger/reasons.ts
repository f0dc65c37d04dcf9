import type { PublicFlag } from '../../../schemas/load-public.ts'

/** What a reason is about: the flag of a public record, a window, a local day, or a pipeline that halted instead. */
export type ReasonAbout = 'flag' | 'window' | 'day' | 'refusal'

export interface ReleaseReason {
  readonly about: ReasonAbout
  /** What it means. */
  readonly sentence: string
  /** What to do, if anything. */
  readonly action: string
}

const flags: Readonly<Record<PublicFlag, ReleaseReason>> = {
  withheld_small_group: {
    about: 'flag',
    sentence:
      'The register holds fewer points in the group than the rules of its customer classes ask for, or the policy selects groups by who reported and did not select it.',
    action:
      'None: the group’s load is in the one that mergedInto names. It is released from the day after the register holds enough.',
  },
  withheld_not_useful: {
    about: 'flag',
    sentence: 'The noise would be more than a fifth (or what the rules say) of the public mean load of so many points.',
    action: 'None: the group’s load is in the one that mergedInto names; longer windows need fewer points.',
  },
  withheld_remainder: {
    about: 'flag',
    sentence: 'The group would do by itself, but what would be left of the group above without it is below the rules.',
    action: 'None: the group’s load is in the one that mergedInto names.',
  },
  withheld_level: {
    about: 'flag',
    sentence: 'The rules release no groups of this level.',
    action: 'None: the group’s load is in the one that mergedInto names.',
  },
  withheld_membership: {
    about: 'flag',
    sentence: 'So few points joined or left the group since it was last shown that the difference would tell of them.',
    action: 'None: it is released when the changes add up; changing members in batches withholds nothing.',
  },
  withheld_unproven: {
    about: 'flag',
    sentence:
      'The ledger cannot prove that the window was not released before, or values of the day were bounded to more than it was charged for.',
    action:
      'Find out why the ledger was rolled back, or why [readings] had wider bounds than [load]; nothing is refunded.',
  },
  coarser_windows: {
    about: 'flag',
    sentence: 'Withheld in windows of this length, and released in longer ones, of an hour or a local day, instead.',
    action: 'Take the records of the group with the longer windowSeconds.',
  },
  late_increment_added: {
    about: 'flag',
    sentence: 'Not withheld: the values that came in by the next day’s cut-off were added to the preliminary ones.',
    action: 'None.',
  },
}

/**
 * Why something is not released, or not yet. The list is closed. All of it follows from the ledger, the register and the
 * clock, never from what the meters of a day measured.
 */
export const releaseReasons = {
  ...flags,
  window_not_due: {
    about: 'window',
    sentence: 'Not every source partition has passed the end of the window and the grace after it.',
    action: 'Wait; if it lasts, look for a partition of [readings] that stands still.',
  },
  window_not_published: {
    about: 'window',
    sentence: 'The window is sealed, and its public tick has not come, or [publish] has not caught up.',
    action: 'Wait; if it lasts, look at [publish].',
  },
  day_before_first: {
    about: 'day',
    sentence: 'The day lies before the first one of the ledger, so it is never released.',
    action: 'None.',
  },
  day_not_reached: {
    about: 'day',
    sentence: 'No source partition has come to the day yet: a day is charged when it comes into sight.',
    action: 'Wait; if it lasts, look for a standstill of [readings].',
  },
  day_left_out: {
    about: 'day',
    sentence: 'The day lies between days that were charged and was not charged itself, which must not happen.',
    action: 'Run meterveil ledger verify.',
  },
  budget_exhausted: {
    about: 'refusal',
    sentence: 'What the policy asks for the day is more than the cap: [load] halts and charges nothing.',
    action: 'Lower the shares of the policy; the cap is a promise.',
  },
  charged_before: {
    about: 'refusal',
    sentence: 'The day was charged before: [load] halts instead of charging it a second time.',
    action: 'Run meterveil ledger verify, and look for a second writer.',
  },
  state_behind: {
    about: 'refusal',
    sentence: 'load.state and release.ledger disagree, or one of them ends early: [load] halts and draws nothing.',
    action: 'Restore both together from one point in time; delete neither.',
  },
  ledger_broken: {
    about: 'refusal',
    sentence: 'The chain of the ledger has a gap, a twin or an altered link: [load] and [publish] halt.',
    action: 'Run meterveil ledger verify; restore the ledger from a replica.',
  },
  pin_behind: {
    about: 'refusal',
    sentence: 'The ledger ends before its pinned head: it was rolled back or restored, and [load] halts.',
    action: 'Restore the ledger that holds the pinned link.',
  },
  pin_differs: {
    about: 'refusal',
    sentence: 'The ledger holds another link than the one that was pinned: its history was replaced, and [load] halts.',
    action: 'Restore the ledger that holds the pinned link.',
  },
  pin_missing: {
    about: 'refusal',
    sentence: 'The ledger has links, but the file that pins its head is gone: nothing proves that they are all there.',
    action: 'Restore the file, or run meterveil ledger verify --pin FILE and look where the ledger ends.',
  },
  key_missing: {
    about: 'refusal',
    sentence: 'The key ring has no ledger key for the day: [load] halts, since nothing is sealed without its digest.',
    action: 'Put the key into the key ring.',
  },
} as const satisfies Readonly<Record<string, ReleaseReason>>

export type ReleaseReasonName = keyof typeof releaseReasons

/** Why a date without a charge has none, given the dates that were charged. */
export function whyNotCharged(date: string, charged: readonly string[]): ReleaseReasonName {
  const [first, last] = [charged[0], charged.at(-1)]
  if (first === undefined || last === undefined || date > last) return 'day_not_reached'
  return date < first ? 'day_before_first' : 'day_left_out'
}
