import { type KAnonymized, kAnonymizedMonths } from '../operators/privacy/k-anonymize/index.ts'
import type { RegisterEntry } from '../schemas/register-entry.ts'

/** How many homes share what is told of each. What the months told so far follows from it too, so it is not to change. */
export interface AttributeRules {
  /** Registered homes that must share a combination of attributes. Default 20. */
  readonly k?: number | undefined
  /** Largest part of a zone's homes of which nothing is told so that more is told of the others. Default 0.05. */
  readonly maxSuppressed?: number | undefined
  /** Customer classes that homes which are told alike must be of. Default 1, which asks for nothing. */
  readonly l?: number | undefined
}

const customerClass = ({ customerClass: of }: RegisterEntry): string => of

/** The options of `kAnonymizeByMonth` that these rules stand for. */
export function anonymityOf({ k, maxSuppressed, l = 1 }: AttributeRules) {
  return {
    ...(k === undefined ? {} : { k }),
    ...(maxSuppressed === undefined ? {} : { maxSuppressed }),
    ...(l > 1 ? { diversity: { l, of: customerClass } } : {}),
  }
}

export interface TellingOptions {
  readonly rules: AttributeRules
  /** IANA time zone that decides the local month. */
  readonly timeZone: string
  /** First local month in which attributes are told, `YYYY-MM`. */
  readonly since: string
}

/** What is told of each home in a local month, `YYYY-MM`, as [readings] tells it by the same register and rules. */
export function toldMonths(
  entries: readonly RegisterEntry[],
  { rules, timeZone, since }: TellingOptions,
): (month: string) => KAnonymized {
  return kAnonymizedMonths(entries, { ...anonymityOf(rules), timeZone, since })
}
