import { reasons } from '../../operators/contract/reasons.ts'
import type { HouseholdReading } from '../../schemas/household-reading.ts'
import { channels } from '../../schemas/interval-reading.ts'
import type { RejectedFrame } from '../../schemas/rejected-frame.ts'
import { type Fate, fates, type Journal } from './journal.ts'

/** What a pipeline says it did, in transport units, and what it wrote. */
export interface Outcome {
  /** Committed records of `household.readings`. */
  readonly readings: Iterable<HouseholdReading>
  /** Committed records of `meter.rejected`. */
  readonly rejected: Iterable<RejectedFrame>
  /** Counters: every unit received is in exactly one of accepted, dropped, rejected, events. */
  readonly counts: {
    readonly received: number
    readonly accepted: number
    /** By reason. */
    readonly dropped: Readonly<Record<string, number>>
    /** By reason. */
    readonly rejected: Readonly<Record<string, number>>
    readonly events?: number
  }
  /** The pseudonym the pipeline gives a connection point on a local date `YYYY-MM-DD`. */
  readonly pseudonymOf: (connection: string, date: string) => Uint8Array
  /** Journal number of the input at a position; without it refused records are compared by reason only. */
  readonly sequenceAt?: (partition: number, offset: number) => number | undefined
}

/** How often something is wrong, and up to five places in the journal; -1 where the journal knows no place. */
export interface Finding {
  readonly count: number
  readonly examples: readonly number[]
}

/** One reason: how often the journal allows it, how often the pipeline counted it and wrote a record of it. */
export interface ReasonCheck {
  readonly reason: string
  readonly least: number
  readonly most: number
  readonly counted: number
  /** `undefined` for drops, which leave no record. */
  readonly recorded: number | undefined
  readonly ok: boolean
}

/** Holds numbers only: no meter, connection or value. */
export interface Verdict {
  readonly ok: boolean
  /** Intervals that must be in the output, and those that are there. */
  readonly required: number
  readonly found: number
  /** Arrived intact, yet not in the output. */
  readonly lost: Finding
  /** More than once in the output. */
  readonly duplicate: Finding
  /** In the output with another value, date or length. */
  readonly wrong: Finding
  /** In the output, though it never arrived intact. */
  readonly unexpected: Finding
  /** Refused records whose reason the fault does not explain. */
  readonly misjudged: Finding
  /** in = accepted + duplicate + late + rejected, and the same number as in the journal. */
  readonly closure: {
    readonly received: number
    readonly accepted: number
    readonly duplicate: number
    readonly late: number
    readonly otherDrops: number
    readonly rejected: number
    readonly events: number
    readonly closes: boolean
  }
  readonly reasons: readonly ReasonCheck[]
}

const mostExamples = 5

interface Tally {
  count: number
  readonly examples: number[]
}

const tally = (): Tally => ({ count: 0, examples: [] })

/** Notes one case; `place` is only asked while examples are wanted. */
function note(into: Tally, place: () => number): void {
  into.count++
  if (into.examples.length < mostExamples) into.examples.push(place())
}

/**
 * Compares what a pipeline did with what a fleet truly sent: every interval that arrived intact is in the output exactly
 * once, under the right pseudonym and date and with the right value; nothing else is; and every unit that came in is
 * accounted for, by counter and by record, under a reason that its fault explains.
 */
export function checkReadings(journal: Journal, outcome: Outcome): Verdict {
  const check = openCheck(journal, outcome)
  for (const reading of outcome.readings) check.reading(reading)
  for (const refused of outcome.rejected) check.refused(refused)
  return check.verdict(outcome.counts)
}

/** `checkReadings` one record at a time, in any order: nothing is kept but a byte per interval. */
export interface ReadingsCheck {
  readonly reading: (reading: HouseholdReading) => void
  readonly refused: (refused: RejectedFrame) => void
  readonly verdict: (counts: Outcome['counts']) => Verdict
}

/** Begins a check. */
export function openCheck(
  journal: Journal,
  { pseudonymOf, sequenceAt }: Pick<Outcome, 'pseudonymOf' | 'sequenceAt'>,
): ReadingsCheck {
  const intervals = openIntervals(journal, pseudonymOf)
  const misjudged = tally()
  const recorded = new Map<string, number>()
  return {
    reading: intervals.add,
    refused: ({ kind, reason, partition, offset }) => {
      if (kind !== 'rejected') return
      recorded.set(reason, (recorded.get(reason) ?? 0) + 1)
      const seq = sequenceAt?.(partition, offset)
      if (seq === undefined) return
      const fate: Fate = fates[journal.sighting(seq).fate]
      if (fate.rejects !== 'any' && !fate.rejects.some((allowed) => allowed === reason)) note(misjudged, () => seq)
    },
    verdict: (counts) => {
      const found = intervals.result()
      const closure = closureOf(journal, { counts })
      const reasonChecks = checkReasons(journal, { counts }, recorded)
      const { lost, duplicate, wrong, unexpected } = found
      const ok =
        [lost, duplicate, wrong, unexpected, misjudged].every(({ count }) => count === 0) &&
        closure.closes &&
        reasonChecks.every((check) => check.ok)
      return { ok, ...found, misjudged, closure, reasons: reasonChecks }
    },
  }
}

function openIntervals(journal: Journal, pseudonymOf: Outcome['pseudonymOf']) {
  const { homes, slots, start, intervalMs } = journal
  const dates = [...new Set(Array.from({ length: slots }, (_, slot) => journal.dateOf(slot)))]
  const dateOfSlot = Array.from({ length: slots }, (_, slot) => dates.indexOf(journal.dateOf(slot)))
  const people = new Map<string, number>()
  for (let home = 0; home < homes; home++) {
    const connection = journal.connectionOf(home)
    dates.forEach((date, i) => {
      people.set(latin(pseudonymOf(connection, date)), home * dates.length + i)
    })
  }
  const times = new Uint8Array(homes * slots * channels.length)
  const [lost, duplicate, wrong, unexpected] = [tally(), tally(), tally(), tally()]
  const seqOf = (home: number, slot: number) => () => sequenceOf(journal, home, slot)
  let found = 0

  const add = (reading: HouseholdReading): void => {
    const person = people.get(latin(reading.pseudonym))
    for (const interval of reading.intervals) {
      const slot = (interval.start - start) / intervalMs
      if (person === undefined || !Number.isInteger(slot) || slot < 0 || slot >= slots) {
        note(unexpected, () => -1)
        continue
      }
      const home = Math.floor(person / dates.length)
      const date = dateOfSlot[slot] as number
      const value = journal.valueWh(home, interval.channel, slot)
      if (value === undefined || journal.expectation(home, slot) === 'absent') {
        note(unexpected, seqOf(home, slot))
        continue
      }
      const right =
        value === interval.energyWh &&
        interval.durationSeconds * 1_000 === intervalMs &&
        person % dates.length === date &&
        reading.date === dates[date]
      if (!right) note(wrong, seqOf(home, slot))
      const at = (home * slots + slot) * channels.length + channels.indexOf(interval.channel)
      if (times[at] === 1) note(duplicate, seqOf(home, slot))
      else found++
      times[at] = 1
    }
  }

  const result = () => {
    let required = 0
    for (let home = 0; home < homes; home++) {
      for (let slot = 0; slot < slots; slot++) {
        if (journal.expectation(home, slot) !== 'required') continue
        channels.forEach((channel, i) => {
          if (journal.valueWh(home, channel, slot) === undefined) return
          required++
          if (times[(home * slots + slot) * channels.length + i] === 0) note(lost, seqOf(home, slot))
        })
      }
    }
    return { required, found, lost, duplicate, wrong, unexpected }
  }
  return { add, result }
}

/** First sighting that carries an interval, -1 if there is none. */
function sequenceOf(journal: Journal, home: number, slot: number): number {
  for (let seq = 0; seq < journal.sightings(); seq++) {
    const { home: sender, firstSlot, slots } = journal.sighting(seq)
    if (sender === home && slot >= firstSlot && slot < firstSlot + slots) return seq
  }
  return -1
}

function latin(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

const sum = (values: Readonly<Record<string, number>>): number => Object.values(values).reduce((a, b) => a + b, 0)

function closureOf(journal: Journal, { counts }: Pick<Outcome, 'counts'>): Verdict['closure'] {
  const { received, accepted, dropped, rejected, events = 0 } = counts
  const { duplicate = 0, too_late: late = 0, ...others } = dropped
  const otherDrops = sum(others)
  const refused = sum(rejected)
  const total = accepted + duplicate + late + otherDrops + refused + events
  const closes = total === received && received === journal.sightings()
  return { received, accepted, duplicate, late, otherDrops, rejected: refused, events, closes }
}

/** For each reason the least and most units that may have met it, against what was counted and recorded. */
function checkReasons(
  journal: Journal,
  { counts }: Pick<Outcome, 'counts'>,
  recorded: ReadonlyMap<string, number>,
): readonly ReasonCheck[] {
  const least = new Map<string, number>()
  const most = new Map<string, number>()
  const add = (map: Map<string, number>, name: string): void => {
    map.set(name, (map.get(name) ?? 0) + 1)
  }
  let anyReject = 0
  for (let seq = 0; seq < journal.sightings(); seq++) {
    const fate: Fate = fates[journal.sighting(seq).fate]
    const named = [
      ...(fate.accepted ? ['accepted'] : []),
      ...fate.drops,
      ...(fate.rejects === 'any' ? [] : fate.rejects),
    ]
    for (const name of named) add(most, name)
    if (fate.rejects === 'any') anyReject++
    else if (named.length === 1) add(least, named[0] as string)
  }
  const names = new Set([
    ...most.keys(),
    ...Object.keys(counts.dropped),
    ...Object.keys(counts.rejected),
    ...recorded.keys(),
  ])
  return [...names].map((reason) => {
    const refuses = reason in reasons && reasons[reason as keyof typeof reasons].outcome === 'reject'
    const counted =
      reason === 'accepted' ? counts.accepted : ((refuses ? counts.rejected[reason] : counts.dropped[reason]) ?? 0)
    const bounds = { least: least.get(reason) ?? 0, most: (most.get(reason) ?? 0) + (refuses ? anyReject : 0) }
    const records = refuses ? (recorded.get(reason) ?? 0) : undefined
    const ok = counted >= bounds.least && counted <= bounds.most && (records === undefined || records === counted)
    return { reason, ...bounds, counted, recorded: records, ok }
  })
}

/** The verdict as lines for a terminal. */
export function verdictText(verdict: Verdict): string {
  const { closure, required, found } = verdict
  const { received, accepted, duplicate, late, otherDrops, rejected, events } = closure
  const findings = (['lost', 'duplicate', 'wrong', 'unexpected', 'misjudged'] as const).map((name) => {
    const { count, examples } = verdict[name]
    return `${name} ${count}${examples.length > 0 ? ` (journal ${examples.join(', ')})` : ''}`
  })
  const bad = verdict.reasons.filter(({ ok }) => !ok)
  return [
    `${verdict.ok ? 'PASS' : 'FAIL'}: ${found} intervals found, ${required} required; ${findings.join(', ')}`,
    `in ${received} = accepted ${accepted} + duplicate ${duplicate} + late ${late} + other drops ${otherDrops} + rejected ${rejected} + events ${events}: ${closure.closes ? 'closes' : 'does not close'}`,
    ...bad.map(
      ({ reason, counted, recorded, least, most }) =>
        `${reason}: counted ${counted}${recorded === undefined ? '' : `, recorded ${recorded}`}, the journal allows ${least} to ${most}`,
    ),
  ].join('\n')
}
