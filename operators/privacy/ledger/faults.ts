/**
 * Everything that a check of the ledger can find, with what it means. The list is closed: docs/auditor.md shows it, and a
 * test plants each of them.
 */
export const ledgerFaults = {
  // The chain.
  unreadable: 'a record of the ledger does not fit its schema',
  altered: 'a byte of a link was changed after it was made',
  foreign: 'a link belongs to another release domain',
  twin: 'two links have one number: there were two writers, or two histories were joined',
  reordered: 'an older link stands behind a newer one',
  gap: 'links are missing',
  detached: 'a link was made upon another history: the ledger was rolled back or restored, and went on',
  cut: 'the first links of the ledger are gone',
  // The pinned head.
  behind_pin: 'the ledger ends before the pinned head: it was rolled back or restored',
  differs_from_pin: 'the ledger holds another link than the one that was pinned',
  // Charges and checkpoints.
  charge_unreadable: 'a charge states a cost that is no positive fraction',
  charge_repeats: 'a charge names one kind and level twice',
  charged_twice: 'a day was charged twice',
  charged_above_cap: 'a day was charged more than the cap',
  day_skipped: 'days were charged out of order, or one was left out',
  checkpoint_missing: 'no checkpoint follows a charge',
  checkpoint_differs: 'a checkpoint states other totals than the links before it come to',
  // Seals.
  sealed_uncharged: 'a window was sealed before its day was charged',
  sealed_twice: 'a window was sealed twice in one phase',
  late_first: 'the late values of a window were sealed before the preliminary ones',
  tick_early: 'a window was to be published before it had ended',
  pack_unreadable: 'the sealed records cannot be opened',
  record_differs: 'a sealed record says something else than its seal',
  record_repeats: 'a seal holds two records of one group',
  cost_differs: 'a sealed record states another cost than was charged',
  noise_differs: 'a sealed record states less noise, or other noise, than its cost and its bound give',
  epsilon_understated: 'a sealed record states a smaller epsilon than its day’s charge comes to',
  withheld_shown: 'a sealed record shows a value that it says is withheld, or hides one without saying why',
  // What was published.
  published_unsealed: 'a public record names no committed seal',
  published_differs: 'a public record differs from its seal: bytes, key or time stamp',
  published_twice: 'a sealed record was published twice',
  published_missing: 'a sealed record was left out, though later ones are public',
} as const

export type LedgerFault = keyof typeof ledgerFaults

/** One fault, where it is, and a sentence for whoever must deal with it. */
export interface FoundFault {
  readonly fault: LedgerFault
  /** Ledger link, or undefined where none is at fault. */
  readonly seq: number | undefined
  readonly says: string
}

/** A fault of a link, in words: what it is, and what exactly. */
export function foundFault(fault: LedgerFault, seq: number | undefined, detail = ''): FoundFault {
  const where = seq === undefined ? '' : `link ${seq}: `
  return { fault, seq, says: `${where}${ledgerFaults[fault]}${detail && ` (${detail})`}` }
}
