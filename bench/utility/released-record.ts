import type { LoadPublic } from '../../schemas/load-public.ts'

/** What differs between the records that benches have forecast. */
export interface ReleasedRecord
  extends Pick<LoadPublic, 'level' | 'group' | 'registered' | 'window' | 'windowSeconds' | 'phase' | 'ledgerSeq'> {
  readonly rawWh: number
  /** Default: as drawn. */
  readonly consistentWh?: number
  /** Noise variance in Wh^2 as an exact rational `n/d`. */
  readonly sigma2: string
}

const noHash = new Uint8Array(32)

/** A record of `load.public` as far as forecasts read it. */
export const releasedRecord = ({ sigma2, consistentWh, ...rest }: ReleasedRecord): LoadPublic => ({
  channel: 'import',
  consistentWh: consistentWh ?? rest.rawWh,
  smoothedWh: null,
  half50Wh: 0,
  half95Wh: 0,
  consistentHalf95Wh: 0,
  smoothedHalf95Wh: 0,
  expectedLateWh: null,
  flags: [],
  mergedInto: null,
  privacy: {
    unit: 'household-day',
    neighbours: 'add-remove',
    mechanism: 'bench',
    rho: '0',
    epsilonDay: 0,
    epsilonWeek: 0,
    epsilonYear: 0,
    delta: 0,
    capRule: 'bench',
    clipWh: 0,
    sigma2,
  },
  ledgerHash: noHash,
  ...rest,
})
