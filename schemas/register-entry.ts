import { avroCodec } from './avro.ts'
import type { Codec, EpochMs } from './codec.ts'

export const levels = ['utility', 'region', 'substation', 'feeder'] as const
/** Levels of aggregation, widest first. */
export type Level = (typeof levels)[number]

/** What a function answers for each level. */
export function byLevel<T>(of: (level: Level) => T): Record<Level, T> {
  return Object.fromEntries(levels.map((level) => [level, of(level)])) as Record<Level, T>
}

export const customerClasses = ['residential', 'commercial', 'industrial', 'agricultural'] as const
export type CustomerClass = (typeof customerClasses)[number]

export const protections = ['none', 'authenticated', 'encrypted', 'authenticated-encrypted'] as const
/** The least protection an APDU of this meter must carry; anything weaker is a downgrade and refused. */
export type Protection = (typeof protections)[number]

/** `meter.register` (identified): one measuring point and the meter that serves it during a validity period. */
export interface RegisterEntry {
  /** Measuring point. Identifying; stable across a meter exchange. */
  readonly point: string
  /**
   * Name by which the frames of the point come in, and what a pseudonym is made from: of one point at a time. A home with
   * several points has a name for each. Identifying.
   */
  readonly connection: string
  /** DLMS system title, 16 hex digits. Identifying. */
  readonly systemTitle: string
  readonly validFrom: EpochMs
  /** Exclusive; `null` while the meter is installed. */
  readonly validTo: EpochMs | null
  /** Which energy the point measures. */
  readonly direction: 'import' | 'export' | 'both'
  /** Partition that owns the point, assigned once. */
  readonly partition: number
  /** Dense number within the partition, assigned once. */
  readonly index: number
  /** One group per level. Public names of public groups. */
  readonly groups: Readonly<Record<Level, string>>
  readonly customerClass: CustomerClass
  /** Attributes that may travel generalised. */
  readonly area: string
  readonly tariff: string
  readonly heating: string
  readonly dwelling: string
  /** IANA time zone of the site: decides the local day. */
  readonly timeZone: string
  /** Residency zone. */
  readonly zone: string
  /** Decoding profile, see operators/decode-dlms/profiles. */
  readonly profile: string
  readonly protection: Protection
  /** Reference under which the keyring holds the meter's keys. */
  readonly keyRef: string
  /** Public contract data: the most energy the fuse lets through in one hour, in Wh. */
  readonly fuseWhPerHour: number
  /**
   * How many measuring points the home has, import and export together: n on each of its n entries, so that each point gets
   * S / n. A home whose n entries say 1 would count n times its bound.
   */
  readonly pointsAtConnection: number
}

/** Codec of `meter.register`. */
export const registerEntryCodec: Codec<RegisterEntry> = avroCodec<RegisterEntry, RegisterFields>('register-entry', {
  // Avro names hold no hyphen
  toFields: (value) => ({ ...listed(value), protection: value.protection.replace('-', '_') }),
  fromFields: (fields) => ({ ...listed(fields), protection: fields.protection.replace('_', '-') as Protection }),
})

type RegisterFields = Omit<RegisterEntry, 'protection'> & { readonly protection: string }

function listed(entry: Omit<RegisterEntry, 'protection'>): Omit<RegisterEntry, 'protection'> {
  const { utility, region, substation, feeder } = entry.groups
  return {
    point: entry.point,
    connection: entry.connection,
    systemTitle: entry.systemTitle,
    validFrom: entry.validFrom,
    validTo: entry.validTo,
    direction: entry.direction,
    partition: entry.partition,
    index: entry.index,
    groups: { utility, region, substation, feeder },
    customerClass: entry.customerClass,
    area: entry.area,
    tariff: entry.tariff,
    heating: entry.heating,
    dwelling: entry.dwelling,
    timeZone: entry.timeZone,
    zone: entry.zone,
    profile: entry.profile,
    keyRef: entry.keyRef,
    fuseWhPerHour: entry.fuseWhPerHour,
    pointsAtConnection: entry.pointsAtConnection,
  }
}
