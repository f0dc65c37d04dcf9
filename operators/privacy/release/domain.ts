import type { Topic } from '../../../schemas/codec.ts'
import type { LedgerRecord } from '../../../schemas/ledger-record.ts'
import type { LoadPublic } from '../../../schemas/load-public.ts'
import type { LoadRestricted } from '../../../schemas/load-restricted.ts'
import type { Keyring } from '../../contract/keyring.ts'
import type { NoiseSource } from './noise.ts'
import type { ResolvedPolicy } from './policy.ts'
import type { Membership } from './restricted/membership.ts'
import type { GroupsOfDay } from './rules/groups.ts'

/** A legal or residency zone with a whole utility tree: one ledger, one writer. */
export interface ReleaseDomain {
  readonly name: string
  readonly zone: string
  /** IANA time zone that decides the local day. */
  readonly timeZone: string
  /** How many source partitions feed it: nothing is sealed before each of them has come far enough. */
  readonly partitions: number
}

/** What a release emits: links of the ledger, and the restricted aggregates of the window sealed with them. */
export type ReleaseOutput =
  | { readonly to: 'ledger'; readonly record: LedgerRecord }
  | { readonly to: 'restricted'; readonly record: LoadRestricted }

/** Everything a release works with beside its state. */
export interface ReleaseTools {
  readonly domain: ReleaseDomain
  /** Checked policy of a local date, for days that are not planned yet. */
  readonly policyOn: (date: string) => ResolvedPolicy
  /** The groups of a day: a function of register and day alone. */
  readonly register: {
    readonly groups: GroupsOfDay
    /** Most measuring points of one connection. Default: no more than the policy counts as one household. */
    readonly pointsAtConnection?: number
  }
  /** Which groups change by too few members to be shown on the restricted side. Default: membership never changes. */
  readonly membership?: Membership
  readonly noise: NoiseSource
  readonly keyring: Pick<Keyring, 'derived'>
  /** Key and bytes, wire-format header included, of the records of `load.public`. */
  readonly published: Pick<Topic<LoadPublic, 'released'>, 'key' | 'codec'>
}
