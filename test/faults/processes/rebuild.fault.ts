import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { createFleet, noFaults } from '../../../bench/fleet/index.ts'
import { kafkaLog } from '../../../connectors/kafka/index.ts'
import { minutes } from '../../../operators/contract/clock.ts'
import { runScenario } from '../../../pipelines/cli/demo-scenario.ts'
import { genesis, link } from '../../../pipelines/runtime/changelog.ts'
import type { AcceptedBatch, ChangedCells } from '../../../schemas/accepted-batch.ts'
import { topics } from '../../../schemas/topics.ts'
import { redisServer, type TestServer } from '../../connectors/redis/redis-server.ts'
import { type OwnServices, ownServices } from '../../helpers/services.ts'
import { openStage, type Stage } from './stage.ts'

/*
 * Redis lost, with the state of 100,000 meters over 48 hours to rebuild: how long until work goes on. The changelog is
 * what [readings] wrote for some meters, repeated under other numbers. `METERS` in the environment changes how many.
 */

const meters = Number(process.env['METERS'] ?? 100_000)
const partitions = 8
const sampled = 64
const perBatch = 2_000
const own: OwnServices = await ownServices({ kafka: true, registry: true })

/** What each accepted message of some meters changed, in order, by meter. */
async function sample(start: number): Promise<readonly (readonly (readonly ChangedCells[])[])[]> {
  const fleet = createFleet({
    seed: 41,
    homes: sampled,
    start,
    days: 2,
    partitions: 1,
    timeZone: 'Etc/UTC',
    profileNames: { described: 'interval-30min', objects: 'interval-30min' },
    faults: { ...noFaults },
  })
  const { read } = await runScenario({ fleet, partitions: 1, start, end: start + 2 * minutes(24 * 60) })
  const changes: ChangedCells[][][] = Array.from({ length: sampled }, () => [])
  for (const { tables } of await read(topics.meterAccepted)) {
    const own = new Map<number, ChangedCells[]>()
    for (const { table, cells } of tables) {
      for (const cell of cells) {
        const list = own.get(cell.index) ?? []
        own.set(cell.index, list)
        list.push({ table, cells: [cell] })
      }
    }
    for (const [index, list] of own) changes[index - 1]?.push(list)
  }
  return changes
}

/** Links of one partition: in each round every meter says something. */
function* links(
  changes: Awaited<ReturnType<typeof sample>>,
  count: number,
  progress: number,
): Generator<AcceptedBatch> {
  let before: AcceptedBatch | undefined
  const rounds = Math.max(...changes.map((one) => one.length))
  for (let round = 0; round < rounds; round++) {
    for (let from = 0; from < count; from += perBatch) {
      const tables = new Map<string, { index: number; day: number; value: Uint8Array }[]>()
      for (let meter = from; meter < Math.min(count, from + perBatch); meter++) {
        for (const { table, cells } of changes[meter % sampled]![round] ?? []) {
          const list = tables.get(table) ?? []
          tables.set(table, list)
          for (const { day, value } of cells) list.push({ index: meter + 1, day, value })
        }
      }
      const seq: number = (before?.seq ?? 0) + 1
      const body = { kind: 'batch', seq, inFrom: 0n, inTo: 0n, floor: 0, progress } as const
      before = link(topics.meterAccepted as never, before?.hash ?? genesis, {
        ...body,
        tables: [...tables].map(([table, cells]) => ({ table, cells })),
      })
      yield before
    }
  }
}

/** Processor time of a process so far, in ms; a tick of /proc is 10 ms. */
function busyMs(pid: number): number {
  const [user, system] = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ').slice(11, 13)
  return (Number(user) + Number(system)) * 10
}

/** The most memory that a process ever had, in MB. */
const mostMegabytes = (pid: number): number =>
  Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1]) / 1_000)

describe('a large state', { skip: own.skip }, () => {
  let redis: TestServer
  let stage: Stage
  before(async () => {
    redis = await redisServer({ aof: false })
  })
  after(async () => {
    await stage?.close()
    await redis.stop()
    await own.stop()
  })

  test(`is rebuilt: ${meters} meters over 48 hours`, async (t) => {
    stage = await openStage({
      brokers: own.address('kafka').split(','),
      registry: own.address('registry'),
      redis: redis.node,
      prefix: own.unique('large'),
      seed: 42,
      homes: 64,
      partitions,
      faults: { ...noFaults },
      pipelines: ['readings'],
      deadlineMs: 60_000,
    })
    const { crew, fleet, log, wire, settings } = stage
    await crew.moveTo(stage.end)
    const arrivals = [...fleet.arrivals()].flatMap((tick) => tick.arrivals)
    const changes = await sample(stage.start - 2 * 86_400_000)
    const client = kafkaLog({ brokers: settings.brokers })
    let bytes = 0
    let written = 0
    for (let partition = 0; partition < partitions; partition++) {
      for (const one of links(changes, meters / partitions, stage.start)) {
        const value = wire.encode(topics.meterAccepted as never, one)
        bytes += value.length
        written += 1
        const topic = `${settings.prefix}.${topics.meterAccepted.name}`
        await client.append([{ topic, partition, key: null, value, timestamp: stage.start }])
      }
    }
    await client.close()
    t.diagnostic(`${written} links, ${Math.round(bytes / 1e6)} MB of changelog`)

    const broker = own.nodes('kafka')[0]!.process!.pid
    const worker = await crew.launch(0, { settings: { ordinal: { index: 0, of: 1 } } })
    await worker.running
    let [ours, its] = [busyMs(worker.pid), busyMs(broker)]
    const busySince = () => {
      const [oursThen, itsThen] = [ours, its]
      ours = busyMs(worker.pid)
      its = busyMs(broker)
      return `of processor time the worker took ${ours - oursThen} ms, the broker ${its - itsThen} ms`
    }
    const running = () => crew.log().match(/readings\[\d\]: running/g)?.length ?? 0
    const began = performance.now()
    while (running() < partitions) {
      if (crew.deaths.length > 0) throw new Error(crew.log().slice(-2_000))
      await pause(20)
    }
    t.diagnostic(`a new worker before an empty Redis runs after ${Math.round(performance.now() - began)} ms`)
    t.diagnostic(`${busySince()}; it had ${mostMegabytes(worker.pid)} MB at most`)
    await stage.feed(arrivals.slice(0, 64))
    await stage.settle(worker)

    busySince()
    const commits = crew.commits.length
    const since = Date.now()
    await redis.admin.flushall()
    await stage.feed(arrivals.slice(64, 256))
    const first = async () => {
      for (;;) {
        const all = new Set(crew.commits.slice(commits).map(({ partition }) => partition))
        if (all.size >= partitions) return
        if (crew.deaths.length > 0) throw new Error(crew.log().slice(-2_000))
        await pause(10)
      }
    }
    await first()
    const took = crew.commits.at(-1)!.at - since
    t.diagnostic(
      `Redis emptied to the last partition's first commit: ${took} ms; goal 15000 ms ${took <= 15_000 ? 'met' : 'missed'}`,
    )
    t.diagnostic(`${busySince()}; it had ${mostMegabytes(worker.pid)} MB at most`)
    t.diagnostic(`Redis holds ${Math.round((await redis.used()) / 1e6)} MB`)
    await stage.settle(worker, 120_000)
    assert.equal((await log.bounds(topics.householdReadings.name, 0, 'read_committed')).end > 0n, true)
    await worker.stop()
  })
})
