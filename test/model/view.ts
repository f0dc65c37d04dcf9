/** The state view: cells under a position, and generations that are being written. */
export interface Position {
  readonly gen: number
  readonly seq: number
  readonly hash: number
}

export type Cells = Map<number, number>

/** A generation that is being written: its cells, and how many parts of it have come. */
export interface Draft {
  parts: number
  readonly cells: Cells
}

export interface Scope {
  position: Position | undefined
  cells: Cells
  readonly drafts: Map<number, Draft>
}

export interface Link {
  readonly seq: number
  readonly prev: number
  readonly hash: number
  readonly inTo: number
  readonly floorDay: number
  readonly progress: number
  /** Absolute values of the cells that the batch changed. */
  readonly cells: readonly (readonly [key: number, mask: number])[]
}

export interface Checks {
  readonly compareAndSet: boolean
  readonly hash: boolean
  readonly wholeGeneration: boolean
}

export const emptyScope = (): Scope => ({ position: undefined, cells: new Map(), drafts: new Map() })

export const daysPerKey = 1_000
export const keyOf = (index: number, day: number): number => index * daysPerKey + day
const dayOf = (key: number): number => key % daysPerKey

function stands(scope: Scope, at: Position, checks: Checks): boolean {
  const { position } = scope
  if (!checks.compareAndSet) return true
  return (
    position !== undefined &&
    position.gen === at.gen &&
    position.seq === at.seq &&
    (!checks.hash || position.hash === at.hash)
  )
}

/** Applies a link if the view stands where it must, or stands at the link already; then looks cells up. */
export function exchange(
  scope: Scope,
  expected: Position,
  apply: Link | undefined,
  lookup: readonly number[],
  checks: Checks,
): number[] | undefined {
  if (apply) {
    const to = { gen: expected.gen, seq: apply.seq, hash: apply.hash }
    if (!stands(scope, to, { ...checks, compareAndSet: true })) {
      if (!stands(scope, expected, checks)) return undefined
      for (const [key, mask] of apply.cells) scope.cells.set(key, mask)
      for (const key of scope.cells.keys()) if (dayOf(key) < apply.floorDay) scope.cells.delete(key)
      scope.position = to
    }
  } else if (!stands(scope, expected, checks)) return undefined
  return lookup.map((key) => scope.cells.get(key) ?? 0)
}

/**
 * Writes the part with number `part` of a new generation. It must follow the one before it: a view that was lost or went
 * back since then lacks that one. Answers whether it was written.
 */
export function writePart(
  scope: Scope,
  gen: number,
  part: number,
  cells: readonly (readonly [number, number])[],
  checks: Checks,
): boolean {
  let draft = scope.drafts.get(gen)
  if (part === 0 || (!draft && !checks.wholeGeneration)) {
    draft = { parts: 0, cells: new Map() }
    scope.drafts.set(gen, draft)
  }
  if (!draft || (checks.wholeGeneration && draft.parts !== part)) return false
  for (const [key, mask] of cells) draft.cells.set(key, mask)
  draft.parts += 1
  return true
}

/** Switches to a generation of `parts` parts if the view still stands at `from`. */
export function switchTo(
  scope: Scope,
  from: Position | undefined,
  to: Position,
  parts: number,
  checks: Checks,
): boolean {
  const { position } = scope
  if (position?.gen !== from?.gen || position?.seq !== from?.seq || position?.hash !== from?.hash) return false
  const draft = scope.drafts.get(to.gen)
  if (!draft || (checks.wholeGeneration && draft.parts !== parts)) return false
  scope.cells = draft.cells
  scope.position = to
  scope.drafts.clear()
  return true
}

export function copyOf({ position, cells, drafts }: Scope): Scope {
  const copies = [...drafts].map(([gen, draft]) => [gen, { parts: draft.parts, cells: new Map(draft.cells) }] as const)
  return { position, cells: new Map(cells), drafts: new Map(copies) }
}
