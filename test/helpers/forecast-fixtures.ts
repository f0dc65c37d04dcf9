import type { ForecastModel, Prediction } from '../../operators/forecast/model.ts'
import { type Grid, gridOf, type Surroundings } from '../../operators/forecast/moments.ts'
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

/** Half hours of a zone without summer time. */
export const halfHours = (surroundings: Partial<Surroundings> = {}): Grid =>
  gridOf(halfHour, { timeZone: 'Etc/UTC', holidays: new Set(), weather: undefined, ...surroundings })

/** A model that has seen the values of half hours from `monday` on, and what it says of the next ones. */
export function watched(
  model: ForecastModel,
  values: ArrayLike<number>,
  { noise = 0, grid = halfHours() }: { readonly noise?: number; readonly grid?: Grid } = {},
): (steps: number, variant?: number) => Prediction | undefined {
  const running = model.open(grid)
  const state = new Float64Array(running.size)
  running.begin(state)
  const known = Array.from(values).filter((value) => !Number.isNaN(value))
  const load = known.reduce((sum, value) => sum + value, 0) / known.length
  const unit = noise + (0.003 * load) ** 2 + 1
  Array.from(values).forEach((value, n) => {
    running.observe(state, { born: monday, moment: grid.momentAt(monday + n * halfHour), value, noise, unit })
  })
  return (steps, variant = 0) => {
    const ahead = Array.from({ length: steps }, (_, n) => grid.momentAt(monday + (values.length + n) * halfHour))
    return running.predict(state, variant, { born: monday, ahead, noise, unit, load })
  }
}

/** The released record of the n-th half hour from `monday` on. */
export function released(n: number, rawWh: number | null, rest: Partial<LoadPublic> = {}): LoadPublic {
  return {
    level: 'feeder',
    group: 'feeder-1',
    parent: null,
    channel: 'import',
    phase: 'preliminary',
    window: monday + n * halfHour,
    windowSeconds: 1_800,
    rawWh,
    consistentWh: null,
    smoothedWh: null,
    half50Wh: 0,
    half95Wh: 0,
    consistentHalf95Wh: 0,
    smoothedHalf95Wh: 0,
    expectedLateWh: null,
    flags: [],
    mergedInto: null,
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

/** A model that always says the same, and claims the variance. */
export const always = (wh: number, variance: number, rest: Partial<ForecastModel> = {}): ForecastModel => ({
  name: `${wh}`,
  variants: 1,
  open: () => ({
    size: 0,
    begin: () => {},
    observe: () => {},
    predict: (_, __, { ahead }) => ({
      mean: new Float64Array(ahead.length).fill(wh),
      variance: new Float64Array(ahead.length).fill(variance),
    }),
  }),
  ...rest,
})
