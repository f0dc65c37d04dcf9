import { type Held, nobody, registeredIn, together } from './rules.ts'
import type { GroupTree } from './tree.ts'

/** What is to be hidden in a tree of groups; everything by position, a whole before its parts. */
export interface Cells<R extends string> {
  readonly tree: GroupTree
  /** What each group holds. */
  readonly own: readonly Held[]
  /** Nobody is in it, which is public: it hides nothing. */
  readonly empty: readonly boolean[]
  /** Whether a sum may be seen. Two that do not overlap and may be seen may be seen together. */
  readonly keeps: (held: Held) => boolean
  /** Why a group is hidden for its own sake, or `null`. Gets what else must be hidden. */
  readonly result: (R | null)[]
  /** The reason to give for what is hidden for others' sake. */
  readonly complementary: R
  /** The reason of groups that must not be what is left either, nor the sum of shown parts. */
  readonly pinned: R
  /** Groups that stay shown, since what they hold is known already. Default: none. */
  readonly fixed?: readonly boolean[]
}

/**
 * Hides more groups until no hidden one can be found by subtraction, and says so in `result`.
 *
 * What can be computed from the shown cells of a tree are the sums of its *remainders*, and nothing else: the remainder of
 * a shown group is what of it lies in no shown part. So every remainder that is not empty must be one that may be seen by
 * itself. More parts are hidden until it is, those with the fewest registered points first, so that the choice follows the
 * register and not the window; narrow groups give way to wide ones.
 *
 * A group with the reason `pinned` must not be what is left, either, nor the sum of its shown parts.
 */
export function hideCells<R extends string>(cells: Cells<R>): void {
  const open = new Array<Held>(cells.result.length)
  // Parts stand after their wholes, so that a whole is settled after all of its parts.
  for (let i = cells.result.length - 1; i >= 0; i--) settle(cells, open, i)
  showComputable(cells)
}

/** `open`: what of a group lies in none of its shown parts. */
function settle<R extends string>(cells: Cells<R>, open: Held[], at: number): void {
  const { tree, keeps, own, empty, result, complementary, pinned, fixed } = cells
  const parts = tree.parts[at]!
  const remainder = parts.length === 0 ? (empty[at] ? nobody : own[at]!) : hiddenIn(result, open, parts)
  open[at] = remainder
  if (parts.length === 0) return
  // A sum of zero says that each of its parts is zero.
  const isSafe = (held: Held): boolean =>
    result[at] === null
      ? held.groups === 0 || (held.exactWh > 0 && keeps(held) && !pinsUnsteady(cells, at, held.groups))
      : held.groups > 0 || empty[at]! || result[at] !== pinned
  if (isSafe(remainder)) return
  // The widest shown groups below, also those under hidden ones; what is under a shown one follows when that is hidden.
  const shownIn = (all: readonly number[]): number[] =>
    all.flatMap((part) => (result[part] !== null ? shownIn(tree.parts[part]!) : fixed?.[part] ? [] : [part]))
  const candidates = shownIn(parts)
  const helpers: number[] = []
  let all = remainder
  while (!isSafe(all) && candidates.length > 0) {
    const next = takeSmallest(candidates, own)
    result[next] = complementary
    helpers.push(next)
    all = together(all, open[next]!)
    candidates.push(...shownIn(tree.parts[next]!))
  }
  if (isSafe(all)) {
    open[at] = all
    return
  }
  if (fixed?.[at]) throw new RangeError('a group is shown in short windows although what is left of it may not be seen')
  for (const helper of helpers) result[helper] = null
  result[at] ??= complementary
}

/** Whether all that a remainder of that many groups hides is one group whose membership must not show. */
function pinsUnsteady<R extends string>(cells: Cells<R>, at: number, groups: number): boolean {
  const { tree, empty, result, pinned } = cells
  const hiddenUnder = (i: number): { readonly groups: number; readonly pinned: boolean } => {
    const parts = tree.parts[i]!.filter((part) => result[part] !== null).map(hiddenUnder)
    const count = tree.parts[i]!.length === 0 ? (empty[i] ? 0 : 1) : parts.reduce((sum, part) => sum + part.groups, 0)
    const pins = result[i] === pinned && count === groups
    return { groups: count, pinned: pins || parts.some((part) => part.pinned) }
  }
  return groups > 0 && tree.parts[at]!.some((part) => result[part] !== null && hiddenUnder(part).pinned)
}

function hiddenIn(result: readonly (string | null)[], open: readonly Held[], parts: readonly number[]): Held {
  return parts.reduce((sofar, part) => (result[part] === null ? sofar : together(sofar, open[part]!)), nobody)
}

function takeSmallest(candidates: number[], own: readonly Held[]): number {
  let best = 0
  candidates.forEach((each, i) => {
    const order = registeredIn(own[each]!) - registeredIn(own[candidates[best]!]!) || each - candidates[best]!
    if (order < 0) best = i
  })
  return candidates.splice(best, 1)[0]!
}

/** Shows what the shown cells give away anyway: hiding it would only pretend to. */
function showComputable<R extends string>({ tree, empty, result, complementary }: Cells<R>): void {
  const owner = new Int32Array(result.length)
  const owned = new Map<number, number>()
  const count = new Int32Array(result.length)
  for (let i = 0; i < result.length; i++) {
    const whole = tree.whole[i]!
    owner[i] = result[i] === null ? i : whole < 0 ? -1 : owner[whole]!
    const isPart = tree.parts[i]!.length === 0 && !empty[i]
    if (isPart) owned.set(owner[i]!, (owned.get(owner[i]!) ?? 0) + 1)
    count[i] = isPart ? 1 : 0
  }
  for (let i = result.length - 1; i >= 0; i--) {
    const whole = tree.whole[i]!
    if (result[i] === null) continue
    const computable = count[i] === 0 || (owner[i]! >= 0 && count[i] === owned.get(owner[i]!))
    if (computable && tree.parts[i]!.length > 0 && result[i] === complementary) {
      result[i] = null
      owned.set(i, count[i]!)
      if (count[i]! > 0) owned.set(owner[i]!, 0)
      continue
    }
    if (whole >= 0) count[whole]! += count[i]!
  }
}
