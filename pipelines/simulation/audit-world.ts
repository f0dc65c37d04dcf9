import { minutes } from '../../operators/contract/clock.ts'
import type { Register, RegisteredGroup } from '../../operators/contract/register.ts'
import { localDay } from '../../operators/window/local-day.ts'
import type { EpochMs } from '../../schemas/codec.ts'
import type { Channel } from '../../schemas/interval-reading.ts'
import { type Level, levels, type RegisterEntry } from '../../schemas/register-entry.ts'

/** One home of a world. Its feeder hangs below the one substation, region and utility that a world has. */
export interface AuditHome {
  readonly home: string
  readonly feeder: string
  /** The most energy that the fuse lets through in an hour, in Wh: C of a one-hour interval. */
  readonly fuseWhPerHour: number
}

/** One interval of one home, and when the log received it. */
export interface AuditReading {
  readonly home: string
  readonly channel: Channel
  /** Start of the interval, UTC. */
  readonly start: EpochMs
  readonly durationSeconds: number
  readonly wh: number
  readonly receivedAt: EpochMs
}

/** Everything that happens in one world of an audit: a few homes under a register, their readings, and how long time runs. */
export interface AuditWorld {
  readonly name: string
  /** IANA time zone that decides the local day. */
  readonly timeZone: string
  /** The first instant of the run, on the first local day that is released. */
  readonly from: EpochMs
  /** Time runs until then: what is due by then is released. */
  readonly until: EpochMs
  /** Points that the public register counts per feeder; those beyond the homes listed report nothing. */
  readonly registered: Readonly<Record<string, number>>
  readonly homes: readonly AuditHome[]
  readonly readings: readonly AuditReading[]
}

export const auditZone = 'audit'
const wide: Readonly<Record<Exclude<Level, 'feeder'>, string>> = {
  utility: 'utility-1',
  region: 'region-1',
  substation: 'substation-1',
}

/** The home as the register lists it: one point at its connection, all on partition 0. */
export function entryOf(world: AuditWorld, home: AuditHome): RegisterEntry {
  const index = world.homes.indexOf(home)
  return {
    point: `point-${home.home}`,
    connection: home.home,
    systemTitle: index.toString(16).toUpperCase().padStart(16, '0'),
    validFrom: 0,
    validTo: null,
    direction: 'both',
    partition: 0,
    index,
    groups: { ...wide, feeder: home.feeder },
    customerClass: 'residential',
    area: 'area-1',
    tariff: 'standard',
    heating: 'gas',
    dwelling: 'flat',
    timeZone: world.timeZone,
    zone: auditZone,
    profile: 'none',
    protection: 'none',
    keyRef: 'none',
    fuseWhPerHour: home.fuseWhPerHour,
    pointsAtConnection: 1,
  }
}

/** The register of a world: the same for two worlds with the same homes and counts. */
export function registerOf(world: AuditWorld): Register {
  const entries = new Map(world.homes.map((home) => [home.home, entryOf(world, home)]))
  const feeders = Object.keys(world.registered).sort()
  const total = feeders.reduce((sum, feeder) => sum + world.registered[feeder]!, 0)
  const group = (level: Level, name: string, residential: number): RegisteredGroup => {
    const above = levels[levels.indexOf(level) - 1]
    const parent = above === undefined || above === 'feeder' ? null : wide[above]
    return { level, group: name, parent, zone: auditZone, timeZone: world.timeZone, residential, other: 0 }
  }
  return {
    byConnection: (connection) => entries.get(connection),
    byTitle: () => undefined,
    groups: (level) =>
      level === 'feeder'
        ? feeders.map((feeder) => group(level, feeder, world.registered[feeder]!))
        : [group(level, wide[level], total)],
  }
}

/** The household-days, `home date`, whose readings two worlds do not share. */
export function differingDays(a: AuditWorld, b: AuditWorld): readonly string[] {
  const tell = ({ channel, start, durationSeconds, wh, receivedAt }: AuditReading): string =>
    [channel, start, durationSeconds, wh, receivedAt].join(' ')
  const byDay = (world: AuditWorld): ReadonlyMap<string, string> => {
    const days = new Map<string, string[]>()
    for (const reading of world.readings) {
      const name = `${reading.home} ${localDay(world.timeZone, reading.start).date}`
      days.set(name, [...(days.get(name) ?? []), tell(reading)])
    }
    return new Map([...days].map(([name, readings]) => [name, readings.sort().join('\n')]))
  }
  const [left, right] = [byDay(a), byDay(b)]
  return [...new Set([...left.keys(), ...right.keys()])].filter((name) => left.get(name) !== right.get(name)).sort()
}

export interface ExampleOptions {
  /** Whether the audited home's first day is there. */
  readonly present: boolean
  /** `preliminary`: time stops after the twelve windows; `both`: it runs past the late release of the day. Default `both`. */
  readonly phases?: 'preliminary' | 'both'
  /** How many feeders the homes are spread over; the audited one is alone on the last. Default 1. */
  readonly feeders?: 1 | 2
  /** How often every frame of the audited home is sent. Default 1. */
  readonly copies?: number
  /** What the audited home uses in a window of the first day, in and out, about, in Wh. Default 6,000. */
  readonly wh?: number
}

/** The home whose household-day an example has or lacks. */
export const auditedHome = 'home-20'

const hour = minutes(60)
const exampleStart = Date.parse('2026-01-14T23:00:00Z')

/**
 * An example: 20 homes in Berlin, twelve one-hour windows from local midnight on. Nineteen homes use little. The audited
 * home uses so much, in and out, half of it late, that its day reaches S at every level: the worst that a household-day
 * may do. It also has readings on the second day, which both worlds share.
 */
export function exampleWorld({
  present,
  phases = 'both',
  feeders = 1,
  copies = 1,
  wh = 6_000,
}: ExampleOptions): AuditWorld {
  const homes = Array.from({ length: 20 }, (_, i): AuditHome => {
    const home = `home-${String(i + 1).padStart(2, '0')}`
    return { home, feeder: feeders === 2 && home === auditedHome ? 'feeder-2' : 'feeder-1', fuseWhPerHour: 30_000 }
  })
  const windows = Array.from({ length: 12 }, (_, i) => exampleStart + i * hour)
  const reading = (home: string, channel: Channel, start: EpochMs, wh: number, late = false): AuditReading => {
    const receivedAt = start + hour + (late ? 15 * hour : minutes(5))
    return { home, channel, start, durationSeconds: 3_600, wh, receivedAt }
  }
  const others = homes
    .filter(({ home }) => home !== auditedHome)
    .flatMap(({ home }, h) =>
      windows.map((start, w) => reading(home, 'import', start, 200 + ((h * 7 + w * 13) % 60) * 10)),
    )
  // The late half of the day would come after the run if that ends with the preliminary windows.
  const isLate = (w: number): boolean => phases === 'both' && w % 2 === 1
  const first = windows.flatMap((start, w) => [
    reading(auditedHome, 'import', start, wh + 13 + 7 * w, isLate(w)),
    reading(auditedHome, 'export', start, wh + 7 + 11 * w, isLate(w)),
  ])
  const second = [0, 1, 2].map((w) => reading(auditedHome, 'import', exampleStart + (24 + w) * hour, 17_001 + w))
  const own = [...(present ? first : []), ...(phases === 'both' ? second : [])]
  const readings = [...others, ...Array.from({ length: copies }, () => own).flat()]
  return {
    name: present ? 'with' : 'without',
    timeZone: 'Europe/Berlin',
    from: exampleStart,
    until: exampleStart + (phases === 'both' ? 30 * hour : 12 * hour + minutes(20)),
    registered: feeders === 2 ? { 'feeder-1': 3_000, 'feeder-2': 3_000 } : { 'feeder-1': 6_000 },
    homes,
    readings: readings.sort((a, b) => a.receivedAt - b.receivedAt),
  }
}
