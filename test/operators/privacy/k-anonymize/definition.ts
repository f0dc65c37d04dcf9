import type { Generalisation, Told } from '../../../../operators/privacy/k-anonymize/index.ts'
import type { RegisterEntry } from '../../../../schemas/register-entry.ts'

/** What the definition is stated over: who is told what, in which zone, and what was told of them before. */
export interface Stated {
  readonly entry: RegisterEntry
  readonly told: Told
  readonly before: string | undefined
}

const groupSizes = (names: readonly string[]): Map<string, number> => {
  const sizes = new Map<string, number>()
  for (const name of names) sizes.set(name, (sizes.get(name) ?? 0) + 1)
  return sizes
}

const nameOf = ({ entry, told }: Stated): string => JSON.stringify([entry.zone, Object.entries(told).sort()])
const isNothing = ({ told }: Stated): boolean => Object.values(told).every((name) => name === '*')

/**
 * The definition, word by word: whoever is told something is told the same as at least k - 1 others of the zone, and with
 * the previous epoch known as well. So are those told nothing of, unless there is nobody left to hide among: fewer than k
 * in the zone, or all that is left of a class of the previous epoch. Answers what breaks it.
 */
export function violations(stated: readonly Stated[], k: number): string[] {
  const found: string[] = []
  const zones = groupSizes(stated.map(({ entry }) => entry.zone))
  const now = groupSizes(stated.map(nameOf))
  const joint = (one: Stated): string => JSON.stringify([one.before ?? '', nameOf(one)])
  const both = groupSizes(stated.map(joint))
  const remaining = groupSizes(stated.map(({ entry, before }) => JSON.stringify([entry.zone, before ?? ''])))
  for (const one of stated) {
    const { entry, before } = one
    const alike = now.get(nameOf(one))!
    if (alike < k && !(isNothing(one) && alike === zones.get(entry.zone))) {
      found.push(`${entry.connection} is told like ${alike}`)
    }
    const together = both.get(joint(one))!
    const left = remaining.get(JSON.stringify([entry.zone, before ?? '']))!
    if (together < k && !(isNothing(one) && together === left)) {
      found.push(`${entry.connection} is told like ${together} over two epochs`)
    }
  }
  return found
}

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
    const small = classes.filter((members) => members.length < k)
    const large = classes.filter((members) => members.length >= k).sort((a, b) => a.length - b.length)
    const few = small.flat().length
    const joining = few > 0 && few < k ? large.filter(({ length }) => length === large[0]!.length) : []
    const isLast = steps.every((step, i) => step === hierarchies[i]!.steps - 1)
    const losses = (joining.length > 0 ? joining : [undefined]).map((extra) => {
      const hidden = few + (extra?.length ?? 0)
      if (hidden > most && !isLast) return Number.POSITIVE_INFINITY
      const shown = large.filter((members) => members !== extra).flat()
      const lost = shown.flatMap((entry) => steps.map((step, i) => lossOf(entry, i, step)))
      const loss = lost.reduce((sum, each) => sum + each, hidden * hierarchies.length)
      return loss / (entries.length * hierarchies.length)
    })
    best = Math.min(best, ...losses)
    worst = Math.min(worst, Math.max(...losses))
  }
  return [best, worst]
}
