// The whole chain over a change of bounds: frames in, bounded sums, seals and public records, each by its own local day.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createFleet } from '../../bench/fleet/index.ts'
import { minutes } from '../../operators/contract/clock.ts'
import { defaultPolicy } from '../../operators/privacy/release/policy.ts'
import { openWorld } from '../../pipelines/simulation/world.ts'
import { capRuleOn, clipOn } from '../../schemas/load-partial.ts'
import { type Level, levels } from '../../schemas/register-entry.ts'
import { topics } from '../../schemas/topics.ts'
import { runThrough } from '../helpers/fleet-world.ts'

const start = Date.UTC(2026, 0, 12)
const homes = 20
const base = defaultPolicy.clipWhPerHalfHour
const narrow: Readonly<Record<Level, number>> = { utility: 800, region: 700, substation: 600, feeder: 500 }
const change = '2026-01-13'
const of = (date: string) => (date < change ? base : narrow)
const halves = 'fuse, at most half of what is left'
const ruleOf = (date: string) => (date < change ? defaultPolicy.capRule : halves)

describe('the pipelines over a change of bounds at midnight', () => {
  it('bound, seal and publish each day by its own', async () => {
    const { entries, register, keyring, ...fleet } = createFleet({
      seed: 5,
      homes,
      start,
      days: 2,
      partitions: 1,
      profileNames: { described: 'interval-30min', objects: 'interval-30min' },
    })
    const { zone, timeZone } = entries[0]!
    const policy = { ...defaultPolicy, epochs: [{ from: change, clipWhPerHalfHour: narrow, capRule: halves }] }
    const world = await openWorld({ entries, register, keyring, zone, timeZone, partitions: 1, start, policy })
    await runThrough(world, fleet, start + minutes(48 * 60))

    const sums = new Map<string, number>()
    for (const partial of await world.read(topics.loadPartials)) {
      for (const { date, level, group, channel, window, boundedWh } of partial.cells) {
        assert.deepEqual(clipOn(partial, date), of(date))
        assert.equal(capRuleOn(partial, date), ruleOf(date))
        const name = [date, level, group, channel, window].join(' ')
        sums.set(name, (sums.get(name) ?? 0) + boundedWh)
      }
    }
    const norm = (date: string): number =>
      Math.hypot(...[...sums].flatMap(([name, wh]) => (name.startsWith(`${date} utility `) ? [wh] : [])))
    assert.ok(norm('2026-01-12') > homes * narrow.utility, 'the day before the change was bounded by what came after')
    assert.ok(norm(change) <= homes * narrow.utility, 'the first day of the epoch was not bounded by it')
    assert.ok(norm(change) > 0)

    const seen = new Map<string, number>()
    for (const { level, window, privacy, flags } of await world.read(topics.loadPublic)) {
      const date = new Date(window).toISOString().slice(0, 10)
      assert.deepEqual([privacy.clipWh, privacy.capRule], [of(date)[level], ruleOf(date)])
      assert.ok(!flags.includes('withheld_unproven'))
      seen.set(`${date} ${level}`, (seen.get(`${date} ${level}`) ?? 0) + 1)
    }
    for (const date of ['2026-01-12', change]) for (const level of levels) assert.ok(seen.get(`${date} ${level}`))
  })
})
