/** What may befall a run. Rates are per step; a mix is one kind of trouble, or all of them. */
export interface Mix {
  readonly kill: number
  /** The group gives the partition to another worker; the old one sleeps and wakes up late. */
  readonly takeOver: number
  /** Share of requests that are lost, lose their answer, or arrive late. */
  readonly lostRequests: number
  readonly viewLoss: number
  readonly viewRollback: number
  /** The group's offset goes back, expires, or is reset to the end. */
  readonly staleOffset: number
  /** The log is restored to an older state; all workers were stopped for it. */
  readonly restore: number
  /** The changelog loses its start while the view is lost. */
  readonly shortRetention: number
  /** The changelog alone loses its end. */
  readonly shortChangelog: number
  /** The log aborts a transaction that took too long, and fences its owner. */
  readonly timeOut: number
  /** Ticks that a worker's clock may be off. */
  readonly skew: number
  /** Ticks by which append times may go back. */
  readonly jitter: number
  /** Share of retries that reach far back. */
  readonly oldRetries: number
  /** Whether a reader may miss the end of a topic. */
  readonly staleReads: boolean
}

const calm: Mix = {
  kill: 0,
  takeOver: 0,
  lostRequests: 0,
  viewLoss: 0,
  viewRollback: 0,
  staleOffset: 0,
  restore: 0,
  shortRetention: 0,
  shortChangelog: 0,
  timeOut: 0,
  skew: 0,
  jitter: 0,
  oldRetries: 0.2,
  staleReads: true,
}

const rough: Mix = { ...calm, kill: 0.01, takeOver: 0.01, lostRequests: 0.02 }

export const mixes = {
  kill: { ...calm, kill: 0.03 },
  takeOver: { ...calm, takeOver: 0.03 },
  timeOut: { ...calm, kill: 0.01, timeOut: 0.03 },
  lostRequests: { ...calm, lostRequests: 0.08 },
  slowNetwork: { ...calm, lostRequests: 0.15, kill: 0.02 },
  viewLoss: { ...rough, viewLoss: 0.03 },
  viewRollback: { ...rough, viewRollback: 0.04 },
  staleOffset: { ...rough, staleOffset: 0.03 },
  restore: { ...rough, restore: 0.02, viewRollback: 0.03 },
  shortRetention: { ...rough, shortRetention: 0.01, oldRetries: 0.8 },
  shortChangelog: { ...rough, shortChangelog: 0.01 },
  clocks: { ...rough, skew: 40, jitter: 30 },
  everything: {
    ...rough,
    viewLoss: 0.01,
    viewRollback: 0.02,
    staleOffset: 0.01,
    restore: 0.005,
    timeOut: 0.005,
    skew: 40,
    jitter: 10,
  },
} as const satisfies Record<string, Mix>

export type MixName = keyof typeof mixes
export const mixNames = Object.keys(mixes) as readonly MixName[]

/** Mixes in which a halt is a right answer: what is lost there cannot be made good. */
export const mayHalt = (name: MixName): boolean => name === 'shortRetention' || name === 'shortChangelog'
