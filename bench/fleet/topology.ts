import type { Level } from '../../schemas/register-entry.ts'

/** How many groups there are at each level below the utility. */
export interface TopologySize {
  readonly homes: number
  readonly feeders: number
  readonly substations: number
  readonly regions: number
}

/** A tree of groups over homes. */
export interface Topology {
  readonly size: TopologySize
  /** Feeder of a home, from 0; neighbours have neighbouring numbers. */
  readonly feederOf: (home: number) => number
  /** Public names of a home's groups: `utility`, `region-1`, `substation-1-2`, `feeder-1-2-3`. */
  readonly groupsOf: (home: number) => Readonly<Record<Level, string>>
  /** First and last home (exclusive) of a group; `undefined` for a name that is none of ours. */
  readonly homesOf: (level: Level, group: string) => readonly [number, number] | undefined
  /** Names of a level's groups, in order. */
  readonly groups: (level: Level) => readonly string[]
}

/**
 * A tree of four levels over homes numbered from 0: each level divides the one below into runs of nearly equal length.
 * Throws when a level would have more groups than the one below, or a group would be empty.
 */
export function topologyOf(size: TopologySize): Topology {
  const { homes, feeders, substations, regions } = size
  const counts = [regions, substations, feeders, homes]
  const ordered = counts.every((n, i) => Number.isInteger(n) && n >= 1 && (i === 0 || n >= (counts[i - 1] as number)))
  if (!ordered) {
    throw new Error('a fleet needs whole numbers of regions <= substations <= feeders <= homes, each at least 1')
  }
  /** Which of `parents` runs the child belongs to. */
  const parentOf = (child: number, children: number, parents: number) => Math.floor((child * parents) / children)
  const firstOf = (parent: number, children: number, parents: number) => Math.ceil((parent * children) / parents)

  const feederGroups: Readonly<Record<Level, string>>[] = []
  const ranges = new Map<string, [number, number]>()
  const widen = (name: string, from: number, to: number): void => {
    const range = ranges.get(name)
    if (range === undefined) ranges.set(name, [from, to])
    else range[1] = to
  }
  for (let feeder = 0; feeder < feeders; feeder++) {
    const substation = parentOf(feeder, feeders, substations)
    const region = parentOf(substation, substations, regions)
    const feederNumber = feeder - firstOf(substation, feeders, substations) + 1
    const substationNumber = substation - firstOf(region, substations, regions) + 1
    const groups = {
      utility: 'utility',
      region: `region-${region + 1}`,
      substation: `substation-${region + 1}-${substationNumber}`,
      feeder: `feeder-${region + 1}-${substationNumber}-${feederNumber}`,
    }
    feederGroups.push(groups)
    const from = firstOf(feeder, homes, feeders)
    const to = firstOf(feeder + 1, homes, feeders)
    for (const [level, name] of Object.entries(groups)) widen(`${level}/${name}`, from, to)
  }
  const feederOf = (home: number) => parentOf(home, homes, feeders)
  return {
    size,
    feederOf,
    groupsOf: (home) => feederGroups[feederOf(home)] as Readonly<Record<Level, string>>,
    homesOf: (level, group) => ranges.get(`${level}/${group}`),
    groups: (level) => [...new Set(feederGroups.map((groups) => groups[level]))],
  }
}
