import type { PublicFlag } from '../../../schemas/load-public.ts'
import type { Suppression } from '../release/restricted/rules.ts'

/**
 * What a reason is about: the flag of a public record, a suppressed cell of load.restricted, a window, a local day, or a
 * pipeline that halted or did not start instead.
 */
export type ReasonAbout = 'flag' | 'suppression' | 'window' | 'day' | 'refusal'

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
      'The register holds fewer homes in the group than the rules of its customer classes ask for, or the policy selects groups by who reported and did not select it.',
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
      'The ledger cannot prove that the window was not released before, or values of the day were bounded to more than it was charged for, or by another rule for C.',
    action:
      'Find out why the ledger was rolled back, or why [readings] had wider bounds or another `capRule` than [load]; nothing is refunded.',
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

const suppressions: Readonly<Record<Suppression, ReleaseReason>> = {
  unproven: {
    about: 'suppression',
    sentence:
      'The day may have been shown before, from other input, so that two sums would tell by their difference; or [readings] bounded it otherwise than [load] planned.',
    action: 'None: take what was read before, or the days after it.',
  },
  below_k: {
    about: 'suppression',
    sentence: 'Fewer homes contributed to the sum than the rules of the classes in the group ask for.',
    action: 'None: take a wider group.',
  },
  dominance: {
    about: 'suppression',
    sentence:
      'The largest, the two largest or the three largest contributions are more of the sum than the rules allow.',
    action: 'None: take a wider group, in which they are a smaller part.',
  },
  p_percent: {
    about: 'suppression',
    sentence: 'The second largest contributor could work out the largest contribution too closely from the sum.',
    action: 'None: take a wider group, in which more others contribute.',
  },
  membership: {
    about: 'suppression',
    sentence:
      'Points joined or left the group within the day, or so few since it was last shown that two sums would tell of them.',
    action:
      'None: it is shown when the changes add up; batches at local midnight, loaded a day before, suppress nothing.',
  },
  complementary: {
    about: 'suppression',
    sentence: 'The sum keeps the rules by itself, but with it a suppressed one could be found by subtraction.',
    action: 'None: take the group above, which is shown.',
  },
}

/**
 * Why something is not released, or not yet. The list is closed: every halt of operators/privacy has its name here. Flags,
 * windows and days follow from the ledger, the register and the clock, never from what the meters of a day measured;
 * suppressions follow from true values, and stay in the restricted topic.
 */
export const releaseReasons = {
  ...flags,
  ...suppressions,
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
  seal_unreadable: {
    about: 'refusal',
    sentence: 'What a seal of the ledger holds cannot be unpacked, or is not what its link promises: [publish] halts.',
    action: 'Run meterveil ledger verify; restore the ledger from a replica.',
  },
  seal_differs: {
    about: 'refusal',
    sentence:
      'A sealed record names another window, phase or link than its seal: [publish] halts and publishes nothing of it.',
    action: 'Run meterveil ledger verify, and look for another writer of release.ledger.',
  },
  published_differs: {
    about: 'refusal',
    sentence: 'load.public and release.ledger disagree on which link was published last: [publish] halts.',
    action: 'Compare release.ledger with its pinned head and with load.public; publish nothing before they agree.',
  },
  pin_behind: {
    about: 'refusal',
    sentence: 'The ledger ends before its pinned head: it was rolled back or restored, and [load] halts.',
    action: 'Restore the ledger that holds the pinned link.',
  },
  pin_gap: {
    about: 'refusal',
    sentence: 'The ledger begins after its pinned head: the links between are gone, and [load] halts.',
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
  pin_unusable: {
    about: 'refusal',
    sentence:
      'The file that pins the head of the ledger cannot be read, is malformed, or may be written by others: [load] halts.',
    action: 'Take the write right from others with chmod go-w, or restore the file from where you keep its copy.',
  },
  pin_foreign: {
    about: 'refusal',
    sentence: 'The file that pins the head of the ledger holds that of another release domain: [load] halts.',
    action: 'Give every domain a file of its own in ledgerPinFile.',
  },
  pin_unwritable: {
    about: 'refusal',
    sentence: 'The new head of the ledger could not be written into the file that pins it: [load] halts.',
    action: 'Make the folder of ledgerPinFile writable, with room in it; what is committed is released once.',
  },
  key_missing: {
    about: 'refusal',
    sentence:
      'The key ring has no key for the local day: [readings] halts without its pseudonym key, [load] without its ledger key.',
    action: 'Put the key of the day, or the master key, into the key ring and start again.',
  },
  groups_cross: {
    about: 'refusal',
    sentence:
      'A group stands in the register twice, is part of no group above it, or has parts of more points than itself: [load] halts.',
    action: 'Groups must nest: correct meter.register and start again; nothing was released.',
  },
  group_unknown: {
    about: 'refusal',
    sentence: 'load.partials names a group that the frozen plan of the day and the register of [load] do not know.',
    action: 'Start [readings] and [load] over the same register and settings; do not delete state to go on.',
  },
  partials_broken: {
    about: 'refusal',
    sentence:
      'A batch of load.partials is missing or repeated, or brings values of a window that is sealed or not yet reached: [load] halts.',
    action: 'Look for a second writer of load.partials, or for lost records; do not delete state to go on.',
  },
  writers_differ: {
    about: 'refusal',
    sentence: '[readings] and [load] work with other partitions, time zones or window lengths: [load] halts.',
    action: 'Compare the settings of the two and start them with the same; do not delete state to go on.',
  },
  points_over_limit: {
    about: 'refusal',
    sentence:
      'A connection of the register has more measuring points than policy.selection allows for: nothing starts.',
    action: 'Raise selection.pointsAtConnection to the most points that a connection has, or correct the register.',
  },
} as const satisfies Readonly<Record<string, ReleaseReason>>

export type ReleaseReasonName = keyof typeof releaseReasons

/** The names under which a pipeline halts or does not start. */
export type HaltReason = {
  [K in ReleaseReasonName]: (typeof releaseReasons)[K]['about'] extends 'refusal' ? K : never
}[ReleaseReasonName]

/** Why a date without a charge has none, given the dates that were charged. */
export function whyNotCharged(date: string, charged: readonly string[]): ReleaseReasonName {
  const [first, last] = [charged[0], charged.at(-1)]
  if (first === undefined || last === undefined || date > last) return 'day_not_reached'
  return date < first ? 'day_before_first' : 'day_left_out'
}
