// The lines of a ledger: each is a JSON array of its number, the hash of the line before, its own hash and its entry, so that an altered,
// missing or moved line does not fit.
import { LedgerError } from '../errors.ts'
import type { LedgerEntry } from './entry.ts'
import { sha256 } from './sha256.ts'

/** The number and hash of a line. */
export interface LedgerHead {
  readonly sequence: number
  readonly hash: string
}

/** The first entry of every ledger. */
interface Header {
  readonly kind: 'ledger'
  readonly format: 1
  /** Names the ledger, so that its lines fit no other. */
  readonly id: string
}

const nothing: LedgerHead = { sequence: -1, hash: '0'.repeat(64) }

const write = (before: LedgerHead, json: string): { readonly line: string; readonly head: LedgerHead } => {
  const sequence = before.sequence + 1
  const hash = sha256(`${sequence},"${before.hash}",${json}`)
  return { line: `[${sequence},"${before.hash}","${hash}",${json}]\n`, head: { sequence, hash } }
}

/** The line that opens a ledger. */
export const firstLine = (id: string): { readonly line: string; readonly head: LedgerHead } =>
  write(nothing, JSON.stringify({ kind: 'ledger', format: 1, id } satisfies Header))

/** The line that follows `before`, with the entry as it will be read back. */
export const lineOf = (
  before: LedgerHead,
  entry: LedgerEntry,
): { readonly line: string; readonly head: LedgerHead; readonly entry: LedgerEntry } => {
  const json = JSON.stringify(entry)
  return { ...write(before, json), entry: JSON.parse(json) as LedgerEntry }
}

/** What the text of a ledger holds. */
export interface LedgerText {
  /** Of the header. */
  readonly id: string
  readonly entries: readonly LedgerEntry[]
  readonly head: LedgerHead
  /** The head after each line, the header's first. */
  readonly heads: readonly LedgerHead[]
  /** Bytes after the last whole line, which a write that was cut short left behind. */
  readonly tornBytes: number
  readonly wholeBytes: number
}

const form = /^\[(\d{1,15}),"([0-9a-f]{64})","([0-9a-f]{64})",(\{.*\})\]$/

const refuse = (line: number, what: string): never => {
  throw new LedgerError(`line ${line + 1} of the ledger ${what}: release nothing until it is explained`)
}

/**
 * Reads and checks the bytes of a ledger. A last line without its end, or with bytes that were never written, is a torn tail: no charge in it ever
 * counted. Throws LedgerError when any other line was altered, is missing or out of order, or the text does not begin as a ledger does.
 */
export const readLines = (bytes: Uint8Array): LedgerText => {
  const newline = 0x0a
  const entries: LedgerEntry[] = []
  const heads: LedgerHead[] = []
  let id = ''
  let head = nothing
  let start = 0
  const decoder = new TextDecoder('utf-8', { fatal: true })
  for (let number = 0; ; number++) {
    const end = bytes.indexOf(newline, start)
    if (end < 0) break
    const raw = bytes.subarray(start, end)
    // Blocks of a last line may reach the disk in any order; the ones that did not are zeros, which no line holds.
    if (end === bytes.length - 1 && raw.includes(0)) break
    let text = ''
    try {
      text = decoder.decode(raw)
    } catch {
      refuse(number, 'was altered: it is not text')
    }
    const match = form.exec(text) ?? refuse(number, 'was altered: it has not the form of a line')
    const [, sequence, before, hash, json = ''] = match
    const expected = write(head, json)
    if (Number(sequence) !== head.sequence + 1 || before !== head.hash)
      refuse(number, 'does not follow the one before: a line is missing, moved or altered')
    if (hash !== expected.head.hash) refuse(number, 'was altered: its hash does not fit its text')
    head = expected.head
    heads.push(head)
    const value = JSON.parse(json) as LedgerEntry | Header
    if (number === 0) {
      if (value.kind !== 'ledger' || value.format !== 1) throw new LedgerError('this is no ledger of format 1')
      id = value.id
    } else if (value.kind === 'ledger') refuse(number, 'opens a ledger within a ledger')
    else entries.push(value)
    start = end + 1
  }
  return { id, entries, head, heads, tornBytes: bytes.length - start, wholeBytes: start }
}
