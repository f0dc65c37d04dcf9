import type { LoadPublic } from '../../schemas/load-public.ts'
import { released } from '../../test/helpers/forecast-fixtures.ts'

/** What differs between the records that benches have forecast. */
export interface ReleasedRecord
  extends Pick<LoadPublic, 'level' | 'group' | 'registered' | 'window' | 'windowSeconds' | 'phase' | 'ledgerSeq'> {
  readonly rawWh: number
  /** Default: as drawn. */
  readonly consistentWh?: number
  /** Noise variance in Wh^2 as an exact rational `n/d`. */
  readonly sigma2: string
}

/** A record of `load.public` as far as forecasts read it. */
export function releasedRecord({ sigma2, consistentWh, ...rest }: ReleasedRecord): LoadPublic {
  const base = released(0, rest.rawWh)
  return { ...base, ...rest, consistentWh: consistentWh ?? rest.rawWh, privacy: { ...base.privacy, sigma2 } }
}
