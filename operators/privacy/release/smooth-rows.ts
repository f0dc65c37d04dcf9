import type { EpochMs } from '../../../schemas/codec.ts'
import { type Channel, channels } from '../../../schemas/interval-reading.ts'
import { consistencyOf } from './consistent.ts'
import type { DayPlan } from './day-plan.ts'
import { beliefLength, filterName, type SeriesFilters, smoothWindow } from './smooth.ts'
import type { LateShares } from './smooth-late.ts'
import { type GainSource, gainSource } from './smooth-model.ts'

/** All that smoothing remembers. */
export interface Smoothing {
  readonly gains: GainSource
  readonly filters: Readonly<Record<Channel, SeriesFilters>>
  readonly lateShares: Readonly<Record<Channel, LateShares>>
  /** The last window that the filters have taken in. */
  readonly through: Record<Channel, EpochMs>
}

export const emptySmoothing = (gains: GainSource = gainSource()): Smoothing => ({
  gains,
  filters: { import: new Map(), export: new Map() },
  lateShares: { import: new Map(), export: new Map() },
  through: { import: 0, export: 0 },
})

/*
 * Filters are too many to write with every window. The n-th window of a day writes those of turn n, in both of its phases,
 * and a restart brings them up to date from the released values since. Those are kept: after the preliminary seal of window
 * n the row lacks only later windows of the day, whose values stay until their own late seals, and the late seal of window
 * n comes before those. Every local day has a window for every turn, of 23 hours too.
 */
const turnsOf = (windowSeconds: number): number => Math.floor((86_400 / windowSeconds) * (5 / 6))

/** The row that the n-th window of a local day writes; undefined for the last ones of the day. */
export function filtersRow(channel: Channel, windowSeconds: number, n: number): string | undefined {
  return n < turnsOf(windowSeconds) ? `filters ${channel} ${windowSeconds} ${n}` : undefined
}

export const lateSharesRow = (channel: Channel): string => `late ${channel}`

interface FiltersBody {
  readonly through: EpochMs
  /** Name, first window, and the belief as little-endian doubles in base64. */
  readonly filters: readonly (readonly [name: string, born: EpochMs, belief: string])[]
}
interface LateSharesBody {
  readonly shares: readonly (readonly [name: string, share: number, variance: number])[]
}

/** Content of a row of smoothing; undefined where the row is none, or is empty. */
export function smoothingBody(smoothing: Smoothing, row: string): FiltersBody | LateSharesBody | undefined {
  const [kind, channel, length, turn] = row.split(' ') as [string, Channel, string?, string?]
  if (kind === 'late') {
    const shares = byName(smoothing.lateShares[channel]).map(([name, s]) => [name, s.share, s.variance] as const)
    return { shares }
  }
  if (kind !== 'filters') return undefined
  const mine = byName(smoothing.filters[channel]).filter(
    ([name, { windowSeconds }]) => windowSeconds === Number(length) && turnOf(name, windowSeconds) === Number(turn),
  )
  if (mine.length === 0) return undefined
  const filters = mine.map(([name, { born, belief }]) => [name, born, textOf(belief)] as const)
  return { through: smoothing.through[channel], filters }
}

/** A released window that the filters may not have taken in yet. */
export interface PastWindow {
  readonly window: EpochMs
  readonly plan: DayPlan
  readonly values: readonly (number | null)[]
  readonly smoothed: readonly (number | null)[]
}

/**
 * Brings smoothing back from its rows and the released windows of each channel, oldest first. A filter whose row is older
 * than the windows reach back is left out: its series begins anew.
 */
export function restoreSmoothing(
  rows: ReadonlyMap<string, Uint8Array>,
  past: Readonly<Record<Channel, readonly PastWindow[]>>,
  timeZone: string,
  gains?: GainSource,
): Smoothing {
  const smoothing = emptySmoothing(gains)
  for (const channel of channels) {
    const windows = past[channel]
    const through = readFilters(smoothing, rows, channel, windows[0]?.window ?? 0)
    for (const { window, plan, values, smoothed } of windows) {
      smoothing.through[channel] = window
      const includes = (name: string): boolean => window > (through.get(name) ?? 0)
      if (!plan.groups.some((group) => includes(filterName(group)))) continue
      const consistent = consistencyOf(plan).estimate(values)
      const behind = { plan, timeZone, window, consistent }
      smoothWindow(smoothing.filters[channel], behind, smoothing.gains, { smoothed, includes })
    }
    const late = rows.get(lateSharesRow(channel))
    for (const [name, share, variance] of late ? read<LateSharesBody>(late).shares : []) {
      smoothing.lateShares[channel].set(name, { share, variance })
    }
  }
  return smoothing
}

/** Reads the filters of a channel; answers the last window that each has taken in. */
function readFilters(
  smoothing: Smoothing,
  rows: ReadonlyMap<string, Uint8Array>,
  channel: Channel,
  first: EpochMs,
): ReadonlyMap<string, EpochMs> {
  const throughOf = new Map<string, EpochMs>()
  for (const [row, bytes] of rows) {
    if (!row.startsWith(`filters ${channel} `)) continue
    const windowSeconds = Number(row.split(' ')[2])
    const { through, filters } = read<FiltersBody>(bytes)
    if (first > 0 && through + windowSeconds * 1_000 < first) continue
    smoothing.through[channel] = Math.max(smoothing.through[channel], through)
    for (const [name, born, text] of filters) {
      const belief = beliefOf(text)
      if (belief === undefined || through <= (throughOf.get(name) ?? 0)) continue
      throughOf.set(name, through)
      smoothing.filters[channel].set(name, { born, windowSeconds, belief })
    }
  }
  return throughOf
}

function byName<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1))
}

/** FNV-1a over the name, spread over the turns. */
function turnOf(name: string, windowSeconds: number): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
  return (hash >>> 0) % turnsOf(windowSeconds)
}

function textOf(belief: Float64Array): string {
  const bytes = Buffer.allocUnsafe(8 * belief.length)
  belief.forEach((value, i) => void bytes.writeDoubleLE(value, 8 * i))
  return bytes.toString('base64')
}

/** A belief of another length is one of another bank of models, and undefined: its series begins anew. */
function beliefOf(text: string): Float64Array | undefined {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length !== 8 * beliefLength) return undefined
  return Float64Array.from({ length: beliefLength }, (_, i) => bytes.readDoubleLE(8 * i))
}

function read<T>(body: Uint8Array): T {
  return JSON.parse(Buffer.from(body).toString('utf8')) as T
}
