// The ledger port, and what every ledger does whatever it writes to: number and chain its lines, and refuse entries that cannot follow.
import { AlreadyReleasedError, DuplicateChargeError, LedgerError, UnchargedReleaseError } from '../errors.ts'
import type { LedgerEntry } from './entry.ts'
import { firstLine, type LedgerHead, lineOf } from './line.ts'

/**
 * Where charges become durable. An account appends a charge before any noise is drawn and draws only once `append` has returned; so an
 * implementation returns when the entry will survive a crash of the process and of the machine, and throws otherwise.
 */
export interface Ledger {
  /**
   * Appends one entry. Throws DuplicateChargeError for a charge that is there, UnchargedReleaseError for a result without its charge,
   * AlreadyReleasedError for a second result, and LedgerError when the entry could not be made durable: from then on the ledger takes
   * nothing, and only opening it anew tells what it holds.
   */
  readonly append: (entry: LedgerEntry) => LedgerHead
  /** All entries in order. */
  readonly entries: () => readonly LedgerEntry[]
  /** The number and hash of the last line. Kept elsewhere, it proves later that no line was lost. */
  readonly head: () => LedgerHead
  /** Ends the use of the ledger; appending afterwards throws LedgerError. */
  readonly close: () => void
}

/** What a ledger writes to: `write` returns when the line is durable. */
export interface LineStore {
  readonly write: (line: string) => void
  readonly close: () => void
}

const name = (...parts: readonly string[]): string => JSON.stringify(parts)

/** Whether entries may follow each other: each account opened once, each charge once, each result once and after its charge. */
export const openRules = (): ((entry: LedgerEntry) => () => void) => {
  const accounts = new Set<string>()
  const charges = new Set<string>()
  const results = new Set<string>()
  return (entry) => {
    const { account } = entry
    if (entry.kind === 'account') {
      if (accounts.has(account)) throw new LedgerError(`account "${account}" is already in this ledger`)
      return () => accounts.add(account)
    }
    if (!accounts.has(account)) throw new LedgerError(`account "${account}" is not in this ledger`)
    const key = name(account, entry.unit, entry.label)
    if (entry.kind === 'charge') {
      if (charges.has(key))
        throw new DuplicateChargeError(`"${entry.label}" was already charged to unit "${entry.unit}"`)
      return () => charges.add(key)
    }
    if (entry.kind !== 'result') throw new LedgerError('a ledger holds accounts, charges and results only')
    if (!charges.has(key))
      throw new UnchargedReleaseError(`"${entry.label}" of unit "${entry.unit}" has a result but was never charged`)
    if (results.has(key))
      throw new AlreadyReleasedError(`"${entry.label}" of unit "${entry.unit}" has released its one value`)
    return () => results.add(key)
  }
}

/** A ledger over a store that holds `entries`, of which `head` is the last line. */
export const ledgerOver = (store: LineStore, entries: readonly LedgerEntry[], head: LedgerHead): Ledger => {
  const rules = openRules()
  const held: LedgerEntry[] = []
  for (const entry of entries) {
    rules(entry)()
    held.push(entry)
  }
  let last = head
  let state: 'open' | 'failed' | 'closed' = 'open'
  return Object.freeze({
    append: (entry: LedgerEntry) => {
      if (state === 'closed') throw new LedgerError('this ledger is closed')
      if (state === 'failed')
        throw new LedgerError(
          'this ledger failed to write: open it anew to learn what it holds, and release nothing until then',
        )
      const accept = rules(entry)
      const next = lineOf(last, entry)
      try {
        store.write(next.line)
      } catch (cause) {
        state = 'failed'
        if (cause instanceof LedgerError) throw cause
        throw new LedgerError('an entry could not be made durable: release nothing', { cause })
      }
      accept()
      held.push(next.entry)
      last = next.head
      return last
    },
    entries: () => [...held],
    head: () => last,
    close: () => {
      if (state === 'closed') return
      state = 'closed'
      store.close()
    },
  })
}

/** A ledger in memory: for tests, and for processes whose charges need not outlive them. It is gone with the process. */
export const memoryLedger = (): Ledger => {
  const { head } = firstLine('memory')
  return ledgerOver({ write: () => {}, close: () => {} }, [], head)
}
