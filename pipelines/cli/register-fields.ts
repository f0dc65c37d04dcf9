import { customerClasses, levels, protections, type RegisterEntry } from '../../schemas/register-entry.ts'

interface Field {
  readonly holds: (value: unknown) => boolean
  /** Completes "it must be …". */
  readonly may: string
}

const text: Field = { holds: (value) => typeof value === 'string', may: 'a text' }
const within = (from: number, to: number, may: string): Field => ({
  holds: (value) => Number.isSafeInteger(value) && Number(value) >= from && Number(value) <= to,
  may,
})
const count = within(0, 0x7fffffff, 'a whole number from 0')
const positive = within(1, 0x7fffffff, 'a whole number from 1')
const instant = within(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 'a time in whole UTC milliseconds')
const oneOf = (...choices: readonly string[]): Field => ({
  holds: (value) => choices.some((choice) => choice === value),
  may: `one of ${choices.map((choice) => `"${choice}"`).join(', ')}`,
})

const fields: Readonly<Record<keyof RegisterEntry, Field>> = {
  point: text,
  connection: text,
  systemTitle: { ...text, may: 'a text of 16 hex digits' },
  validFrom: instant,
  validTo: {
    holds: (value) => value === null || instant.holds(value),
    may: `${instant.may}, or null while the meter is installed`,
  },
  direction: oneOf('import', 'export', 'both'),
  partition: count,
  index: count,
  groups: {
    holds: (value) => typeof value === 'object' && value !== null,
    may: `an object with a text for each of ${levels.join(', ')}`,
  },
  customerClass: oneOf(...customerClasses),
  area: text,
  tariff: text,
  heating: text,
  dwelling: text,
  timeZone: { ...text, may: 'an IANA time zone such as "Europe/London"' },
  zone: text,
  profile: { ...text, may: 'the name of a decoding profile' },
  protection: oneOf(...protections),
  keyRef: { ...text, may: 'a text that names a line of the key ring' },
  fuseWhPerHour: within(1, Number.MAX_SAFE_INTEGER, 'a whole number of Wh per hour'),
  pointsAtConnection: positive,
}

/**
 * What is wrong with a line of the register, by field and never by value, which may identify a meter; undefined where each
 * field is of its kind. Completes "Line 1 of the register …".
 */
export function faultOf(given: unknown): string | undefined {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return 'is no JSON object'
  const entry = given as Readonly<Record<string, unknown>>
  for (const [name, field] of Object.entries(fields)) {
    const fault = faultIn(name, entry[name], field)
    if (fault !== undefined) return fault
  }
  const groups = entry['groups'] as Readonly<Record<string, unknown>>
  for (const level of levels) {
    const fault = faultIn(`groups.${level}`, groups[level], text)
    if (fault !== undefined) return fault
  }
  return undefined
}

function faultIn(name: string, value: unknown, { holds, may }: Field): string | undefined {
  if (value === undefined) return `has no ${name}: it must be ${may}`
  return holds(value) ? undefined : `has a wrong ${name}: it must be ${may}`
}
