import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CellValue } from '../../../connectors/contract.ts'
import { openRedisView } from '../../../connectors/redis/index.ts'
import { nothingSeen, seenTable, withSeen } from '../../../operators/dedupe/seen-day.ts'
import { boundContributions } from '../../../operators/privacy/bound-contributions.ts'
import { redisServer } from './redis-server.ts'

const meters = 20_000
const days = [20_400, 20_401]
const goal = 20
const halfHour = 1_800
const batch = 2_000

const clipTable = boundContributions({
  clip: { utility: 20_000, region: 15_000, substation: 12_000, feeder: 10_000 },
  windowSeconds: halfHour,
}).state

/** Bits after so many half hours; every ninth meter misses one in seven. */
function seenAfter(intervals: number, gaps: boolean): Uint8Array {
  let seen = nothingSeen
  for (let i = 0; i < intervals; i++) if (!gaps || i % 7 !== 3) seen = withSeen(seen, 0, i * halfHour, halfHour)
  return seenTable.codec.encode(seen)
}

test(`the aged tables take at most ${goal} bytes per meter and day of 48 half hours`, async (t) => {
  const server = await redisServer()
  const view = await openRedisView({ nodes: [server.node], timeoutMs: 20_000 })
  const fill = async (scope: string, count: number) => {
    const used = new Float64Array(meters * days.length)
    let at = { gen: 'g', seq: 0, hash: '' }
    await view.reset(scope, undefined, at, [])
    for (const [d, day] of days.entries()) {
      // As it comes: a cell grows over the day.
      for (const intervals of [1, 2, 3, 9, 17, 30, 47, 48]) {
        const seen = [false, true].map((gaps) => seenAfter(intervals, gaps))
        for (let from = 0; from < count; from += batch) {
          const cells: CellValue[] = []
          for (let index = from; index < from + batch; index++) {
            const place = d * meters + index
            used[place] = used[place]! + (100 + ((index * 7_919 + intervals * 104_729) % 1_900)) ** 2
            const clip = clipTable.codec.encode({ q: used[place]!, durationSeconds: halfHour })
            cells.push({ table: 'seen', index, day, value: seen[index % 9 === 0 ? 1 : 0]! })
            cells.push({ table: 'clip', index, day, value: clip })
          }
          const apply = { seq: at.seq + 1, hash: `${at.seq + 1}`, floorDay: 0, cells }
          const lookup = cells.map(({ table, index }) => ({ table, index, day }))
          const answer = await view.exchange(scope, { expected: at, apply, lookup })
          assert.equal(answer.status, 'ok')
          if (answer.status === 'ok') {
            answer.cells.forEach((value, i) => {
              if (Buffer.compare(value!, cells[i]!.value) !== 0) assert.deepEqual(value, cells[i]!.value)
            })
          }
          at = { ...at, seq: apply.seq, hash: apply.hash }
        }
      }
    }
  }
  // What the server takes for a connection and its scripts, however few the meters.
  await fill('before', batch)
  const before = await server.used()
  await fill('readings/0', meters)
  const bytes = ((await server.used()) - before) / (meters * days.length)
  t.diagnostic(`${bytes.toFixed(1)} bytes per meter and day`)
  assert.ok(bytes > 0 && bytes <= goal, `${bytes} bytes per meter and day`)
  await view.close()
  await server.stop()
})
