import type { StateRow } from '../../operators/contract/operator.ts'
import type { Published } from '../../operators/contract/published.ts'
import { publish } from '../../operators/privacy/publish.ts'
import type { ReleaseState } from '../../operators/privacy/release/state.ts'
import type { ReleaseOutput } from '../../operators/privacy/release-totals.ts'
import type { LedgerRecord } from '../../schemas/ledger-record.ts'
import type { LoadPartial } from '../../schemas/load-partial.ts'
import type { LoadPublic } from '../../schemas/load-public.ts'
import type { LoadRestricted } from '../../schemas/load-restricted.ts'
import { topics } from '../../schemas/topics.ts'
import { collector, context, domain, envelope, type ReleaseOperator } from './release-fixtures.ts'

/**
 * What becomes of a transaction: it commits; it is lost, and with it the process; it commits and the process dies before
 * it hears of it.
 */
export type Fate = 'commit' | 'lose' | 'commit and die'

/** What the log holds after a run. `attempted` also has the links of lost transactions. */
export interface DrivenLog {
  readonly rows: Map<string, Uint8Array>
  readonly ledger: LedgerRecord[]
  readonly restricted: LoadRestricted[]
  readonly attempted: LedgerRecord[]
  readonly transactions: number
}

export interface DriveOptions {
  readonly operator: ReleaseOperator
  readonly partials: readonly LoadPartial[]
  /** Sizes of the batches, used in turn. Default 1. */
  readonly batches?: readonly number[]
  /** Fate of the n-th transaction, from 0. Default `commit`. */
  readonly fate?: (transaction: number) => Fate
  /** Whether rows are written with every transaction, or only with those that emit. Default `every`. */
  readonly rows?: 'every' | 'emitting'
  /** Sees the state after each restore; tests plant their bugs here. */
  readonly restored?: (state: ReleaseState) => void
}

/**
 * Runs the operator as the runtime does, one transaction after another over a log in memory: rows and output commit
 * together, a lost transaction or a dead process means restore, and input is read again from where the rows stand.
 */
export function drive(options: DriveOptions): DrivenLog {
  const { operator, partials, batches = [1], fate = () => 'commit', rows: writeRows = 'every', restored } = options
  const log = { rows: new Map<string, Uint8Array>(), ledger: [], restricted: [], attempted: [], transactions: 0 } as {
    rows: Map<string, Uint8Array>
    ledger: LedgerRecord[]
    restricted: LoadRestricted[]
    attempted: LedgerRecord[]
    transactions: number
  }
  let standsFor = 0
  let batchNumber = 0
  const restore = (): ReleaseState => {
    const state = operator.restore(rowsOf(log.rows), log.ledger)
    restored?.(state)
    return state
  }
  let state = restore()
  let position = 0
  let held = false
  while (position < partials.length || held) {
    const size: number = held ? 0 : batches[batchNumber++ % batches.length]!
    const batch = partials.slice(position, position + size).map((value, i) => envelope(value, position + i))
    const out = collector<ReleaseOutput>()
    held = operator.process(batch, state, out, context) === 'more'
    position += batch.length
    const links = out.values.flatMap((output) => (output.to === 'ledger' ? [throughCodec(output.record)] : []))
    const writes = writeRows === 'every' || links.length > 0
    const changed = writes ? operator.changed(state) : []
    log.attempted.push(...links)
    const outcome = fate(log.transactions++)
    if (outcome !== 'lose') {
      log.ledger.push(...links)
      log.restricted.push(...out.values.flatMap((output) => (output.to === 'restricted' ? [output.record] : [])))
      for (const { row, body } of changed) {
        if (body) log.rows.set(row, body)
        else log.rows.delete(row)
      }
      if (writes) standsFor = position
    }
    if (outcome !== 'commit') {
      state = restore()
      position = standsFor
      // After an assignment the runtime calls at least once, also without input.
      held = true
    }
  }
  return log
}

/** A link as a reader of release.ledger gets it. */
function throughCodec(link: LedgerRecord): LedgerRecord {
  return topics.releaseLedger.codec.decode(topics.releaseLedger.codec.encode(link))
}

/** Rows as a compacted topic gives them back. */
export function rowsOf(rows: ReadonlyMap<string, Uint8Array>): readonly StateRow[] {
  return [...rows].map(([row, body]) => ({ row, body }))
}

/**
 * Runs [publish] over a ledger, two links to a transaction, and answers every copy that a read_uncommitted reader of
 * load.public sees: those of lost transactions too. After a death the ledger is read from its first link again.
 */
export function drivePublish(
  ledger: readonly LedgerRecord[],
  fate: (transaction: number) => Fate = () => 'commit',
): readonly Published<LoadPublic>[] {
  const { codec } = topics.loadPublic
  const operator = publish({ codec, domain: domain.name })
  const visible: Published<LoadPublic>[] = []
  const committed: Published<LoadPublic>[] = []
  const restore = () =>
    operator.restore(
      [],
      committed.slice(-1).map(({ bytes }) => codec.decode(bytes)),
    )
  let state = restore()
  for (let position = 0, n = 0; position < ledger.length; n++) {
    const out = collector<Published<LoadPublic>>()
    const batch = ledger.slice(position, position + 2)
    operator.process(batch.map(envelope), state, out, context)
    position += batch.length
    visible.push(...out.values)
    const outcome = fate(n)
    if (outcome !== 'lose') committed.push(...out.values)
    if (outcome === 'commit') continue
    state = restore()
    position = 0
  }
  return visible
}
