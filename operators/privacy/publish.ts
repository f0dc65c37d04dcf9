import type { Codec } from '../../schemas/codec.ts'
import type { LedgerRecord, LedgerSeal } from '../../schemas/ledger-record.ts'
import type { LoadPublic } from '../../schemas/load-public.ts'
import { type Accumulating, accumulatingLowering, type Spec, type StateRow } from '../contract/operator.ts'
import type { Published } from '../contract/published.ts'
import { type ChainHead, emptyHead, headOf, linkFault, sameBytes } from './ledger/chain.ts'
import { releaseHalt } from './ledger/halts.ts'
import { PackError, type PackedRecord, unpackRecords } from './ledger/packed-records.ts'
import type { HaltReason } from './ledger/reasons.ts'

export const publishSpec = { name: 'publish', drops: [], rejects: [] } as const satisfies Spec

export interface PublishOptions {
  /** Reads the bytes of load.public, wire-format header included: a seal is published only if its records say what it says. Required. */
  readonly codec: Pick<Codec<LoadPublic>, 'decode'>
  /** Refuses links of any other release domain. Required. */
  readonly domain: string
}

/** How far the ledger has been followed and how far it has been published. */
export interface PublishState {
  /** The last link seen; undefined until the first one after a restart that has no row of its own. */
  verified: ChainHead | undefined
  /** Links up to this one have their records in load.public. */
  readonly published: ChainHead
  dirty: boolean
}

const headRow = 'head'

/**
 * Copies sealed records from the ledger to the public topic: the very bytes of the seal, in its order, with its key and
 * its tick as timestamp. Charges and checkpoints are only followed.
 *
 * *Order*: link by link; a gap, a twin, an altered or reordered link halts, and nothing of that batch is published.
 * *State*: the last link, in the row `head`; without rows, the newest ledger link named in load.public (its last
 * record per partition is enough). Reading may then begin anywhere at or before the link after it: links already
 * published are verified again, not published again.
 *
 * Throws HaltError where the chain, a pack or a record does not hold what its link says.
 */
export function publish({ codec, domain }: PublishOptions) {
  const step: Accumulating<LedgerRecord, Published<LoadPublic>, PublishState> = {
    spec: publishSpec,
    restore: (rows, history) => restore(rows, history as readonly LoadPublic[]),
    process: (batch, state, out) => {
      for (const from of batch) {
        const link = from.value
        follow(state, link, domain)
        if (link.kind !== 'seal' || link.seq <= state.published.seq) continue
        for (const { key, bytes } of open(link, codec)) out.emit(from, { key, bytes, timestamp: link.tick })
      }
      return 'done'
    },
    changed: (state) => {
      if (!state.dirty || !state.verified) return []
      state.dirty = false
      const { seq, hash } = state.verified
      const body = JSON.stringify({ seq, hash: Buffer.from(hash).toString('hex') })
      return [{ row: headRow, body: Buffer.from(body, 'utf8') }]
    },
  }
  return accumulatingLowering('aggregate', 'released')(step)
}

function restore(rows: readonly StateRow[], history: readonly LoadPublic[]): PublishState {
  const newest = history.reduce<ChainHead>(
    (head, { ledgerSeq, ledgerHash }) => (ledgerSeq > head.seq ? { seq: ledgerSeq, hash: ledgerHash } : head),
    emptyHead,
  )
  const body = rows.find(({ row }) => row === headRow)?.body
  if (!body) return { verified: newest.seq === 0 ? emptyHead : undefined, published: newest, dirty: false }
  const { seq, hash } = JSON.parse(Buffer.from(body).toString('utf8')) as { seq: number; hash: string }
  if (newest.seq > seq)
    halt('published_differs', `load.public holds records of ledger link ${newest.seq}, but publishing stands at ${seq}`)
  const head = { seq, hash: new Uint8Array(Buffer.from(hash, 'hex')) }
  return { verified: undefined, published: head, dirty: false }
}

/** Checks the link against the one before it, and against what is published where it is the same link. */
function follow(state: PublishState, link: LedgerRecord, domain: string): void {
  const { published } = state
  // After a restart reading may begin before the link that was published last: the first link seen is then its own anchor.
  const before = state.verified ?? (link.seq > published.seq ? published : { seq: link.seq - 1, hash: link.prev })
  const fault = linkFault(before, link, domain)
  if (fault) halt('ledger_broken', `release.ledger is broken at link ${link.seq}: ${fault}`)
  if (link.seq === published.seq && !sameBytes(link.hash, published.hash)) {
    halt('published_differs', `release.ledger holds another link ${link.seq} than the one that was published`)
  }
  if (link.seq === 1 && !sameBytes(link.prev, emptyHead.hash))
    halt('ledger_broken', 'release.ledger does not begin at its first link')
  state.verified = headOf(link)
  state.dirty ||= link.seq > published.seq
}

function open(link: LedgerSeal, codec: PublishOptions['codec']): readonly PackedRecord[] {
  let records: readonly PackedRecord[]
  try {
    records = unpackRecords(link.records, link.hash, link.count)
  } catch (error) {
    if (error instanceof PackError)
      halt('seal_unreadable', `ledger link ${link.seq} cannot be opened: ${error.message}`)
    throw error
  }
  const phase = link.phase === 'late' ? 'final' : 'preliminary'
  for (const { bytes } of records) {
    const record = codec.decode(bytes)
    const agrees =
      record.ledgerSeq === link.seq &&
      sameBytes(record.ledgerHash, link.hash) &&
      record.window === link.window &&
      record.windowSeconds === link.windowSeconds &&
      record.channel === link.channel &&
      record.phase === phase
    if (!agrees) halt('seal_differs', `ledger link ${link.seq} holds a record that says something else than its seal`)
  }
  return records
}

function halt(reason: HaltReason, sentence: string): never {
  const action = 'Publish nothing; compare release.ledger with its pinned head and with load.public.'
  throw releaseHalt(reason, sentence, action)
}
