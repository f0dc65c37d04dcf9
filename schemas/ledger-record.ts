import { asBuffer, avroCodec } from './avro.ts'
import type { Codec, EpochMs } from './codec.ts'
import type { Channel } from './interval-reading.ts'
import type { Phase } from './load-partial.ts'
import type { Level } from './register-entry.ts'

/** `release.ledger` (aggregate): hash-chained charges, seals and checkpoints of one release domain. */
export type LedgerRecord = LedgerCharge | LedgerSeal | LedgerCheckpoint

interface Link {
  /** Dense from 1. */
  readonly seq: number
  /** SHA-256 of the previous link (32 zero bytes at the start), and of this one over every other field. */
  readonly prev: Uint8Array
  readonly hash: Uint8Array
  readonly domain: string
}

/** The day-open charge of every kind and level: committed before the first window of the local day. */
export interface LedgerCharge extends Link {
  readonly kind: 'charge'
  readonly zone: string
  /** Local day, `YYYY-MM-DD`. */
  readonly date: string
  readonly charges: readonly { readonly release: string; readonly level: Level; readonly rho: string }[]
  /** Digest of the policy (S, C, sigma, topology) frozen for the day. */
  readonly policy: Uint8Array
}

/** One window and phase, all groups and levels: the noise was drawn once and these are the bytes to publish. */
export interface LedgerSeal extends Link {
  readonly kind: 'seal'
  readonly zone: string
  readonly date: string
  readonly window: EpochMs
  readonly windowSeconds: number
  readonly channel: Channel
  readonly phase: Phase
  /** When to publish: a fixed tick, also the timestamp of the public records. */
  readonly tick: EpochMs
  /** HMAC-SHA-256 of the sealed sums under the ledger key. */
  readonly digest: Uint8Array
  readonly count: number
  /** The public records (key, value) in order, packed and compressed: operators/privacy/ledger/packed-records.ts. */
  readonly records: Uint8Array
}

/**
 * The running totals, behind every charge: reading may begin here instead of at the first link, since `prev` is the head so
 * far.
 */
export interface LedgerCheckpoint extends Link {
  readonly kind: 'checkpoint'
  readonly date: string
  /**
   * Exact sum of rho per household-day over the days that were charged in the calendar year of `date` so far, and how many
   * they are: the year to date, where public records state the bound of any 366 days.
   */
  readonly rhoYear: string
  readonly days: number
  /** Seals before it in the whole ledger; `null` in checkpoints that were written before they were counted. */
  readonly seals: number | null
}

/** Codec of `release.ledger`. */
export const ledgerRecordCodec: Codec<LedgerRecord> = avroCodec<LedgerRecord, LedgerFields>('ledger-record', {
  toFields: (value) => ({
    seq: value.seq,
    prev: asBuffer(value.prev),
    hash: asBuffer(value.hash),
    domain: value.domain,
    body: toBody(value),
  }),
  fromFields: ({ seq, prev, hash, domain, body }) => {
    const link = { seq, prev, hash, domain }
    if ('meterveil.LedgerCharge' in body) {
      const { zone, date, charges, policy } = body['meterveil.LedgerCharge']
      const listed = charges.map(({ release, level, rho }) => ({ release, level, rho }))
      return { kind: 'charge', ...link, zone, date, charges: listed, policy }
    }
    if ('meterveil.LedgerSeal' in body) {
      const { zone, date, window, windowSeconds, channel, phase, tick, digest, count, records } =
        body['meterveil.LedgerSeal']
      const place = { zone, date, window, windowSeconds, channel, phase }
      return { kind: 'seal', ...link, ...place, tick, digest, count, records }
    }
    const { date, rhoYear, days, seals } = body['meterveil.LedgerCheckpoint']
    return { kind: 'checkpoint', ...link, date, rhoYear, days, seals }
  },
})

interface LedgerFields extends Link {
  readonly body: LedgerBody
}

/** A branch of an Avro union of records goes under its full name. */
type LedgerBody =
  | { readonly 'meterveil.LedgerCharge': Omit<LedgerCharge, keyof Link | 'kind'> }
  | { readonly 'meterveil.LedgerSeal': Omit<LedgerSeal, keyof Link | 'kind'> }
  | { readonly 'meterveil.LedgerCheckpoint': Omit<LedgerCheckpoint, keyof Link | 'kind'> }

function toBody(value: LedgerRecord): LedgerBody {
  switch (value.kind) {
    case 'charge':
      return { 'meterveil.LedgerCharge': { ...value, policy: asBuffer(value.policy) } }
    case 'seal':
      return {
        'meterveil.LedgerSeal': { ...value, digest: asBuffer(value.digest), records: asBuffer(value.records) },
      }
    case 'checkpoint':
      return { 'meterveil.LedgerCheckpoint': value }
  }
}
