import type { LedgerRecord } from '../../../schemas/ledger-record.ts'
import { isDate } from '../../contract/policy-epoch.ts'
import { type ChainHead, sameBytes } from './chain.ts'
import { behindHalt, releaseHalt } from './halts.ts'

/** The head of one ledger, as it is kept outside the log. */
export interface HeadPin extends ChainHead {
  readonly domain: string
  /** The local day through which an operator declared the ledger lost. */
  readonly unproven?: string
}

/** A text that is no pin. Its message says what is wrong, not what the text holds. */
export class PinError extends Error {
  override readonly name = 'PinError'
}

const longest = 1_000

/** One line of JSON: domain, sequence number, and SHA-256 of the link in hexadecimal digits. */
export function formatPin({ domain, seq, hash, unproven }: HeadPin): string {
  return `${JSON.stringify({ domain, seq, hash: Buffer.from(hash).toString('hex'), unproven })}\n`
}

/** Reads what `formatPin` wrote. Throws PinError for anything else. */
export function parsePin(text: string): HeadPin {
  if (text.length > longest) throw new PinError('it is too long for a pinned head')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new PinError('it is not JSON')
  }
  const { domain, seq, hash, unproven } = (value ?? {}) as Readonly<Record<string, unknown>>
  if (typeof domain !== 'string' || domain === '') throw new PinError('it names no domain')
  if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 0)
    throw new PinError('it holds no number of a link')
  if (typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash)) throw new PinError('it holds no SHA-256')
  if (unproven !== undefined && !(typeof unproven === 'string' && isDate(unproven))) {
    throw new PinError('what it declares lost is no day')
  }
  const head = { domain, seq, hash: new Uint8Array(Buffer.from(hash, 'hex')) }
  return unproven === undefined ? head : { ...head, unproven }
}

/** Whether links from this one on are enough to find out whether the ledger still holds the pinned head. */
export const reachesPin = (first: LedgerRecord, pin: ChainHead): boolean => first.seq <= pin.seq + 1

/** How a ledger stands to its pinned head. */
export type PinStanding = 'holds' | 'ends before' | 'begins after' | 'differs'

/** Compares consecutive links, which may begin late, with a pinned head. */
export function comparePin(pin: ChainHead, history: readonly LedgerRecord[]): PinStanding {
  const first = history[0]
  if ((history.at(-1)?.seq ?? 0) < pin.seq) return 'ends before'
  if (!first) return 'holds'
  if (!reachesPin(first, pin)) return 'begins after'
  const hash = first.seq === pin.seq + 1 ? first.prev : history[pin.seq - first.seq]?.hash
  return hash && sameBytes(hash, pin.hash) ? 'holds' : 'differs'
}

/**
 * Holds a ledger to its pinned head. Throws HaltError where the ledger is another one than was pinned or was cut behind
 * the pin, HistoryBehindError where it ends before the pin: rolled back, or restored from a backup.
 */
export function requirePinned(pin: ChainHead, history: readonly LedgerRecord[]): void {
  const [first, last] = [history[0], history.at(-1)]
  switch (comparePin(pin, history)) {
    case 'holds':
      return
    case 'ends before':
      throw behindHalt(
        'pin_behind',
        `release.ledger ends at link ${last?.seq ?? 0}, but link ${pin.seq} was pinned: it was rolled back or restored`,
        remedy,
      )
    case 'begins after':
      throw releaseHalt(
        'pin_gap',
        `release.ledger begins at link ${first?.seq ?? 0}, but link ${pin.seq} was pinned: what lies between is gone`,
        remedy,
      )
    case 'differs':
      throw releaseHalt(
        'pin_differs',
        `release.ledger holds another link ${pin.seq} than the one that was pinned`,
        remedy,
      )
  }
}

const remedy =
  'Restore the ledger that holds the pinned link. Where that is lost for good, meterveil ledger accept-loss withholds what cannot be proven.'
