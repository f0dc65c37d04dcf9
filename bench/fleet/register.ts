import type { Register, RegisteredGroup } from '../../operators/contract/register.ts'
import type { EpochMs } from '../../schemas/codec.ts'
import { type Level, levels, type RegisterEntry } from '../../schemas/register-entry.ts'
import { homeOfConnection, homeOfTitle, type MeterMix, meterOf, type RegisterOptions, registerEntry } from './meters.ts'

/** A register over entries held in memory. Groups count the points whose newest entry is not closed. */
export function fleetRegister(entries: readonly RegisterEntry[]): Register {
  const byConnection = new Map<string, RegisterEntry[]>()
  const byTitle = new Map<string, RegisterEntry[]>()
  const put = (map: Map<string, RegisterEntry[]>, key: string, entry: RegisterEntry): void => {
    const list = map.get(key)
    if (list === undefined) map.set(key, [entry])
    else list.push(entry)
  }
  for (const entry of entries) {
    put(byConnection, entry.connection, entry)
    put(byTitle, entry.systemTitle, entry)
  }
  const validAt = (list: readonly RegisterEntry[] | undefined, at: EpochMs): RegisterEntry | undefined =>
    list?.find((entry) => entry.validFrom <= at && (entry.validTo === null || at < entry.validTo))
  let counted: Readonly<Record<Level, readonly RegisteredGroup[]>> | undefined
  return {
    byConnection: (connection, at) => validAt(byConnection.get(connection), at),
    byTitle: (systemTitle, at) => validAt(byTitle.get(systemTitle), at),
    groups: (level) => {
      counted ??= countGroups(entries)
      return counted[level]
    },
  }
}

function countGroups(entries: readonly RegisterEntry[]): Readonly<Record<Level, readonly RegisteredGroup[]>> {
  const result = { utility: [], region: [], substation: [], feeder: [] } as Record<Level, RegisteredGroup[]>
  const open = entries.filter((entry) => entry.validTo === null)
  for (const level of levels) {
    const above = levels[levels.indexOf(level) - 1]
    const groups = new Map<
      string,
      { residential: number; other: number; parent: string | null; zone: string; timeZone: string }
    >()
    for (const { groups: names, customerClass, zone, timeZone } of open) {
      const count = groups.get(names[level]) ?? {
        residential: 0,
        other: 0,
        parent: above === undefined ? null : names[above],
        zone,
        timeZone,
      }
      groups.set(names[level], count)
      if (customerClass === 'residential') count.residential++
      else count.other++
    }
    result[level] = [...groups].map(([group, count]) => ({ group, level, ...count }))
  }
  return result
}

/**
 * A register for very many meters without exchanges: entries are computed when asked for and kept, so that a million
 * meters need no memory until they speak.
 */
export function computedRegister(
  options: RegisterOptions & { readonly homes: number; readonly meterMix: MeterMix; readonly validFrom: EpochMs },
): Register & { readonly entryOf: (home: number) => RegisterEntry } {
  const { seed, homes, meterMix, validFrom, topology, zone, timeZone } = options
  const kept: (RegisterEntry | undefined)[] = new Array(homes)
  const entryOf = (home: number): RegisterEntry => {
    const known = kept[home]
    if (known !== undefined) return known
    const made = registerEntry(options, meterOf(seed, home, 0, meterMix), validFrom, null)
    kept[home] = made
    return made
  }
  const entryAt = (home: number | undefined, at: EpochMs): RegisterEntry | undefined =>
    home === undefined || home >= homes || at < validFrom ? undefined : entryOf(home)
  return {
    entryOf,
    byConnection: (connection, at) => entryAt(homeOfConnection(seed, connection), at),
    byTitle: (systemTitle, at) => entryAt(homeOfTitle(seed, systemTitle), at),
    groups: (level) =>
      topology.groups(level).map((group) => {
        const [from, to] = topology.homesOf(level, group) ?? [0, 0]
        const above = levels[levels.indexOf(level) - 1]
        const parent = above === undefined ? null : topology.groupsOf(from)[above]
        return { group, level, parent, zone, timeZone, residential: to - from, other: 0 }
      }),
  }
}
