// Where a kind of meter keeps the energy of an interval. Profiles are data files with a version, named by the register; see ../profiles.
import { obisHigh, obisLow, parseObis } from '../wire/obis.ts'

/** Direction of active energy as seen from the site. */
export type EnergyChannel = 'import' | 'export'

/** An interval profile as its data file holds it. OBIS codes as `A-B:C.D.E.F`. */
export interface IntervalProfile {
  readonly kind: 'interval'
  readonly id: string
  readonly version: number
  readonly describes: string
  /** Length of an interval in seconds. The clock stamps the end of an interval: start = clock - period. */
  readonly periodSeconds: number
  /** Object whose value is the end of the interval, or `notification` for the date-time of the push itself. */
  readonly clock: string
  /** Object with the status of the interval (unsigned or bit-string). Optional. */
  readonly status?: string
  /** Energy of the interval per direction, and the register total at its end where it is sent. */
  readonly channels: readonly {
    readonly channel: EnergyChannel
    readonly interval: string
    readonly register?: string
  }[]
  /** Scaler and unit code of objects whose push carries none. What is neither here nor in the push has no unit, and is refused. */
  readonly scales: Readonly<Record<string, { readonly scaler: number; readonly unit: number }>>
  /** Capture objects of the load profile in their order, for buffers that come without them; empty if none. */
  readonly columns: readonly string[]
  /** The newest row of a buffer comes first. */
  readonly newestFirst: boolean
}

/** What an object is for a profile. */
export interface Role {
  readonly high: number
  readonly low: number
  readonly use: 'clock' | 'status' | 'interval' | 'register'
  /** Index of the channel, -1 for clock and status. */
  readonly channel: number
  readonly scaler: number
  /** Unit code from the profile, -1 if it does not say. */
  readonly unit: number
}

/** A profile made ready for use: objects by number instead of by text. */
export interface CompiledProfile {
  readonly profile: IntervalProfile
  readonly channels: readonly EnergyChannel[]
  readonly roles: readonly Role[]
  readonly columns: readonly (Role | undefined)[]
  readonly clockIsNotification: boolean
}

/** Makes a profile ready. Throws a `TypeError` that names the profile if its data is unsound; call it once, when profiles are loaded. */
export function compileProfile(profile: IntervalProfile): CompiledProfile {
  const unsound = (what: string): never => {
    throw new TypeError(`interval profile ${profile.id}: ${what}`)
  }
  const { periodSeconds, channels } = profile
  if (!Number.isInteger(periodSeconds) || periodSeconds <= 0 || 86_400 % periodSeconds !== 0)
    unsound('periodSeconds must divide a day')
  if (channels.length === 0 || new Set(channels.map(({ channel }) => channel)).size !== channels.length)
    unsound('channels must be distinct')
  const role = (text: string, use: Role['use'], channel: number): Role => {
    const bytes = parseObis(text) ?? unsound(`${text} is not an OBIS code`)
    const scale = profile.scales[text]
    return {
      high: obisHigh(bytes, 0),
      low: obisLow(bytes, 0),
      use,
      channel,
      scaler: scale?.scaler ?? 0,
      unit: scale?.unit ?? -1,
    }
  }
  const roles: Role[] = []
  channels.forEach(({ interval, register }, index) => {
    roles.push(role(interval, 'interval', index))
    if (register !== undefined) roles.push(role(register, 'register', index))
  })
  const clockIsNotification = profile.clock === 'notification'
  if (!clockIsNotification) roles.push(role(profile.clock, 'clock', -1))
  if (profile.status !== undefined) roles.push(role(profile.status, 'status', -1))
  if (new Set(roles.map(({ high, low }) => `${high}.${low}`)).size !== roles.length) unsound('an object has two roles')
  const columns = profile.columns.map((text) => {
    const bytes = parseObis(text) ?? unsound(`${text} is not an OBIS code`)
    return roles.find(({ high, low }) => high === obisHigh(bytes, 0) && low === obisLow(bytes, 0))
  })
  return { profile, channels: channels.map(({ channel }) => channel), roles, columns, clockIsNotification }
}

/** The role of the object whose six bytes are at `at`; `undefined` if the profile does not name it. */
export function roleAt(compiled: CompiledProfile, bytes: Uint8Array, at: number): Role | undefined {
  const high = obisHigh(bytes, at)
  const low = obisLow(bytes, at)
  const { roles } = compiled
  for (let k = 0; k < roles.length; k++) {
    const role = roles[k] as Role
    if (role.low === low && role.high === high) return role
  }
  return undefined
}
