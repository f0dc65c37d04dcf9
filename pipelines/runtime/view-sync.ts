import { randomBytes } from 'node:crypto'
import type { CellValue, StateView, ViewPosition } from '../../connectors/contract.ts'
import type { AcceptedBatch } from '../../schemas/accepted-batch.ts'
import { toCellValues } from './batch-cells.ts'
import type { Changelog } from './changelog.ts'

export const dayMs = 86_400_000

/** First local day (days since 1970) whose cells may still be needed under a floor. One day of slack for time zones. */
export function floorDay(floor: number): number {
  return Math.floor(floor / dayMs) - 1
}

export interface SyncOptions {
  readonly scope: string
  readonly view: StateView
  /** Tables whose cells age. */
  readonly aged: ReadonlySet<string>
  /** Reads the whole retained changelog; called only for a rebuild. */
  readonly whole: () => Promise<Changelog>
}

export interface Synced {
  readonly position: ViewPosition
  readonly how: 'current' | 'replayed' | 'rebuilt'
}

/**
 * Brings the view to the end of the changelog: behind by known links, they are applied; ahead, empty or on another chain,
 * it is rebuilt under a new generation. What is expected always comes from the changelog, never from the view.
 */
export async function syncView(tail: Changelog, { scope, view, aged, whole }: SyncOptions): Promise<Synced> {
  for (;;) {
    const actual = await view.position(scope)
    const missing = actual && tail.after(actual.seq, actual.hash)
    if (actual && missing) {
      const position = await replay(view, scope, actual, missing)
      if (position) return { position, how: missing.length > 0 ? 'replayed' : 'current' }
      continue
    }
    const rebuilt = await rebuild(view, scope, actual, await whole(), aged)
    if (rebuilt) return { position: rebuilt, how: 'rebuilt' }
  }
}

const hex = (hash: Uint8Array): string => Buffer.from(hash).toString('hex')

async function replay(
  view: StateView,
  scope: string,
  from: ViewPosition,
  missing: readonly AcceptedBatch[],
): Promise<ViewPosition | undefined> {
  let at = from
  for (const one of missing) {
    const apply = { seq: one.seq, hash: hex(one.hash), floorDay: floorDay(one.floor), cells: toCellValues(one.tables) }
    const answer = await view.exchange(scope, { expected: at, apply, lookup: [] })
    if (answer.status !== 'ok') return undefined
    at = { gen: at.gen, seq: apply.seq, hash: apply.hash }
  }
  return at
}

async function rebuild(
  view: StateView,
  scope: string,
  actual: ViewPosition | undefined,
  { links, last }: Changelog,
  aged: ReadonlySet<string>,
): Promise<ViewPosition | undefined> {
  const lowest = last ? floorDay(last.floor) : 0
  const cells = new Map<string, CellValue>()
  for (const one of links) {
    for (const cell of toCellValues(one.tables)) {
      if (aged.has(cell.table) && cell.day < lowest) continue
      cells.set(`${cell.table}/${cell.index}/${cell.day}`, cell)
    }
  }
  const to = { gen: randomBytes(8).toString('hex'), seq: last?.seq ?? 0, hash: last ? hex(last.hash) : '' }
  return (await view.reset(scope, actual, to, cells.values())) === 'ok' ? to : undefined
}
