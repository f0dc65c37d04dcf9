import { sameBytes } from '../../operators/privacy/ledger/chain.ts'
import { type FoundFault, foundFault, type LedgerFault } from '../../operators/privacy/ledger/faults.ts'
import type { PackedRecord } from '../../operators/privacy/ledger/packed-records.ts'
import type { LedgerSeal } from '../../schemas/ledger-record.ts'
import type { PublicCopy } from './ledger-open.ts'

export interface CopyComparer {
  /** Leaves out the copies of links before `seq`. */
  readonly begin: (seq: number) => void
  /** Compares the copies of one seal; call it in the order of the ledger. */
  readonly match: (seal: Pick<LedgerSeal, 'seq' | 'tick'>, records: readonly PackedRecord[]) => Promise<void>
  /** Looks at the copies that no seal claimed. */
  readonly finish: () => Promise<Compared>
}

export interface Compared {
  readonly copies: number
  /** The newest seal that was published. */
  readonly through: number
  /** Seals behind that one, whose tick has not come yet. */
  readonly waiting: number
}

/**
 * Compares what was published with what was sealed, byte for byte, key and time stamp included, in one pass: every
 * partition holds its copies in the order of the ledger. Faults are told as they are found.
 */
export function compareCopies(
  partitions: readonly AsyncIterator<PublicCopy>[],
  found: (fault: FoundFault) => void,
): CopyComparer {
  const tell = (fault: LedgerFault, seq: number | undefined, detail?: string) => found(foundFault(fault, seq, detail))
  const heads: (PublicCopy | undefined)[] = []
  const matched = new Set<number>()
  const absent: number[] = []
  let copies = 0
  let through = 0
  let from = 0

  const advance = async (p: number): Promise<void> => {
    const next = await partitions[p]!.next()
    heads[p] = next.done ? undefined : next.value
    if (!next.done) copies += 1
  }
  const start = async () => {
    if (heads.length > 0) return
    for (let p = 0; p < partitions.length; p++) await advance(p)
  }
  const stray = ({ key, seq }: PublicCopy) => {
    if (seq !== undefined && seq < from) return
    if (seq === undefined) tell('published_unsealed', undefined, `a record of ${key} does not fit its schema`)
    else tell(matched.has(seq) ? 'published_twice' : 'published_unsealed', seq, key)
  }
  /** Takes the copies that name a link up to `seq`; those of older links have no business there. */
  const take = async (seq: number): Promise<PublicCopy[]> => {
    const own: PublicCopy[] = []
    for (let p = 0; p < partitions.length; p++) {
      for (let copy = heads[p]; copy && (copy.seq === undefined || copy.seq <= seq); copy = heads[p]) {
        if (copy.seq === seq) own.push(copy)
        else stray(copy)
        await advance(p)
      }
    }
    return own
  }

  return {
    begin: (seq) => {
      from = seq
    },
    match: async ({ seq, tick }, records) => {
      await start()
      const own = await take(seq)
      if (matched.has(seq)) {
        own.forEach(stray)
        return
      }
      matched.add(seq)
      if (own.length === 0) {
        if (records.length > 0) absent.push(seq)
        return
      }
      through = seq
      const sealed = new Map(records.map(({ key, bytes }) => [key, bytes]))
      const seen = new Set<string>()
      for (const { key, bytes, timestamp } of own) {
        const record = sealed.get(key)
        if (seen.has(key)) tell('published_twice', seq, key)
        if (!record) tell('published_differs', seq, `the seal has no record of ${key}`)
        else if (!sameBytes(record, bytes)) tell('published_differs', seq, `bytes of ${key}`)
        else if (timestamp !== tick) tell('published_differs', seq, `time stamp of ${key}`)
        seen.add(key)
      }
      const missing = records.filter(({ key }) => !seen.has(key))
      if (missing.length > 0) tell('published_missing', seq, `${missing.length} of ${records.length} records`)
    },
    finish: async () => {
      await start()
      for (const copy of await take(Number.MAX_SAFE_INTEGER)) stray(copy)
      for (const seq of absent) if (seq < through) tell('published_missing', seq, 'all of its records')
      return { copies, through, waiting: absent.filter((seq) => seq > through).length }
    },
  }
}
