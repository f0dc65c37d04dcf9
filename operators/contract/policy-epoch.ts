import type { Level } from '../../schemas/register-entry.ts'

/** Bounds that hold from a local date on. What is left out stays as it was in the epoch before. */
export interface PolicyEpoch {
  /** First local date of the epoch, `YYYY-MM-DD`. */
  readonly from: string
  /** L2 bound S of a household-day in Wh, for half-hour windows, by level. */
  readonly clipWhPerHalfHour?: Readonly<Partial<Record<Level, number>>>
  /** Cap C of an interval: `fuse`, with `, at most <n> Wh per hour` and `, at most half of what is left` after it or not. */
  readonly capRule?: string
}

/** Whether a text is a date of the calendar, `YYYY-MM-DD`. */
export function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const time = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}

/** Whether a text is a month of the calendar, `YYYY-MM`. */
export const isMonth = (text: string): boolean => isDate(`${text}-01`)

/** What of one interval counts at most, beside what the fuse lets through. */
export interface IntervalCap {
  /** In Wh per hour; infinite where the fuse alone decides. */
  readonly whPerHour: number
  /** Whether one interval takes at most half of the norm that is left of its day. See `boundContributions`. */
  readonly half: boolean
}

const capRule = /^fuse(?:, at most ([1-9]\d{0,8}) Wh per hour)?(, at most half of what is left)?$/

/** What a rule of C says; undefined for a text that is none. */
export function capOf(rule: string): IntervalCap | undefined {
  const parts = capRule.exec(rule)
  if (parts === null) return undefined
  return { whPerHour: Number(parts[1] ?? Number.POSITIVE_INFINITY), half: parts[2] !== undefined }
}
