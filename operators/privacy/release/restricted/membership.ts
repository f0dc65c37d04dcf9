import type { EpochMs } from '../../../../schemas/codec.ts'
import { levels, type RegisterEntry } from '../../../../schemas/register-entry.ts'
import { cutOff, type LocalDay, localDay } from '../../../window/local-day.ts'
import { partOfHome } from '../../part-of-home.ts'
import { groupName } from './group-name.ts'

export interface MembershipOptions {
  /** Every entry of the register, closed ones too: what has left the register cannot be held against. Required. */
  readonly entries: Iterable<RegisterEntry>
  /** IANA time zone that decides the local day. Required. */
  readonly timeZone: string
  /** Residency zone of the release domain. Required. */
  readonly zone: string
  /** Fewest homes by which the members of what is shown may change; several points of one count as `partOfHome`. Required. */
  readonly k: number
  /** Hour of the next day, local time, until which values of a day come in. Default 6. */
  readonly cutOffHour?: number
}

/**
 * Names, as `groupName` makes them, of the groups to withhold on a day. `since` is the first day that may have been
 * shown: what was before it needs no protection. A day is planned by what changes until it ends, whatever is loaded later;
 * what changes until its `values` are complete decides what is shown of them.
 */
export type Membership = (since: LocalDay, day: LocalDay, of: MembershipOf) => ReadonlySet<string>
export type MembershipOf = 'plan' | 'values'

/** Most memberships that a day is held against: the latest that were shown. */
const mostShown = 64

/**
 * Says which groups must be withheld on a day so that sums of different days, or of windows of one day, cannot be
 * subtracted to learn of fewer than k homes that joined, left or moved.
 *
 * Whatever can be computed from the shown groups of a day is a union of their remainders (see `suppress`). Between any
 * membership that was shown before and that of the day, each two remainders must exchange no home or at least k, and so
 * must each of them and the outside: then every union changes by none or at least k. Where they do not, the narrower
 * group is withheld until the changes since it was shown add up to k. A group whose members change within a day is
 * withheld on that day.
 *
 * A value counts for the group that its point is in when the frame is *received*, so the members of a day are those of the
 * next one too, until the day's cut-off: in its last window, and in all that comes late. So for the values of a day, what
 * a change at local midnight withholds on the day that begins is withheld on the day that ends as well, and what changes
 * between midnight and the cut-off changes within both.
 *
 * A function of register and days alone, so that a restart changes nothing. A meter exchanged at the same place is no
 * change, also where the point is without a meter for a while. Changes that are made in batches of at least k for each
 * two feeders, at local midnight, withhold nothing. A day is held against the 64 latest memberships that were shown.
 */
export function membershipHistory(options: MembershipOptions): Membership {
  const { entries, zone } = options
  const rules = { timeZone: options.timeZone, k: options.k, cutOffHour: options.cutOffHour ?? 6 }
  let walk: Walk | undefined
  return (since, day, of) => {
    if (!walk || walk.since !== since.start || (walk.reached > day.start && !walk.answers.has(day.start))) {
      walk = walkFrom(readMoves(entries, zone, since.start), since)
    }
    const known = walk.answers.get(day.start) ?? advance(walk, rules, day)
    walk.answers.set(day.start, known)
    return known[of]
  }
}

/** From an instant on, the number of the path a point belongs to. */
interface Stay {
  readonly at: EpochMs
  readonly path: number
}

/** The points that move after a day began; a million that stay take no memory. */
interface Moves {
  readonly points: readonly (readonly Stay[])[]
  /** How much of a home each of them is at least: see `partOfHome`. */
  readonly parts: readonly number[]
  /** Positions in `names` of the groups of each path, widest first. Path 0 is nowhere. */
  readonly paths: readonly (readonly number[])[]
  readonly names: readonly string[]
}

function readMoves(entries: Iterable<RegisterEntry>, zone: string, since: EpochMs): Moves {
  const byPoint = new Map<string, RegisterEntry | RegisterEntry[]>()
  for (const entry of entries) {
    if (entry.zone !== zone) continue
    const before = byPoint.get(entry.point)
    if (before === undefined) byPoint.set(entry.point, entry)
    else if (Array.isArray(before)) before.push(entry)
    else byPoint.set(entry.point, [before, entry])
  }
  const names = new Map<string, number>()
  const numberOf = (name: string): number => names.get(name) ?? names.set(name, names.size).size - 1
  const numbers = new Map<string, number>()
  const paths: (readonly number[])[] = [[]]
  const pathOf = ({ groups }: RegisterEntry): number => {
    const path = levels.map((level) => numberOf(groupName(level, groups[level])))
    const key = path.join()
    const known = numbers.get(key)
    if (known !== undefined) return known
    numbers.set(key, paths.length)
    return paths.push(path) - 1
  }
  const points: (readonly Stay[])[] = []
  const parts: number[] = []
  for (const own of byPoint.values()) {
    if (!Array.isArray(own) && own.validFrom <= since && own.validTo === null) continue
    const sorted = Array.isArray(own) ? own.toSorted((a, b) => a.validFrom - b.validFrom) : [own]
    const stays = sorted.flatMap((entry, i): Stay[] => {
      const path = pathOf(entry)
      const next = sorted[i + 1]
      const stay = { at: entry.validFrom, path }
      const leaves = entry.validTo !== null && (next === undefined || entry.validTo < next.validFrom)
      if (!leaves || (next !== undefined && pathOf(next) === path)) return [stay]
      return [stay, { at: entry.validTo, path: 0 }]
    })
    if (!stays.some(({ at }) => at > since)) continue
    points.push(stays)
    parts.push(Math.min(...sorted.map(partOfHome)))
  }
  return { points, parts, paths, names: [...names.keys()] }
}

/** A membership that was shown, and how many homes have gone from each path to each other one since. */
interface Version {
  readonly members: Int32Array
  /** By path then times the number of paths, plus path now. */
  readonly flows: Map<number, number>
}

interface Walk {
  readonly register: Moves
  readonly since: EpochMs
  /** Start of the last day that was asked for. */
  reached: EpochMs
  /** What changes after `since`, in order; `point` counts the points that ever do. */
  readonly changes: readonly { readonly at: EpochMs; readonly point: number; readonly path: number }[]
  passed: number
  /** Path of each such point. */
  readonly now: Int32Array
  readonly shown: Version[]
  /** End of the last day with a change, and what is withheld on the days after it. */
  quietFrom: EpochMs
  quiet: ReadonlySet<number> | undefined
  readonly answers: Map<EpochMs, Answer>
}

type Answer = Readonly<Record<MembershipOf, ReadonlySet<string>>>

function walkFrom(register: Moves, since: LocalDay): Walk {
  const { points } = register
  const changes = points
    .flatMap((stays, point) => stays.flatMap(({ at, path }) => (at > since.start ? [{ at, point, path }] : [])))
    .sort((a, b) => a.at - b.at || a.point - b.point)
  const now = Int32Array.from(points, (stays) => stays.findLast(({ at }) => at <= since.start)?.path ?? 0)
  return {
    register,
    since: since.start,
    reached: since.start,
    changes,
    passed: 0,
    now,
    shown: [{ members: now.slice(), flows: new Map() }],
    quietFrom: since.start,
    quiet: undefined,
    answers: new Map(),
  }
}

type Rules = Required<Pick<MembershipOptions, 'timeZone' | 'k' | 'cutOffHour'>>

function advance(walk: Walk, { timeZone, k, cutOffHour }: Rules, day: LocalDay): Answer {
  const { changes, register } = walk
  let withheld: ReadonlySet<number> | undefined
  walk.reached = day.start
  for (let next = changes[walk.passed]; next !== undefined && next.at < day.end; next = changes[walk.passed]) {
    const changing = localDay(timeZone, next.at)
    if (changing.start > walk.quietFrom) walk.quiet ??= judge(walk, k)
    while (changes[walk.passed]?.at === changing.start) pass(walk)
    const ofDay = new Set(judge(walk, k))
    for (let inside = changes[walk.passed]; inside && inside.at < changing.end; inside = changes[walk.passed]) {
      for (const path of [walk.now[inside.point]!, inside.path]) {
        if (walk.now[inside.point] !== inside.path) for (const group of register.paths[path]!) ofDay.add(group)
      }
      pass(walk)
    }
    walk.quietFrom = changing.end
    walk.quiet = undefined
    withheld = changing.start === day.start ? ofDay : undefined
  }
  withheld ??= walk.quiet ??= judge(walk, k)
  const all = new Set(withheld)
  if (changes[walk.passed]?.at === day.end) {
    while (changes[walk.passed]?.at === day.end) pass(walk)
    walk.quietFrom = day.end
    walk.quiet = judge(walk, k)
    for (const group of walk.quiet) all.add(group)
  }
  // Only looked at: they are changes of the next day, which are made when that is asked for.
  const moved = new Map<number, number>()
  const until = cutOff(timeZone, day.day, cutOffHour)
  for (let at = walk.passed; at < changes.length && changes[at]!.at < until; at++) {
    const { point, path } = changes[at]!
    const before = moved.get(point) ?? walk.now[point]!
    if (before !== path) for (const each of [before, path]) for (const group of register.paths[each]!) all.add(group)
    moved.set(point, path)
  }
  const named = (groups: ReadonlySet<number>) => new Set([...groups].map((group) => register.names[group]!))
  const plan = named(withheld)
  return { plan, values: all.size === withheld.size ? plan : named(all) }
}

/** Makes the next change. */
function pass(walk: Walk): void {
  const { paths, parts } = walk.register
  const { point, path } = walk.changes[walk.passed++]!
  const before = walk.now[point]!
  walk.now[point] = path
  for (const { members, flows } of walk.shown) {
    const from = members[point]!
    const add = (to: number, change: number): void => {
      if (from === to) return
      const key = from * paths.length + to
      const points = (flows.get(key) ?? 0) + change
      if (points === 0) flows.delete(key)
      else flows.set(key, points)
    }
    add(before, -parts[point]!)
    add(path, parts[point]!)
  }
}

/** What to withhold while the membership stays as it is; remembers it where it is shown. */
function judge({ register, shown, now }: Walk, k: number): ReadonlySet<number> {
  const { paths, names } = register
  const sides = names.length + 1
  const depthOf = new Int8Array(sides)
  for (const path of paths) {
    path.forEach((group, depth) => {
      depthOf[group + 1] = depth
    })
  }
  const withheld = new Set<number>()
  for (let before = -1; before !== withheld.size; ) {
    before = withheld.size
    const owners = ownersOf(paths, withheld)
    for (const version of shown) {
      for (const [pair, points] of exchangesOf(version, owners, sides)) {
        if (points >= k) continue
        const [a, b] = [Math.floor(pair / sides), pair % sides]
        // The narrower of two, or both; the outside is neither.
        if (b === 0 || depthOf[a]! >= depthOf[b]!) withheld.add(a - 1)
        if (b > 0 && depthOf[b]! >= depthOf[a]!) withheld.add(b - 1)
      }
    }
  }
  const owners = ownersOf(paths, withheld)
  const isKnown = shown.some((version) => exchangesOf(version, owners, sides).size === 0)
  if (!isKnown) shown.push({ members: now.slice(), flows: new Map() })
  if (shown.length > mostShown) shown.shift()
  return withheld
}

/** For each path the narrowest group that is not withheld, whose remainder its points count in, plus 1; 0 for none. */
function ownersOf(paths: Moves['paths'], withheld: ReadonlySet<number>): Int32Array {
  return Int32Array.from(paths, (path) => (path.findLast((group) => !withheld.has(group)) ?? -1) + 1)
}

/** How many points each two remainders exchange, or a remainder and the outside: by the larger owner times `sides`, plus the smaller. */
function exchangesOf({ flows }: Version, owners: Int32Array, sides: number): ReadonlyMap<number, number> {
  const exchanges = new Map<number, number>()
  for (const [key, points] of flows) {
    const from = owners[Math.floor(key / owners.length)]!
    const to = owners[key % owners.length]!
    if (from === to) continue
    const pair = Math.max(from, to) * sides + Math.min(from, to)
    exchanges.set(pair, (exchanges.get(pair) ?? 0) + points)
  }
  return exchanges
}
