// Bugs of a release, each planted by putting a part of a test in the place of a real one. Nothing outside the tests can.
import { type Rational, rational } from 'diffprivlib-ts'
import { type SeededBits, seededBits, seededGaussian } from 'diffprivlib-ts/testing'
import type { BoundedReadings } from '../../../operators/contract/bounded-readings.ts'
import type { MeterReadings } from '../../../operators/contract/meter-readings.ts'
import type { CellKey, Envelope, Keyed } from '../../../operators/contract/operator.ts'
import {
  type BoundContributionsOptions,
  boundContributions,
  type ClipUse,
} from '../../../operators/privacy/bound-contributions.ts'
import type { NoiseSource } from '../../../operators/privacy/release/noise.ts'
import { localDay } from '../../../operators/window/local-day.ts'
import type { AuditParts } from '../../../pipelines/simulation/audit-pipelines.ts'
import type { CrashPoint } from '../../../pipelines/simulation/audit-stage.ts'
import type { ExampleOptions } from '../../../pipelines/simulation/audit-world.ts'
import type { BoundedWh } from '../../../schemas/bounded.ts'
import type { LoadPublic } from '../../../schemas/load-public.ts'
import { levels } from '../../../schemas/register-entry.ts'
import { changedSums, countingSums, publishing } from './planted-publishing.ts'

/** What a planted bug is made over: the real noise, or none where the attacker works out what to expect. */
export interface PlantedOver {
  readonly noise: NoiseSource
  readonly quiet: boolean
}

export interface Made {
  readonly parts: AuditParts
  /** To be called before each run. */
  readonly reset?: () => void
}

export interface Planted {
  readonly bug: string
  readonly world: Omit<ExampleOptions, 'present'>
  /** Runs a world that show it: about three times as many as p = 10^-6 takes on average. */
  readonly runs: number
  readonly crash?: CrashPoint
  /** A figure of the attack that may tell nothing at all in this world: far fewer runs then show the bug. */
  readonly silent?: { readonly figure: string; readonly because: string; readonly runs: number }
  readonly make: (over: PlantedOver) => Made
}

const withheld = (record: LoadPublic): LoadPublic => ({
  ...record,
  rawWh: null,
  consistentWh: null,
  smoothedWh: null,
  half50Wh: null,
  half95Wh: null,
  flags: ['withheld_small_group'],
})

/** Publishes what follows from the true count of a record's group and window. */
const publishingByCount =
  (change: (record: LoadPublic, count: number) => LoadPublic | undefined) =>
  ({ noise }: PlantedOver): Made => {
    const heard = countingSums()
    const publish = publishing((record) => change(record, heard.of(record)))
    return { parts: { noise, sums: heard.sums, publish }, reset: heard.reset }
  }

type Bound = (options: BoundContributionsOptions) => Keyed<MeterReadings, BoundedReadings, ClipUse>

/** The real clip over cells of other keys. */
const rekeyed =
  (rekey: (key: CellKey, record: Envelope<MeterReadings>) => CellKey): Bound =>
  (options) => {
    const real = boundContributions(options)
    return {
      ...real,
      keys: (batch) => batch.flatMap((record) => real.keys([record]).map((key) => rekey(key, record))),
      process: (batch, cells, out, context) => {
        for (const record of batch) {
          const own = {
            get: (key: CellKey) => cells.get(rekey(key, record)),
            set: (key: CellKey, use: ClipUse) => cells.set(rekey(key, record), use),
          }
          real.process([record], own, out, context)
        }
      },
    }
  }

/** No clip that anything reaches: 2^26 Wh. */
const unclipped: Bound = (options) =>
  boundContributions({
    ...options,
    clip: { utility: 2 ** 26, region: 2 ** 26, substation: 2 ** 26, feeder: 2 ** 26 },
  })

const noiseOf = (gaussian: (sigma2: Rational) => bigint): Made => ({ parts: { noise: { gaussian } } })

/** A number in half precision: eleven bits. */
function half(value: number): number {
  const step = 2 ** Math.max(0, Math.floor(Math.log2(Math.max(Math.abs(value), 1))) - 10)
  return Math.round(value / step) * step
}

const early = { phases: 'preliminary' } as const
const late = { phases: 'both' } as const

/** S of the levels for windows of an hour, in Wh. */
const clipOfSums = { utility: 28_284, region: 21_213, substation: 16_970, feeder: 14_142 }

/** notes: halved sigma, missing clip and so on; each is found by the same auditor over the same attack. */
export const planted: readonly Planted[] = [
  {
    bug: 'half of sigma',
    world: early,
    runs: 800,
    make: ({ noise }) => noiseOf((sigma2) => noise.gaussian(rational.mul(sigma2, rational.ratio(1n, 4n)))),
  },
  {
    bug: 'no clip',
    world: { ...early, wh: 12_000 },
    runs: 500,
    make: ({ noise }) => ({ parts: { noise, bound: unclipped } }),
  },
  {
    bug: 'a clip of the sum instead of each home',
    world: { ...early, wh: 12_000 },
    runs: 500,
    make: ({ noise }) => ({
      parts: {
        noise,
        bound: unclipped,
        sums: changedSums((partial) => ({
          ...partial,
          cells: partial.cells.map((cell) => ({
            ...cell,
            boundedWh: Math.min(cell.boundedWh, clipOfSums[cell.level]) as BoundedWh,
          })),
        })),
      },
    }),
  },
  {
    bug: 'a clip that is not reset at midnight',
    world: late,
    runs: 3_000,
    silent: { figure: 'filter second day', because: 'the household-day is the first', runs: 600 },
    make: ({ noise }) => {
      const { day } = localDay('Europe/Berlin', Date.parse('2026-01-15T12:00:00Z'))
      return { parts: { noise, bound: rekeyed(({ index }) => ({ index, day })) } }
    },
  },
  {
    bug: 'late values under a second budget',
    world: { ...late, wh: 9_000 },
    runs: 3_000,
    silent: { figure: 'filter late', because: 'what came early has used the whole bound', runs: 600 },
    make: ({ noise }) => ({
      parts: {
        noise,
        bound: rekeyed(({ index, day }, { value, origin }) => {
          const closes = (value.readings[0]?.start ?? 0) + 3_600_000 + 1_200_000
          return { index: origin.receivedAt >= closes ? index + 1_000 : index, day }
        }),
      },
    }),
  },
  {
    bug: 'duplicates that are counted',
    world: { ...early, copies: 4 },
    runs: 900,
    make: ({ noise }) => ({ parts: { noise, dedupe: null } }),
  },
  {
    bug: 'a home that is in two feeders on the day it moves',
    world: { ...early, feeders: 2, wh: 9_000 },
    runs: 1_100,
    make: ({ noise }) => ({
      parts: {
        noise,
        between: {
          spec: { name: 'countTwice', drops: [], rejects: [] },
          process: (batch, out) => {
            for (const record of batch) {
              out.emit(record, record.value)
              const { groups } = record.value
              if (groups.feeder === 'feeder-2') {
                out.emit(record, { ...record.value, groups: { ...groups, feeder: 'feeder-1' } })
              }
            }
          },
        },
      },
    }),
  },
  {
    bug: 'one draw for two neighbouring windows',
    world: early,
    runs: 400,
    make: ({ noise }) => {
      const kept = new Map<string, { value: bigint; uses: number }>()
      return noiseOf((sigma2) => {
        const name = rational.format(sigma2)
        const draw = kept.get(name)
        if (draw && draw.uses < 4) {
          draw.uses += 1
          return draw.value
        }
        const value = noise.gaussian(sigma2)
        kept.set(name, { value, uses: 1 })
        return value
      })
    },
  },
  {
    bug: 'the noise of the preliminary values once more for the late ones',
    world: late,
    runs: 300,
    make: ({ noise }) => {
      // 48 preliminary seals of the day and 10 of the next come first, four groups each.
      const first = 58 * levels.length
      let drawn: bigint[] = []
      const made = noiseOf((sigma2) => {
        const value = drawn[drawn.length - first] ?? noise.gaussian(sigma2)
        drawn.push(value)
        return value
      })
      return {
        ...made,
        reset: () => {
          drawn = []
        },
      }
    },
  },
  {
    bug: 'noise that is drawn again when publishing is replayed',
    world: early,
    runs: 800,
    crash: { pipeline: 'publish', step: 'produce', at: 'after', nth: 1, times: 3 },
    make: ({ noise }) => ({
      parts: {
        noise: { gaussian: () => 0n },
        publish: publishing((record) => {
          if (record.rawWh === null) return record
          const rawWh = record.rawWh + Number(noise.gaussian(rational.parse(record.privacy.sigma2)))
          // These were made from values without noise.
          return { ...record, rawWh, consistentWh: null, smoothedWh: null }
        }),
      },
    }),
  },
  {
    bug: 'a generator that is seeded alike at every start',
    world: early,
    runs: 400,
    make: ({ quiet, noise }) => {
      let bits = seededBits(7)
      const made = noiseOf((sigma2) => (quiet ? noise.gaussian(sigma2) : seededGaussian(sigma2, bits).next()))
      return {
        ...made,
        reset: () => {
          bits = seededBits(7)
        },
      }
    },
  },
  {
    bug: 'uniform bits whose first is always 1',
    world: early,
    runs: 700,
    make: ({ quiet, noise }) => {
      const real = seededBits(11)
      const top = (count: number): number => 2 ** (count - 1)
      const biased = {
        word: () => (real.word() | 0x80000000) >>> 0,
        bits: (count: number) => (real.bits(count) | top(count)) >>> 0,
      } as SeededBits
      return noiseOf((sigma2) => (quiet ? noise.gaussian(sigma2) : seededGaussian(sigma2, biased).next()))
    },
  },
  {
    // Eleven bits show in values. Doubles of 53 bits show in no number of runs: `diffprivlib-ts/test/samplers/planted.test.ts`
    // plants float samplers, and finds them by the bits on which the exact decision is another.
    bug: 'a sampler in half precision',
    world: early,
    runs: 700,
    make: ({ noise }) => noiseOf((sigma2) => BigInt(half(Number(noise.gaussian(sigma2))))),
  },
  {
    bug: 'empty groups that are left out',
    world: early,
    runs: 300,
    make: publishingByCount((record, count) => (count === 0 ? undefined : record)),
  },
  {
    bug: 'a minimum count held against the day itself',
    world: early,
    runs: 300,
    make: publishingByCount((record, count) => (count < 20 ? withheld(record) : record)),
  },
  {
    bug: 'an exact count in a flag',
    world: early,
    runs: 300,
    make: publishingByCount((record, count) =>
      count % 2 === 1 ? { ...record, flags: [...record.flags, 'withheld_not_useful'] } : record,
    ),
  },
]
