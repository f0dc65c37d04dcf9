import type { Generalisation, Told } from '../../../../operators/privacy/k-anonymize/index.ts'
import type { RegisterEntry } from '../../../../schemas/register-entry.ts'
import { householdOf } from './registers.ts'

/** What the definition is stated over: who is told what, in which zone, and what was told of them before. */
export interface Stated {
  readonly entry: RegisterEntry
  readonly told: Told
  readonly before: string | undefined
  /** Whether it had no entry in the previous epoch, so that `before` is what records of then would be told. */
  readonly isArrival?: boolean
}

/** Those of each name. */
const groups = (stated: readonly Stated[], name: (one: Stated) => string): ReadonlyMap<string, readonly Stated[]> =>
  Map.groupBy(stated, name)

/** How many households have a measuring point among these. */
const households = (some: readonly Stated[]): number => new Set(some.map(({ entry }) => householdOf(entry))).size

const nameOf = ({ entry, told }: Stated): string => JSON.stringify([entry.zone, Object.entries(told).sort()])
const isNothing = ({ told }: Stated): boolean => Object.values(told).every((name) => name === '*')
const joint = (one: Stated): string => JSON.stringify([one.isArrival ?? false, one.before ?? '', nameOf(one)])
const earlier = ({ entry, before, isArrival = false }: Stated): string =>
  JSON.stringify([entry.zone, isArrival, before])

/**
 * The definition, word by word: whoever is told something is told the same as at least k - 1 other households of the zone,
 * and with the previous epoch known as well. So are those told nothing of, unless there is nobody left to hide among: fewer
 * than k in the zone, or all that is left of a class of the previous epoch. Who was not there in the previous epoch is no
 * company in the two for those who were, nor they for them. Answers what breaks it.
 */
export function violations(stated: readonly Stated[], k: number): string[] {
  const found: string[] = []
  const zones = groups(stated, ({ entry }) => entry.zone)
  const now = groups(stated, nameOf)
  const both = groups(stated, joint)
  const remaining = groups(stated, earlier)
  for (const one of stated) {
    const { connection, zone } = one.entry
    const alike = now.get(nameOf(one))!
    if (households(alike) < k && !(isNothing(one) && alike.length === zones.get(zone)!.length)) {
      found.push(`${connection} is told like ${households(alike)}`)
    }
    const together = both.get(joint(one))!
    if (households(together) < k && !(isNothing(one) && together.length === remaining.get(earlier(one))!.length)) {
      found.push(`${connection} is told like ${households(together)} over two epochs`)
    }
  }
  return found
}

/**
 * The same for newcomers, among those who count. Each is told what at least k households are, which were told what it was
 * told before. If no such k are left, then what says nothing of it: nothing, if k households are told nothing of or nobody
 * is told anything, and else what most are told.
 */
export function newcomerViolations(newcomers: readonly Stated[], counted: readonly Stated[], k: number): string[] {
  const found: string[] = []
  for (const one of newcomers) {
    const there = counted.filter(({ entry }) => entry.zone === one.entry.zone)
    const size = (name: string): number => households(there.filter((other) => nameOf(other) === name))
    const names = [...new Set(there.map(nameOf))]
    const company = there.filter(
      ({ before, isArrival = false }) => one.before === undefined || (before === one.before && !isArrival),
    )
    const fit = names.filter((name) => households(company.filter((other) => nameOf(other) === name)) >= k)
    if (fit.includes(nameOf(one))) continue
    const shown = there.filter((other) => !isNothing(other))
    const silent = there.length === shown.length ? 0 : households(there.filter(isNothing))
    const most = Math.max(...shown.map((other) => size(nameOf(other))))
    const isSafe = shown.length === 0 || silent >= k ? isNothing(one) : size(nameOf(one)) === most
    if (fit.length > 0 || !isSafe) found.push(`${one.entry.connection} is told ${nameOf(one)}`)
  }
  return found
}

/** What part of a household a point counts as, told again: 1 over the least power of two that is no less than its points. */
function partOf({ pointsAtConnection }: RegisterEntry): number {
  let power = 1
  while (power < pointsAtConnection) power *= 2
  return 1 / power
}

/** How many households entries count as. */
export const weight = (entries: readonly RegisterEntry[]): number =>
  entries.reduce((sum, entry) => sum + partOf(entry), 0)

/** Every way to choose a step per attribute. */
export function allSteps(hierarchies: readonly Generalisation[]): readonly (readonly number[])[] {
  return hierarchies.reduce<number[][]>(
    (sofar, { steps }) => sofar.flatMap((place) => Array.from({ length: steps }, (_, step) => [...place, step])),
    [[]],
  )
}

/**
 * The least loss that any choice of steps allows in one zone without previous epoch, found by trying all: a class of fewer
 * than k is told nothing of; if those are fewer than k together, the smallest class joins them; choices that tell nothing
 * of more than `most` are out, but for the last one. Where several smallest classes are equally large, any of them may join:
 * answers the least loss if the best one always does, and if the worst one does.
 */
export function leastLoss(
  entries: readonly RegisterEntry[],
  hierarchies: readonly Generalisation[],
  k: number,
  most: number,
): readonly [best: number, worst: number] {
  const domains = hierarchies.map(({ attribute }) => [...new Set(entries.map((entry) => entry[attribute]))])
  const lossOf = (entry: RegisterEntry, i: number, step: number): number => {
    const { attribute, told } = hierarchies[i]!
    const name = told(entry[attribute], step)
    if (step > 0 && name === '*') return 1
    const alike = domains[i]!.filter((value) => told(value, step) === name).length
    return domains[i]!.length === 1 ? 0 : (alike - 1) / (domains[i]!.length - 1)
  }
  let [best, worst] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (const steps of allSteps(hierarchies)) {
    const classes = Object.values(
      Object.groupBy(entries, (entry) =>
        JSON.stringify(hierarchies.map(({ attribute, told }, i) => told(entry[attribute], steps[i]!))),
      ),
    ).map((members) => members!)
    const small = classes.filter((members) => weight(members) < k)
    const large = classes.filter((members) => weight(members) >= k).sort((a, b) => weight(a) - weight(b))
    const few = weight(small.flat())
    const joining = few > 0 && few < k ? large.filter((members) => weight(members) === weight(large[0]!)) : []
    const isLast = steps.every((step, i) => step === hierarchies[i]!.steps - 1)
    const losses = (joining.length > 0 ? joining : [undefined]).map((extra) => {
      const hidden = few + weight(extra ?? [])
      if (hidden > most && !isLast) return Number.POSITIVE_INFINITY
      const shown = large.filter((members) => members !== extra).flat()
      const lost = shown.flatMap((entry) => steps.map((step, i) => lossOf(entry, i, step) * partOf(entry)))
      const loss = lost.reduce((sum, each) => sum + each, hidden * hierarchies.length)
      return loss / (weight(entries) * hierarchies.length)
    })
    best = Math.min(best, ...losses)
    worst = Math.min(worst, Math.max(...losses))
  }
  return [best, worst]
}
