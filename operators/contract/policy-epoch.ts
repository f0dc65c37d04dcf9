import type { Level } from '../../schemas/register-entry.ts'

/** Bounds that hold from a local date on. What is left out stays as it was in the epoch before. */
export interface PolicyEpoch {
  /** First local date of the epoch, `YYYY-MM-DD`. */
  readonly from: string
  /** L2 bound S of a household-day in Wh, for half-hour windows, by level. */
  readonly clipWhPerHalfHour?: Readonly<Partial<Record<Level, number>>>
  /** Cap C of an interval: `fuse`, or `fuse, at most <n> Wh per hour`. */
  readonly capRule?: string
}

/** Whether a text is a date of the calendar, `YYYY-MM-DD`. */
export function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const time = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}

/** What a rule of C allows in Wh per hour beside the fuse, infinite for the fuse alone; undefined for a text that is none. */
export function capOf(rule: string): number | undefined {
  const parts = /^fuse(?:, at most ([1-9]\d{0,8}) Wh per hour)?$/.exec(rule)
  return parts ? Number(parts[1] ?? Number.POSITIVE_INFINITY) : undefined
}
