// The attacks: subtract what is published from what is published, so that one home remains. Of a group and its parts, of a
// value and its revision, of a window and the next. `differencing-days.stat.ts` has the one of a day and the next with another
// member, `membership.test.ts` that on the restricted side.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { rational } from 'diffprivlib-ts'
import type { SeenRecord } from '../../pipelines/simulation/audit-stage.ts'
import type { LoadPublic } from '../../schemas/load-public.ts'
import { zeroNoise } from '../helpers/release-fixtures.ts'
import { once } from './end-to-end/same-noise.ts'

const world = { present: true, phases: 'both', feeders: 2 } as const

/** A difference of published values, by name, that would be one home's alone; with the variance of its noise. */
type Differences = ReadonlyMap<string, readonly [wh: number, variance: number]>

type Find = (level: LoadPublic['level'], group: string, window: number, phase?: LoadPublic['phase']) => LoadPublic

const attacks: readonly {
  readonly what: string
  readonly difference: (find: Find, window: number) => [plus: LoadPublic, minus: LoadPublic]
}[] = [
  {
    what: 'a group and all of its other parts',
    difference: (find, window) => [find('substation', 'substation-1', window), find('feeder', 'feeder-1', window)],
  },
  {
    what: 'the same homes at two levels',
    difference: (find, window) => [find('utility', 'utility-1', window), find('feeder', 'feeder-1', window)],
  },
  {
    what: 'a final value and its preliminary one',
    difference: (find, window) => [find('utility', 'utility-1', window, 'final'), find('utility', 'utility-1', window)],
  },
  {
    what: 'a window and the next, between which one home changes',
    difference: (find, window) => [find('feeder', 'feeder-2', window), find('feeder', 'feeder-2', window + 3_600_000)],
  },
]

async function differences(noise: boolean, pick: (typeof attacks)[number]['difference']): Promise<Differences> {
  const { seen } = await once({ world, parts: noise ? {} : { noise: zeroNoise } })
  const records = new Map(
    seen.map(({ record }: SeenRecord) => [
      `${record.level}/${record.group}/${record.channel}/${record.window}/${record.phase}`,
      record,
    ]),
  )
  const start = Math.min(...seen.map(({ record }) => record.window))
  const result = new Map<string, readonly [number, number]>()
  for (const channel of ['import', 'export'] as const) {
    const find: Find = (level, group, window, phase = 'preliminary') =>
      records.get(`${level}/${group}/${channel}/${window}/${phase}`)!
    for (let hour = 0; hour < 23; hour++) {
      const [plus, minus] = pick(find, start + hour * 3_600_000)
      const revision = plus.phase !== minus.phase
      // A final value holds the draw of the preliminary one: the difference has one draw.
      const variances = [plus, minus].map(({ privacy }) => rational.toNumber(rational.parse(privacy.sigma2), 'up'))
      const variance = revision ? variances[0]! - variances[1]! : variances[0]! + variances[1]!
      result.set(`${channel} ${hour}`, [plus.rawWh! - minus.rawWh!, variance])
    }
  }
  return result
}

describe('differencing', () => {
  for (const { what, difference } of attacks) {
    it(`of ${what} gives a home away where sums are exact`, async () => {
      const exact = await differences(false, difference)
      const shown = [...exact.values()].filter(([wh]) => Math.abs(wh) > 1_000)
      assert.ok(shown.length >= 5, `${shown.length} values`)
    })

    it(`of ${what} gives noise away here, with all of the variance that the records state`, async () => {
      const [exact, released] = [await differences(false, difference), await differences(true, difference)]
      const squares = [...released].map(([name, [wh, variance]]) => (wh - exact.get(name)![0]) ** 2 / variance)
      const mean = squares.reduce((sum, square) => sum + square, 0) / squares.length
      // 46 squares with mean 1: below 0.4 once in 10^5 times, also where neighbours share a draw.
      assert.ok(mean > 0.4, `${mean}`)
      // And the home is far below it: what is left of the day tells no more than sqrt(2 rho) of the two levels' charge.
      const signal = Math.sqrt(
        [...released].reduce((sum, [name, [, variance]]) => sum + exact.get(name)![0] ** 2 / variance, 0),
      )
      assert.ok(signal < 0.23, `${signal}`)
    })
  }
})
