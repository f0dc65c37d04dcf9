import { createHash } from 'node:crypto'
import type { CellValue, Log } from '../../connectors/contract.ts'
import { HaltError } from '../../operators/contract/halt.ts'
import type { AcceptedBatch } from '../../schemas/accepted-batch.ts'
import { hashPlace, type LinkHead, readHead, scanCells } from '../../schemas/accepted-link.ts'
import { CodecError } from '../../schemas/codec.ts'
import { toCellValues } from './batch-cells.ts'
import { type CellFold, cellFold } from './cell-fold.ts'
import { fetches, genesis, readRange } from './changelog.ts'
import { type Floors, floorsAfter } from './floors.ts'
import type { AnyTopic } from './stream.ts'
import type { Wire } from './wire.ts'

/** A link that has been verified; its cells are decoded when they are asked for. */
export interface ReadLink {
  readonly head: LinkHead
  readonly floors: Floors
  readonly cells: () => CellValue[]
  /** What applying the link does to a view, done to a fold. */
  readonly foldInto: (fold: CellFold) => void
}

/** The newest links of one partition. */
export interface Tail {
  readonly last: LinkHead | undefined
  /** Links from the one after `seq` to the last, or undefined where they do not reach back to `seq` and this hash. */
  readonly after: (seq: number, hash: string) => readonly ReadLink[] | undefined
  /** Whether the read reached the marker. */
  readonly marked: boolean
}

/** Everything that the retained links of one partition come to. */
export interface FoldedChain {
  readonly first: LinkHead | undefined
  readonly last: LinkHead | undefined
  readonly cells: () => Iterable<CellValue>
  /** Whether the read reached the marker. */
  readonly marked: boolean
}

/** One partition of a changelog. */
export interface ChainPlace {
  readonly log: Log
  readonly wire: Wire
  readonly topic: AnyTopic
  readonly partition: number
  /** Names of tables that are kept for a shorter time, see `briefTables`. */
  readonly brief: readonly string[]
}

/** Bytes of links that are held for a replay: a view that is behind by more is rebuilt, which holds one fetch. */
const heldForReplay = 64_000_000
const firstReach = 64n
const widening = 4

/**
 * Reads the end of the changelog back to the link `backTo`, or as far as may be held. Every link is checked against the one
 * before it and against its own hash; a gap, a twin or an altered link halts.
 */
export async function readTail(
  place: ChainPlace,
  backTo: number,
  marker: Uint8Array,
  mostHeldBytes = heldForReplay,
): Promise<Tail> {
  const { log, topic, partition } = place
  const { first, end } = await log.bounds(topic.name, partition, 'read_committed')
  let from = end > first + firstReach ? end - firstReach : first
  for (;;) {
    const records = await readRange(log, topic.name, partition, from, end)
    const next = chain(place)
    const links: ReadLink[] = []
    let marked = false
    let bytes = 0
    for (const { value } of records) {
      if (!value) continue
      marked ||= same(value, marker)
      bytes += value.length
      const one = next(value)
      if (one) links.push(one)
    }
    const oldest = links[0]?.head.seq
    const reached = oldest !== undefined && oldest <= Math.max(1, backTo)
    if (from === first || reached || bytes * widening > mostHeldBytes) return tailOf(links, marked, from === first)
    const back = (end - from) * BigInt(widening)
    from = end - back > first ? end - back : first
  }
}

function tailOf(links: readonly ReadLink[], marked: boolean, whole: boolean): Tail {
  return {
    last: links.at(-1)?.head,
    marked,
    after: (seq, hash) => {
      if (seq === 0) return links[0]?.head.seq === 1 || (whole && links.length === 0) ? links : undefined
      const at = links.findIndex(({ head }) => head.seq === seq)
      return at >= 0 && hex(links[at]!.head.hash) === hash ? links.slice(at + 1) : undefined
    },
  }
}

/**
 * Reads the whole retained changelog once, and folds it as it comes: one fetch and the newest value of each cell are held.
 * Every link is checked as by `readTail`.
 */
export async function foldChain(place: ChainPlace, marker: Uint8Array): Promise<FoldedChain> {
  const { log, topic, partition } = place
  const { first: from, end } = await log.bounds(topic.name, partition, 'read_committed')
  const next = chain(place)
  const fold = cellFold()
  let first: LinkHead | undefined
  let last: LinkHead | undefined
  let marked = false
  const range = { topic: topic.name, partition, from, end, isolation: 'read_committed' } as const
  for await (const records of fetches(log, range)) {
    for (const { value } of records) {
      if (!value) continue
      marked ||= same(value, marker)
      const one = next(value)
      if (!one) continue
      one.foldInto(fold)
      first ??= one.head
      last = one.head
    }
  }
  return { first, last, cells: fold.cells, marked }
}

export const hex = (hash: Uint8Array): string => Buffer.from(hash).toString('hex')

const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && Buffer.compare(a, b) === 0

/** Takes the values of a changelog in order, and answers its links; markers are none. */
function chain({ wire, topic, partition, brief }: ChainPlace): (value: Uint8Array) => ReadLink | undefined {
  let before: LinkHead | undefined
  const broken = (where: string): never => {
    throw new HaltError(
      `the changelog ${topic.name}[${partition}] is broken ${where}`,
      'Restore the topic from a replica or a whole copy; there is no way on with a broken chain.',
    )
  }
  return (value) => {
    const { body, own } = wire.body(topic, value)
    const decode = () => wire.decode(topic, value) as AcceptedBatch
    // Another version may have other fields behind those that every version begins with.
    const head = orBroken(() => (own ? readHead(body) : decode())) ?? broken(`after sequence ${before?.seq ?? 0}`)
    if (head.kind === 'marker' && head.seq === 0) return undefined
    const follows =
      before === undefined || (head.seq === before.seq + 1 && Buffer.compare(head.prev, before.hash) === 0)
    if (head.kind !== 'batch' || !follows || !sound(body)) broken(`at sequence ${head.seq}`)
    before = head
    const floors = floorsAfter(head, brief)
    return {
      head,
      floors,
      cells: () => toCellValues(decode().tables),
      foldInto: (fold) => {
        fold.dropBelow(floors)
        if (own) return scanCells(body, sinkOf(fold, body))
        for (const { table, cells } of decode().tables) {
          fold.table(table)
          for (const { index, day, value: bytes } of cells) fold.put(index, day, bytes, 0, bytes.length)
        }
      },
    }
  }
}

/** What is no record of the schema is no link either. */
function orBroken<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof CodecError) return undefined
    throw error
  }
}

const sinkOf = (fold: CellFold, body: Uint8Array) => ({
  table: fold.table,
  cell: (index: number, day: number, from: number, to: number) => fold.put(index, day, body, from, to),
})

/** Whether the hash in a link is the one of its bytes, where those of the hash itself count as zero. */
function sound(body: Uint8Array): boolean {
  const at = hashPlace(body)
  const after = at + genesis.length
  const digest = createHash('sha256').update(body.subarray(0, at)).update(genesis).update(body.subarray(after)).digest()
  return digest.compare(body, at, after) === 0
}
