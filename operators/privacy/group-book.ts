import { byLevel, type Level } from '../../schemas/register-entry.ts'

/** The groups of a measuring point as small numbers, from 0: each names one group of one level. */
export type GroupPath = Readonly<Record<Level, number>>

/** Numbers public groups as they come, so that what is kept by group can be an array. */
export interface GroupBook {
  /** The same for the same four names, whoever holds them. Valid until `begin`. */
  readonly pathOf: (groups: Readonly<Record<Level, string>>) => GroupPath
  /** Every number so far is below it. */
  readonly size: () => number
  /** Starts anew where more groups have been seen than a register holds: epochs of many years may name ever new ones. */
  readonly begin: () => void
}

interface Known extends GroupPath {
  readonly names: Readonly<Record<Level, string>>
}

/** An empty book. `most` is the number of groups from which `begin` forgets them all; default 262,144. */
export function groupBook(most = 262_144): GroupBook {
  const numbers = byLevel(() => new Map<string, number>())
  // By feeder: of all lookups the one that tells most, and nearly always all points of a feeder lie in the same groups above.
  const paths = new Map<string, Known>()
  let size = 0
  const numberOf = (level: Level, group: string): number => {
    const known = numbers[level].get(group)
    if (known !== undefined) return known
    numbers[level].set(group, size)
    return size++
  }
  return {
    pathOf: (groups) => {
      const known = paths.get(groups.feeder)
      if (known !== undefined && (known.names === groups || areSame(known.names, groups))) return known
      const { utility, region, substation, feeder } = groups
      // The very object, since points of a feeder mostly share it: then nothing of the names is looked at.
      const path: Known = {
        utility: numberOf('utility', utility),
        region: numberOf('region', region),
        substation: numberOf('substation', substation),
        feeder: numberOf('feeder', feeder),
        names: groups,
      }
      paths.set(feeder, path)
      return path
    },
    size: () => size,
    begin: () => {
      if (size < most) return
      for (const known of Object.values(numbers)) known.clear()
      paths.clear()
      size = 0
    },
  }
}

const areSame = (a: Readonly<Record<Level, string>>, b: Readonly<Record<Level, string>>): boolean =>
  a.utility === b.utility && a.region === b.region && a.substation === b.substation
