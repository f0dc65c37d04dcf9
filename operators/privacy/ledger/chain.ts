import { hash } from 'node:crypto'
import type { LedgerCharge, LedgerCheckpoint, LedgerRecord, LedgerSeal } from '../../../schemas/ledger-record.ts'
import { canonical } from './canonical.ts'

/** How far a chain has been read: the last sequence number and the hash of that link. */
export interface ChainHead {
  readonly seq: number
  readonly hash: Uint8Array
}

/** The head of a ledger without a link: sequence 0 and 32 zero bytes. */
export const emptyHead: ChainHead = Object.freeze({ seq: 0, hash: new Uint8Array(32) })

type Unlinked<T> = T extends unknown ? Omit<T, 'seq' | 'prev' | 'hash'> : never

/** What a ledger record says, before it has a place in the chain. */
export type LedgerEntry = Unlinked<LedgerRecord>

/** What can be wrong with a link, first fault first. */
export const chainFaults = [
  /** Its hash is not that of its fields: a byte was changed. */
  'altered',
  /** It belongs to another release domain. */
  'foreign',
  /** A second link with the number of the head. */
  'twin',
  /** An older number than the head. */
  'reordered',
  /** Numbers are missing before it. */
  'gap',
  /** Its number fits, but it was made upon another history. */
  'detached',
] as const
export type ChainFault = (typeof chainFaults)[number]

export type Verdict =
  | { readonly ok: true; readonly head: ChainHead }
  | { readonly ok: false; readonly fault: ChainFault; readonly seq: number }

/** Puts an entry behind `head`: numbered, with the hash of the link before it and its own. */
export function appendLink(head: ChainHead, entry: LedgerEntry): LedgerRecord {
  const link = { ...entry, seq: head.seq + 1, prev: head.hash, hash: emptyHead.hash }
  link.hash = linkHash(link as LedgerRecord)
  return link as LedgerRecord
}

/** SHA-256 over the canonical bytes of every field but `hash`: 32 bytes. */
export function linkHash(record: LedgerRecord): Uint8Array {
  const writer = canonical('meterveil/ledger/1')
  writer.integer(record.seq).bytes(record.prev).text(record.domain).text(record.kind)
  if (record.kind === 'charge') writeCharge(writer, record)
  else if (record.kind === 'seal') writeSeal(writer, record)
  else writeCheckpoint(writer, record)
  const digest = hash('sha256', writer.finish(), 'buffer')
  return new Uint8Array(digest.buffer, digest.byteOffset, digest.length)
}

/** What is wrong with `record` as the link after `head`, or undefined. `domain` is checked where given. */
export function linkFault(head: ChainHead, record: LedgerRecord, domain?: string): ChainFault | undefined {
  if (!sameBytes(linkHash(record), record.hash)) return 'altered'
  if (domain !== undefined && record.domain !== domain) return 'foreign'
  if (record.seq === head.seq) return 'twin'
  if (record.seq < head.seq) return 'reordered'
  if (record.seq > head.seq + 1) return 'gap'
  if (!sameBytes(record.prev, head.hash)) return 'detached'
  return undefined
}

/** Follows a sequence of links from `from` and answers the head it reaches, or the first fault and where it is. */
export function verifyChain(records: Iterable<LedgerRecord>, from: ChainHead = emptyHead, domain?: string): Verdict {
  let head = from
  for (const record of records) {
    const fault = linkFault(head, record, domain)
    if (fault) return { ok: false, fault, seq: record.seq }
    head = headOf(record)
  }
  return { ok: true, head }
}

/** The head of a chain that ends with `record`. */
export function headOf(record: LedgerRecord): ChainHead {
  return { seq: record.seq, hash: record.hash }
}

/** Whether two byte strings are equal. Not for secrets: it does not take constant time. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

type Writer = ReturnType<typeof canonical>

function writeCharge(writer: Writer, { zone, date, charges, policy }: LedgerCharge): void {
  writer.text(zone).text(date).integer(charges.length)
  for (const { release, level, rho } of charges) writer.text(release).text(level).text(rho)
  writer.bytes(policy)
}

function writeSeal(writer: Writer, seal: LedgerSeal): void {
  writer.text(seal.zone).text(seal.date).integer(seal.window).integer(seal.windowSeconds)
  writer.text(seal.channel).text(seal.phase).integer(seal.tick)
  writer.bytes(seal.digest).integer(seal.count).bytes(seal.records)
}

function writeCheckpoint(writer: Writer, { date, rhoYear, days, seals }: LedgerCheckpoint): void {
  writer.text(date).text(rhoYear).integer(days)
  // Links from before the field keep their hash; with it the bytes are longer, so no two checkpoints share them.
  if (seals !== null) writer.integer(seals)
}
