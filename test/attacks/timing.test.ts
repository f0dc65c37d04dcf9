// The attack: watch the clock and count. Between k - 1 and k homes a rule on true data would show in how many records come, and
// when. Two worlds of 19 and 20 reporting homes are run in steps of five minutes under the same noise.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { minutes } from '../../operators/contract/clock.ts'
import type { AuditParts } from '../../pipelines/simulation/audit-pipelines.ts'
import type { AuditRun } from '../../pipelines/simulation/audit-stage.ts'
import { topics } from '../../schemas/topics.ts'
import { countingSums, publishing } from './end-to-end/planted-publishing.ts'
import { once, sameNoise } from './end-to-end/same-noise.ts'

/** What a watcher of the public topic sees of a run: at each moment, how many records there are, and where they end. */
async function watched(
  present: boolean,
  parts: () => AuditParts = () => ({}),
): Promise<AuditRun & { readonly moments: readonly string[] }> {
  const moments: string[] = []
  const run = await once({
    world: { present, phases: 'preliminary' },
    parts: { noise: sameNoise(), ...parts() },
    stepMs: minutes(5),
    watch: async ({ log, clock }) => {
      const committed = await log.bounds(topics.loadPublic.name, 0, 'read_committed')
      const all = await log.bounds(topics.loadPublic.name, 0, 'read_uncommitted')
      moments.push(`${new Date(clock.now()).toISOString()} ${committed.end} ${all.end}`)
    },
  })
  return { ...run, moments }
}

const times = ({ seen }: AuditRun): readonly string[] =>
  seen.map(({ key, t, record }) => `${key} ${t} ${record.window}`)

describe('watching the clock between 19 and 20 homes', () => {
  it('shows the same number of records at the same moments', async () => {
    const [k, less] = [await watched(true), await watched(false)]
    assert.deepEqual(k.moments, less.moments)
    assert.deepEqual(times(k), times(less))
    // Records came over time, tick after tick: it was no single burst.
    assert.ok(new Set(k.moments.map((moment) => moment.split(' ')[1])).size >= 12)
  })

  it('shows no record before its tick, which is its timestamp', async () => {
    const { seen, moments } = await watched(true)
    for (const { t } of seen) assert.equal(t % minutes(5), 0)
    const ticks = seen.map(({ t }) => t).sort((a, b) => a - b)
    for (const moment of moments) {
      const [at, committed] = moment.split(' ')
      assert.ok(Number(committed) === 0 || ticks[0]! <= Date.parse(at!), moment)
    }
    assert.deepEqual(
      seen.map(({ t }) => t),
      ticks,
    )
  })

  const counted = (plant: (count: number) => Partial<{ drop: boolean; late: boolean }>) => (): AuditParts => {
    const heard = countingSums()
    return {
      sums: heard.sums,
      publish: publishing(
        (record) => (plant(heard.of(record)).drop ? undefined : record),
        (record, tick) => (plant(heard.of(record)).late ? tick + minutes(5) : tick),
      ),
    }
  }

  it('would show a minimum count on true data: planted, records of 19 homes do not come', async () => {
    const parts = counted((count) => ({ drop: count < 20 }))
    assert.notDeepEqual((await watched(true, parts)).moments, (await watched(false, parts)).moments)
  })

  it('would show work that waits for the twentieth home: planted, a tick later', async () => {
    const parts = counted((count) => ({ late: count < 20 }))
    assert.notDeepEqual(times(await watched(true, parts)), times(await watched(false, parts)))
  })
})
