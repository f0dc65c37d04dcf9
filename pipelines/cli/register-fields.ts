import { intervalProfiles } from '../../operators/decode-dlms/profiles/index.ts'
import { customerClasses, levels, protections, type RegisterEntry } from '../../schemas/register-entry.ts'

/** Names of decoding profiles that entries may have, or `any` where no frame is decoded. */
export type KnownProfiles = ReadonlySet<string> | 'any'

/** The decoding profiles that ship. */
export const shippedProfiles: ReadonlySet<string> = new Set(intervalProfiles.keys())

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
const oneOf = (choices: Iterable<string>): Field => {
  const all = [...choices]
  return {
    holds: (value) => all.some((choice) => choice === value),
    may: `one of ${all.map((choice) => `"${choice}"`).join(', ')}`,
  }
}
const profileOf = (known: KnownProfiles): Field =>
  known === 'any' ? { ...text, may: 'the name of a decoding profile' } : oneOf(known)

/** A field of a line of the register. */
export interface RegisterField extends Field {
  /** What it says, in a few words, for the documentation. */
  readonly says: string
}

/** Every field of an entry. */
export const registerFields: Readonly<Record<keyof RegisterEntry, RegisterField>> = {
  point: { ...text, says: 'The measuring point. It keeps its name when its meter is exchanged.' },
  connection: {
    ...text,
    says: 'The connection that frames of this point come in on: a name of this point alone, which a pseudonym stands for.',
  },
  systemTitle: { ...text, may: 'a text of 16 hex digits', says: 'System title of the meter.' },
  validFrom: { ...instant, says: 'From when on this meter serves the point.' },
  validTo: {
    holds: (value) => value === null || instant.holds(value),
    may: `${instant.may}, or null while the meter is installed`,
    says: 'From when on it does not any more.',
  },
  direction: {
    ...oneOf(['import', 'export', 'both']),
    says: 'Which energy the point measures, as seen from the site. Energy that is fed in at a point of "import" is flagged.',
  },
  partition: { ...count, says: 'Partition of `meter.frames` that owns the point, assigned once.' },
  index: { ...count, says: 'Number of the point within its partition, dense, assigned once.' },
  groups: {
    holds: (value) => typeof value === 'object' && value !== null,
    may: `an object with a text for each of ${levels.join(', ')}`,
    says: 'The group of each level that the point counts in, by its public name.',
  },
  customerClass: { ...oneOf(customerClasses), says: 'Decides which rules of publication hold for its groups.' },
  area: { ...text, says: 'Attribute that `household.readings` may tell, made coarser; so are the next three.' },
  tariff: { ...text, says: 'Kind of tariff.' },
  heating: { ...text, says: 'Kind of heating.' },
  dwelling: { ...text, says: 'Kind of dwelling.' },
  timeZone: { ...text, may: 'an IANA time zone such as "Europe/London"', says: 'Decides the local day.' },
  zone: { ...text, says: 'Residency zone: loads are released of the one that the setting `zone` names.' },
  profile: {
    ...profileOf(shippedProfiles),
    says: 'Decoding profile: how messages of the meter are read, and how long their intervals are.',
  },
  protection: {
    ...oneOf(protections),
    says: 'The least protection that a message of the meter must have. What has less is refused.',
  },
  keyRef: { ...text, may: 'a text that names a line of the key ring', says: 'Where the keys of the meter are.' },
  fuseWhPerHour: {
    ...within(1, Number.MAX_SAFE_INTEGER, 'a whole number of Wh per hour'),
    says: 'The most energy that the fuse lets through in an hour.',
  },
  pointsAtConnection: {
    ...positive,
    says: 'How many measuring points the home has, import and export together: n on each of its n entries.',
  },
}

/**
 * What is wrong with a line of the register, by field and never by value, which may identify a meter; undefined where each
 * field is of its kind. Completes "Line 1 of the register …".
 */
export function faultOf(given: unknown, profiles: KnownProfiles = shippedProfiles): string | undefined {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return 'is no JSON object'
  const entry = given as Readonly<Record<string, unknown>>
  for (const [name, field] of Object.entries<Field>({ ...registerFields, profile: profileOf(profiles) })) {
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
