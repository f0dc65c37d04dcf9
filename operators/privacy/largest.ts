/** The three largest of some values, in Wh, the largest first: for the dominance rules of the restricted side. */
export interface Largest {
  readonly largestWh: number
  readonly secondWh: number
  readonly thirdWh: number
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** Puts a value among the three largest. Answers whether it is one of them; one as large as the third is not. */
export function rankAmong(all: Writable<Largest>, wh: number): boolean {
  if (wh <= all.thirdWh) return false
  if (wh <= all.secondWh) all.thirdWh = wh
  else {
    all.thirdWh = all.secondWh
    if (wh <= all.largestWh) all.secondWh = wh
    else {
      all.secondWh = all.largestWh
      all.largestWh = wh
    }
  }
  return true
}

/** Puts those of another set, of which its own three largest are known, among the three largest. */
export function rankAll(all: Writable<Largest>, other: Largest): void {
  // The largest first, so that nothing of the rest is looked at where it is too small.
  if (rankAmong(all, other.largestWh) && rankAmong(all, other.secondWh)) rankAmong(all, other.thirdWh)
}

/** The three largest of two sets of values, of which each knows its three largest. */
export function largestOf({ largestWh, secondWh, thirdWh }: Largest, other: Largest): Largest {
  const all = { largestWh, secondWh, thirdWh }
  rankAll(all, other)
  return all
}
