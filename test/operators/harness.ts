import assert from 'node:assert/strict'
import type { MeterReadings, ReadingTrust } from '../../operators/contract/meter-readings.ts'
import type { BatchContext, CellKey, Envelope, Keyed, Operator } from '../../operators/contract/operator.ts'
import type { IntervalReading } from '../../schemas/interval-reading.ts'
import type { RegisterEntry } from '../../schemas/register-entry.ts'

/** What an operator did with a record, in the order in which it did it. */
export type Outcome =
  | { readonly kind: 'emit'; readonly from: Envelope<unknown>; readonly value: unknown }
  | { readonly kind: 'drop' | 'reject'; readonly from: Envelope<unknown>; readonly reason: string }

/** Committed cells of one table as bytes, by `index/day`: what a state view would hold. */
export type CellStore = Map<string, Uint8Array>

export const whole: Envelope<null> = {
  value: null,
  origin: { topic: 'meter.frames', partition: 0, offset: 0n, receivedAt: 0 },
}

export function contextOf(change: Partial<BatchContext> = {}): BatchContext {
  return { partition: 0, seq: 1, progress: 0, floor: 0, keptFrom: 0, whole, ...change }
}

/** Runs one batch. Cells pass through their codec, come from `store`, and may be used only if `keys` named them. */
export function runBatch<I, O, S>(
  step: Operator<I, O> | Keyed<I, O, S>,
  batch: readonly Envelope<I>[],
  options: { readonly context?: BatchContext; readonly store?: CellStore; readonly commit?: boolean } = {},
): readonly Outcome[] {
  const { context = contextOf(), store = new Map(), commit = true } = options
  const outcomes: Outcome[] = []
  const out = {
    emit: (from: Envelope<unknown>, value: O) => void outcomes.push({ kind: 'emit', from, value }),
    drop: (from: Envelope<unknown>, reason: string) => void outcomes.push({ kind: 'drop', from, reason }),
    reject: (from: Envelope<unknown>, reason: string) => void outcomes.push({ kind: 'reject', from, reason }),
  }
  if (!('state' in step)) {
    step.process(batch, out, context)
    return outcomes
  }
  const { codec, name } = step.state
  const at = ({ index, day }: CellKey): string => `${index}/${day}`
  const named = new Set(step.keys(batch).map(at))
  const changed = new Map<string, S>()
  const cells = {
    get: (key: CellKey): S | undefined => {
      assert.ok(named.has(at(key)), `${name} was asked for a cell that keys did not name`)
      const bytes = store.get(at(key))
      return changed.get(at(key)) ?? (bytes === undefined ? undefined : codec.decode(bytes))
    },
    set: (key: CellKey, next: S): void => {
      assert.ok(named.has(at(key)), `${name} set a cell that keys did not name`)
      changed.set(at(key), next)
    },
  }
  step.process(batch, cells, out, context)
  if (commit) for (const [key, value] of changed) store.set(key, codec.encode(value))
  return outcomes
}

/** The values that were emitted. */
export function emitted<T>(outcomes: readonly Outcome[]): readonly T[] {
  return outcomes.flatMap((outcome) => (outcome.kind === 'emit' ? [outcome.value as T] : []))
}

/** `emit`, or the reason, per outcome: for tables of expected results. */
export function summary(outcomes: readonly Outcome[]): readonly string[] {
  return outcomes.map((outcome) => (outcome.kind === 'emit' ? 'emit' : outcome.reason))
}

export const halfHour = 1_800
export const hour = 3_600_000
export const at = (iso: string): number => Date.parse(iso)

export function entryOf(index: number, change: Partial<RegisterEntry> = {}): RegisterEntry {
  return {
    point: `point-${index}`,
    connection: `connection-${index}`,
    systemTitle: `4d4d4d000000000${index}`,
    validFrom: 0,
    validTo: null,
    direction: 'both',
    partition: 0,
    index,
    groups: { utility: 'U', region: 'R', substation: 'S', feeder: `F${index % 2}` },
    customerClass: 'residential',
    area: 'A1',
    tariff: 'day',
    heating: 'gas',
    dwelling: 'flat',
    timeZone: 'Europe/London',
    zone: 'north',
    profile: 'standard',
    protection: 'authenticated-encrypted',
    keyRef: `key-${index}`,
    fuseWhPerHour: 13_800,
    pointsAtConnection: 1,
    ...change,
  }
}

export const trusted: ReadingTrust = { protection: 'authenticated-encrypted', tagVerified: true, counter: 7 }

export function readingOf(start: number, change: Partial<IntervalReading> = {}): IntervalReading {
  return { channel: 'import', start, durationSeconds: halfHour, energyWh: 300, quality: 0, ...change }
}

/** A frame's readings as received five seconds after the last of them ended, unless stated. */
export function readingsOf(
  entry: RegisterEntry,
  readings: readonly IntervalReading[],
  options: { readonly receivedAt?: number; readonly offset?: bigint; readonly trust?: ReadingTrust } = {},
): Envelope<MeterReadings> {
  const ends = readings.map(({ start, durationSeconds }) => start + durationSeconds * 1_000)
  const { receivedAt = Math.max(0, ...ends) + 5_000, offset = 0n, trust = trusted } = options
  return { value: { entry, readings, trust }, origin: { ...whole.origin, offset, receivedAt } }
}
