import type { History } from '../../operators/forecast/model.ts'
import type { LoadPublic } from '../../schemas/load-public.ts'

const halfHour = 1_800_000
/** A Monday, 00:00 UTC. */
export const monday = Date.parse('2026-01-12T00:00Z')

/** Repeatable standard normal numbers (Park-Miller, Box-Muller). */
export function normals(seed: number): () => number {
  let state = seed
  const uniform = (): number => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())
}

/** A smooth daily shape in Wh per half hour, the same every day, some lower at weekends when asked. */
export const shape = (at: number, weekendFactor = 1): number => {
  const phase = (at % 86_400_000) / 86_400_000
  const weekend = [0, 6].includes(new Date(at).getUTCDay())
  const day = 600_000 + 200_000 * Math.sin(2 * Math.PI * phase) - 150_000 * Math.cos(4 * Math.PI * phase)
  return day * (weekend ? weekendFactor : 1)
}

/** Values of half hours from `monday` on, in a zone without summer time. */
export function historyOf(values: ArrayLike<number>, noiseVariance = 0): History {
  return {
    start: monday,
    stepMs: halfHour,
    wh: Float64Array.from(values),
    noise: new Float64Array(values.length).fill(noiseVariance),
    calendar: (at) => ({
      phase: (at % 86_400_000) / 86_400_000,
      weekend: [0, 6].includes(new Date(at).getUTCDay()),
    }),
  }
}

/** The released record of the n-th half hour from `monday` on. */
export function released(n: number, rawWh: number | null, rest: Partial<LoadPublic> = {}): LoadPublic {
  return {
    level: 'feeder',
    group: 'feeder-1',
    channel: 'import',
    phase: 'preliminary',
    window: monday + n * halfHour,
    windowSeconds: 1_800,
    rawWh,
    consistentWh: null,
    smoothedWh: null,
    half50Wh: 0,
    half95Wh: 0,
    flags: [],
    registered: 3_000,
    privacy: {
      unit: 'household-day',
      neighbours: 'add-remove',
      mechanism: 'discrete_gaussian/1',
      rho: '1/100',
      epsilonDay: 1,
      epsilonWeek: 3,
      epsilonYear: 30,
      delta: 1e-6,
      capRule: 'fuse',
      clipWh: 10_000,
      sigma2: '0',
    },
    ledgerSeq: 10 + n,
    ledgerHash: new Uint8Array(32),
    ...rest,
  }
}

/** The same with noise of this variance, as an exact text. */
export const withNoise = (record: LoadPublic, sigma2: string): LoadPublic => ({
  ...record,
  privacy: { ...record.privacy, sigma2 },
})
