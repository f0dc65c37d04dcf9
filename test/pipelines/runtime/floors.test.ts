// Cells of a local day that are kept for a short time: who may still need one finds it, after any restart or rebuild.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { memoryStateView } from '../../../connectors/memory/index.ts'
import { hours } from '../../../operators/contract/clock.ts'
import type { Keyed } from '../../../operators/contract/operator.ts'
import { dedupe } from '../../../operators/dedupe.ts'
import { boundContributions } from '../../../operators/privacy/bound-contributions.ts'
import { cutOff, localDay } from '../../../operators/window/local-day.ts'
import { dayMs, floorDay } from '../../../pipelines/runtime/floors.ts'
import { pipeline } from '../../../pipelines/runtime/index.ts'
import { testDriver } from '../../../pipelines/testing/driver.ts'
import { byLevel } from '../../../schemas/register-entry.ts'
import { toyChangelog as changelog } from '../../helpers/toy-once.ts'
import { toyTopic } from '../../helpers/toy-topics.ts'

const zones = [
  'Etc/GMT+12',
  'Pacific/Honolulu',
  'America/New_York',
  'Europe/London',
  'Asia/Tokyo',
  'Pacific/Kiritimati',
]

test('no day is dropped before noon of the next one, in any time zone', () => {
  fc.assert(
    fc.property(fc.constantFrom(...zones), fc.nat(20_000 * 24), (zone, hour) => {
      const { day } = localDay(zone, hours(hour))
      const noon = cutOff(zone, day, 12)
      assert.ok(floorDay(noon - 1) <= day)
      assert.ok(floorDay(noon + 1.5 * dayMs) > day)
    }),
  )
})

test('of all that is kept by day, q alone goes at noon: duplicates must be told until the horizon', () => {
  const clip = byLevel(() => 1_000)
  assert.equal(boundContributions({ clip, windowSeconds: 1_800 }).state.aged, 'nextNoon')
  assert.equal(dedupe().state.aged, 'horizon')
})

interface Item {
  readonly id: number
  readonly day: number
}
/** What was found in the cell of an item's day, and whether the cell is known to be there. */
interface Found extends Item {
  readonly table: string
  readonly count: number
  readonly kept: boolean
}

const input = toyTopic<Item, 'identified'>('items', 'identified')
const output = toyTopic<Found, 'identified'>('found', 'identified')

/** Counts the items of each id and day. */
const countIn = (table: string, aged: 'horizon' | 'nextNoon'): Keyed<Item, Found, number> => ({
  spec: { name: table, drops: [], rejects: [] },
  state: { name: table, aged, codec: { encode: (count) => Uint8Array.of(count), decode: ([count]) => count! } },
  keys: (batch) => batch.map(({ value: { id, day } }) => ({ index: id, day })),
  process: (batch, cells, out, { keptFrom }) => {
    for (const record of batch) {
      const { id, day } = record.value
      const count = cells.get({ index: id, day }) ?? 0
      cells.set({ index: id, day }, count + 1)
      out.emit(record, { id, day, table, count, kept: day >= keptFrom })
    }
  },
})

const counted = pipeline(
  'counted',
  input,
  (items) => {
    items.keyed(countIn('long', 'horizon')).to(output)
    items.keyed(countIn('brief', 'nextNoon')).to(output)
  },
  { changelog },
)

const start = 20_000 * dayMs + hours(9)

test('a brief table forgets a day when it may, the other one does not', async () => {
  const driver = await testDriver([counted], { start })
  for (const wait of [0, 12, 24, 2, 1, 24]) {
    await driver.advance(hours(wait))
    await driver.pipe(input, [{ id: 7, day: 20_000 }])
  }
  const found = await driver.read(output)
  const inTable = (name: string) => found.filter(({ table }) => table === name)
  assert.deepEqual(
    inTable('long').map(({ count, kept }) => [count, kept]),
    [0, 1, 2, 3, 4, 5].map((count) => [count, count < 4]),
  )
  assert.deepEqual(
    inTable('brief').map(({ count, kept }) => [count, kept]),
    // Day 20,001 ends before the fifth.
    [0, 1, 2, 3, 0, 0].map((count, i) => [count, i < 4]),
  )
  await driver.stop()
})

test('what is empty although it was set lies below the floor, over restarts and rebuilds', async () => {
  let rebuilds = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ wait: fc.nat(30), lost: fc.boolean() }), {
        minLength: 2,
        maxLength: 6,
      }),
      async (steps) => {
        const view = memoryStateView()
        const first = await testDriver([counted], { start, view, task: { horizonMs: 2 * dayMs } })
        const set = new Set<string>()
        for (const { wait, lost } of steps) {
          await first.advance(hours(wait))
          if (lost) {
            await first.stop()
            view.clear('counted/0')
            await first.start()
            rebuilds++
          }
          const today = Math.floor(first.clock.now() / dayMs)
          const days = [today - 2, today - 1, today]
          await first.pipe(
            input,
            days.map((day) => ({ id: 7, day })),
          )
          const found = (await first.read(output)).filter(({ table }) => table === 'brief').slice(-days.length)
          for (const { day, count, kept } of found) {
            if (kept && set.has(`${day}`)) assert.ok(count > 0, `the cell of day ${day} is gone`)
            set.add(`${day}`)
          }
        }
        await first.stop()
      },
    ),
    { numRuns: Math.ceil(Number(process.env['MV_CASES'] ?? 10_000) / 100) },
  )
  assert.ok(rebuilds > 0)
})
