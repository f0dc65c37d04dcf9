import { randomBytes } from 'node:crypto'
import type { StateView, ViewPosition } from '../../connectors/contract.ts'
import type { LinkHead } from '../../schemas/accepted-link.ts'
import { type FoldedChain, hex, type ReadLink, type Tail } from './chain-reader.ts'

export interface SyncOptions {
  readonly scope: string
  readonly view: StateView
  /** Reads the changelog from its end back to a link, or as far as may be held. */
  readonly tail: (backTo: number) => Promise<Tail>
  /** Reads the whole retained changelog; called for a rebuild only. */
  readonly whole: () => Promise<FoldedChain>
}

export interface Synced {
  /** The end of the changelog, where the view stands now; undefined if it has no link. */
  readonly last: LinkHead | undefined
  readonly position: ViewPosition
  readonly how: 'current' | 'replayed' | 'rebuilt'
}

/**
 * Brings the view to the end of the changelog: behind by links that may be held, they are applied; farther behind, ahead,
 * empty or on another chain, it is rebuilt under a new generation. What is expected always comes from the changelog, never
 * from the view.
 */
export async function syncView({ scope, view, tail, whole }: SyncOptions): Promise<Synced> {
  for (;;) {
    const actual = await view.position(scope)
    if (actual) {
      const { last, after } = await tail(actual.seq)
      const missing = after(actual.seq, actual.hash)
      if (missing) {
        const position = await replay(view, scope, actual, missing)
        if (position) return { last, position, how: missing.length > 0 ? 'replayed' : 'current' }
        continue
      }
    }
    const folded = await whole()
    const position = await rebuild(view, scope, actual, folded)
    if (position) return { last: folded.last, position, how: 'rebuilt' }
  }
}

async function replay(
  view: StateView,
  scope: string,
  from: ViewPosition,
  missing: readonly ReadLink[],
): Promise<ViewPosition | undefined> {
  let at = from
  for (const { head, floors, cells } of missing) {
    const apply = { seq: head.seq, hash: hex(head.hash), ...floors, cells: cells() }
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
  { last, cells }: FoldedChain,
): Promise<ViewPosition | undefined> {
  const to = { gen: randomBytes(8).toString('hex'), seq: last?.seq ?? 0, hash: last ? hex(last.hash) : '' }
  return (await view.reset(scope, actual, to, cells())) === 'ok' ? to : undefined
}
