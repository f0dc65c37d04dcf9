import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { minutes } from '../../../operators/contract/clock.ts'
import { forecast } from '../../../pipelines/forecast.ts'
import { testDriver } from '../../../pipelines/testing/driver.ts'
import type { ForecastPublic } from '../../../schemas/forecast-public.ts'
import type { LoadPublic } from '../../../schemas/load-public.ts'
import { topicSpecs, topics } from '../../../schemas/topics.ts'
import { monday, normals, released, shape, withNoise } from '../../helpers/forecast-fixtures.ts'

const halfHour = 1_800_000
const tree = [
  { level: 'utility', group: 'u', parent: null, registered: 9_000 },
  { level: 'region', group: 'r1', parent: 'u', registered: 6_000 },
  { level: 'region', group: 'r2', parent: 'u', registered: 3_000 },
] as const

/** Three and a half days of a whole and its two parts; the final values of a day come at six in the morning. */
function published(): LoadPublic[] {
  const normal = normals(53)
  const seal = (n: number, final: boolean): LoadPublic[] =>
    tree.map(({ level, group, registered }) => {
      const load = (shape(monday + n * halfHour) * registered * (final ? 1.05 : 1)) / 9_000
      const rest = { level, group, registered, ledgerSeq: 2 * n + (final ? 1 : 0) }
      const record = released(n, Math.round(load + 10_000 * normal()), rest)
      return withNoise({ ...record, phase: final ? 'final' : 'preliminary' }, `${10_000 ** 2}`)
    })
  return Array.from({ length: 168 }, (_, n) => [
    ...seal(n, false),
    ...(n >= 48 && n % 48 === 12 ? Array.from({ length: 48 }, (_, k) => seal(n - 60 + k, true)) : []),
  ]).flat(2)
}

const records = published()

/** What is forecast where the records come in pieces of these lengths, with a restart after each of the named pieces. */
async function forecasts(pieces: readonly number[], restarts: readonly number[]): Promise<readonly ForecastPublic[]> {
  const driver = await testDriver(
    [
      forecast({
        timeZone: 'Etc/UTC',
        parentOf: ({ group }) => tree.find((place) => place.group === group)?.parent,
      }),
    ],
    { topics: topicSpecs(1) },
  )
  let at = 0
  for (let piece = 0; at < records.length; piece++) {
    const count = pieces[piece % pieces.length]!
    await driver.pipe(topics.loadPublic, records.slice(at, at + count))
    at += count
    await driver.advance(minutes(1))
    if (!restarts.includes(piece)) continue
    await driver.stop()
    await driver.start()
  }
  await driver.settle()
  const made = await driver.read(topics.forecastPublic)
  await driver.stop()
  return made
}

describe('the forecast pipeline', () => {
  it('forecasts the same, each once, whatever the batches are and wherever it is started again', async () => {
    const whole = await forecasts([records.length], [])
    assert.ok(whole.length > 3 * 55)
    // 100 and 35 are no multiples of three: most restarts fall inside a seal.
    assert.deepEqual(await forecasts([100, 35], [1, 2, 4, 5, 8]), whole)
    assert.deepEqual(await forecasts([61], [3, 4, 9, 10, 11]), whole)
  })
})
