/** What makes a set of households large and varied enough. */
export interface Threshold {
  readonly k: number
  /** Fewest distinct sensitive values; 1 for no rule. */
  readonly l: number
}

/** Households that share a class now and shared one in the previous epoch. */
export interface Cell {
  readonly code: number
  readonly earlier: number
  /** Whether they were not there in the previous epoch: see `arrivalsAt`. */
  readonly isArrival: boolean
  homes: number
  readonly sensitive: Set<number> | undefined
}

export const isEnough = ({ k, l }: Threshold, homes: number, sensitive: ReadonlySet<number> | undefined): boolean =>
  homes >= k && (l <= 1 || (sensitive?.size ?? 0) >= l)

/** Cells that are told nothing by themselves. */
export interface Suppressed {
  /** Those told nothing of. */
  readonly hidden: ReadonlySet<Cell>
  /** Those of too few arrivals, which count for nothing: they are told like newcomers. */
  readonly uncounted: ReadonlySet<Cell>
}

/**
 * Which cells must be told nothing of, so that every remaining one is enough by itself. Nothing told is a class as well:
 * it must be enough, in all and for each class of the previous epoch that falls into it, or it stands out; so more
 * cells join it, the smallest first. Only where a whole earlier class is left with too few can it not be enough.
 *
 * Arrivals that are too few are no part of it. Replayed frames of before they came are told what those were told who were
 * there, who go on to be told something: nothing told of arrivals would set them apart, and cost a cell of the others. So
 * they do not count yet, like whoever comes a day later.
 */
export function suppressCells(all: readonly Cell[], threshold: Threshold): Suppressed {
  const small = all.filter(({ homes, sensitive }) => !isEnough(threshold, homes, sensitive))
  const hidden = new Set(small.filter(({ isArrival }) => !isArrival))
  const uncounted = new Set(small.filter(({ isArrival }) => isArrival))
  if (hidden.size === 0) return { hidden, uncounted }
  const cells = all.filter((cell) => !uncounted.has(cell))
  const enough = (some: Iterable<Cell>): boolean => {
    let homes = 0
    const sensitive = new Set<number>()
    for (const cell of some) {
      homes += cell.homes
      if (threshold.l > 1) for (const value of cell.sensitive ?? []) sensitive.add(value)
    }
    return isEnough(threshold, homes, sensitive)
  }
  const smallestFirst = (a: Cell, b: Cell): number => a.homes - b.homes || a.code - b.code || a.earlier - b.earlier
  const shownOf = new Map<number, Cell[]>()
  const hiddenOf = new Map<number, Cell[]>()
  for (const cell of cells) {
    const side = hidden.has(cell) ? hiddenOf : shownOf
    const list = side.get(cell.earlier)
    if (list === undefined) side.set(cell.earlier, [cell])
    else list.push(cell)
  }
  for (const [earlier, members] of hiddenOf) {
    // One shown cell is enough by itself, so that one more always suffices.
    if (enough(members)) continue
    const next = shownOf.get(earlier)?.sort(smallestFirst)[0]
    if (next) hidden.add(next)
  }
  if (!enough(hidden)) {
    const next = cells.filter((cell) => !hidden.has(cell)).sort(smallestFirst)[0]
    if (next) hidden.add(next)
  }
  return { hidden, uncounted }
}
