// The attack: watch the clock and count. Between k - 1 and k homes a rule on true data would show in how many records come,
// when, and which of them have a value. The running policy asks for 20 registered homes, 20 are registered, and 19 or all 20
// of them report: a threshold that looked at what was reported would lie right between the two worlds. Both are run in steps
// of five minutes under the same noise.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { minutes } from '../../operators/contract/clock.ts'
import type { RegisteredGroup } from '../../operators/contract/register.ts'
import type { ReleasePolicy } from '../../operators/privacy/release/policy.ts'
import { load } from '../../pipelines/load.ts'
import type { AuditParts } from '../../pipelines/simulation/audit-pipelines.ts'
import { type AuditRun, auditPolicy } from '../../pipelines/simulation/audit-stage.ts'
import { drawnValues, undrawnFields } from '../../pipelines/simulation/audit-values.ts'
import { topics } from '../../schemas/topics.ts'
import { countingSums, publishing } from './end-to-end/planted-publishing.ts'
import { once, sameNoise } from './end-to-end/same-noise.ts'

/** Homes of the one feeder, all of whom report in the world with the audited one. */
const k = 20

/** The rule lies at k, and the noise of so few homes counts as useful. */
const policy: ReleasePolicy = {
  ...auditPolicy(),
  rules: { residential: { minCount: k, maxShare: null }, other: { minCount: 15, maxShare: '3/20' } },
  maxRelativeNoise: '1/1',
  meanLoadWhPerDay: 1_000_000,
}

/** The first instant of the example's second day. */
const secondDay = Date.parse('2026-01-15T23:00:00Z')

interface Watched extends AuditRun {
  readonly moments: readonly string[]
}

interface Watching {
  readonly parts?: () => AuditParts
  readonly registered?: number
  readonly phases?: 'preliminary' | 'both'
}

/** What a watcher of the public topic sees of a run: at each moment, how many records there are, and where they end. */
async function watched(
  present: boolean,
  { parts = () => ({}), registered = k, phases = 'preliminary' }: Watching = {},
): Promise<Watched> {
  const moments: string[] = []
  const run = await once({
    world: { present, phases },
    registered: { 'feeder-1': registered },
    policy,
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

const both = async (how: Watching = {}) => [await watched(true, how), await watched(false, how)] as const

const times = ({ seen }: AuditRun): readonly string[] =>
  seen.map(({ key, t, record }) => `${key} ${t} ${record.window}`)

/** Everything that stands beside the values, and which of them are there. */
const besides = ({ seen }: AuditRun): readonly unknown[] =>
  seen.map(({ record }) => [undrawnFields(record), drawnValues(record).map(([, value]) => value !== null)])

const valuesIn = ({ seen }: AuditRun): number => seen.filter(({ record }) => record.rawWh !== null).length

describe(`watching the clock where ${k - 1} or ${k} homes report and the rule asks for ${k}`, () => {
  it('meets the rule in force: of 20 registered homes everything is shown, of 19 nothing', async () => {
    const [at, below] = [await watched(true), await watched(true, { registered: k - 1 })]
    assert.equal(valuesIn(at), at.seen.length)
    assert.equal(valuesIn(below), 0)
    // As many records, at the same moments: what is withheld is told all the same.
    assert.deepEqual(at.moments, below.moments)
    assert.deepEqual(new Set(below.seen.flatMap(({ record }) => record.flags)), new Set(['withheld_small_group']))
  })

  for (const registered of [k, k - 1]) {
    for (const phases of ['preliminary', 'both'] as const) {
      it(`shows the same records at the same moments, ${registered} registered, ${phases}`, async () => {
        const [all, less] = await both({ registered, phases })
        assert.deepEqual(all.moments, less.moments)
        assert.deepEqual(times(all), times(less))
        assert.deepEqual(besides(all), besides(less))
        // Records came over time, tick after tick: it was no single burst.
        assert.ok(new Set(all.moments.map((moment) => moment.split(' ')[1])).size >= 12)
      })
    }
  }

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
})

describe(`the same watch over a planted rule that asks ${k} homes to report`, () => {
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
    const [all, less] = await both({ parts: counted((count) => ({ drop: count < k })) })
    assert.notDeepEqual(all.moments, less.moments)
  })

  it('would show work that waits for the twentieth home: planted, a tick later', async () => {
    const [all, less] = await both({ parts: counted((count) => ({ late: count < k })) })
    assert.notDeepEqual(times(all), times(less))
  })

  // The real rule, at the real threshold, held against who reported the day before instead of who is registered.
  it('would show a register that counts who reported: planted, the next day is withheld after 19', async () => {
    const parts = (): AuditParts => {
      const heard = countingSums()
      const told = (group: RegisteredGroup, from: number): RegisteredGroup => {
        const reported = heard.most(group.level, group.group)
        return { ...group, residential: from < secondDay ? group.residential : reported }
      }
      return {
        sums: heard.sums,
        load: (options) =>
          load({
            ...options,
            register: {
              groups: (level, day) => options.register.groups(level, day).map((group) => told(group, day.start)),
            },
          }),
      }
    }
    const [all, less] = await both({ parts, phases: 'both' })
    assert.equal(valuesIn(all), all.seen.length)
    assert.ok(valuesIn(less) < less.seen.length)
    assert.notDeepEqual(besides(all), besides(less))
  })
})
