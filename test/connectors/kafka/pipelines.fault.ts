import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkReadings } from '../../../bench/fleet/checker.ts'
import { createFleet } from '../../../bench/fleet/index.ts'
import type { Isolation, LogRecord } from '../../../connectors/contract.ts'
import { kafkaLog } from '../../../connectors/kafka/index.ts'
import { memorySchemaRegistry, memoryStateView } from '../../../connectors/memory/index.ts'
import { minutes, virtualClock } from '../../../operators/contract/clock.ts'
import { defaultPolicy, type ReleasePolicy, resolvePolicy } from '../../../operators/privacy/release/policy.ts'
import { pseudonymsOf } from '../../../pipelines/cli/demo-scenario.ts'
import { allPipelines } from '../../../pipelines/index.ts'
import { readRange } from '../../../pipelines/runtime/changelog.ts'
import { Killed, type Ports, type Probe, type Running, run, sealer } from '../../../pipelines/runtime/index.ts'
import type { AnyTopic } from '../../../pipelines/runtime/stream.ts'
import { openWire } from '../../../pipelines/runtime/wire.ts'
import { stagedLog } from '../../../pipelines/simulation/staged-log.ts'
import { watchQuiet } from '../../../pipelines/simulation/watch-quiet.ts'
import type { Topic } from '../../../schemas/codec.ts'
import type { Label } from '../../../schemas/label.ts'
import type { LoadPublic } from '../../../schemas/load-public.ts'
import { topicSpecs, topics } from '../../../schemas/topics.ts'
import { checkRelease } from '../../helpers/release-checker.ts'
import { services } from '../../helpers/services.ts'

const real = await services({ kafka: true })

const partitions = 2
const groupPartitions = 2
const dayMs = 86_400_000
const stepMs = minutes(60)

/** Small groups may be released here, so that a small fleet shows what a large one would. */
const policy: ReleasePolicy = {
  ...defaultPolicy,
  rules: { residential: { minCount: 2, maxShare: null }, other: { minCount: 2, maxShare: null } },
  meanLoadWhPerDay: 100_000_000,
}

describe('all four pipelines over Kafka', { skip: real.skip }, () => {
  test('a day of a small fleet, killed again and again: nothing lost, nothing twice, every release sound', async () => {
    const start = Math.floor(Date.now() / dayMs) * dayMs - 2 * dayMs
    const end = start + minutes(30.5 * 60)
    const faults = { corrupt: 0.01, replayed: 0.01, duplicates: 0.05, homesPerGateway: 4 }
    const profileNames = { described: 'interval-30min', objects: 'interval-30min' }
    const fleet = createFleet({ seed: 7, homes: 16, start, partitions, profileNames, faults })
    const { entries, register, keyring } = fleet
    const { zone, timeZone } = entries[0]!

    const clock = virtualClock(start)
    const client = kafkaLog({ brokers: real.address('kafka').split(',') })
    const log = stagedLog(client, clock, real.unique('day'))
    await log.createTopics(topicSpecs(partitions, { groupPartitions }))
    const registry = memorySchemaRegistry()
    const wire = await openWire(registry, Object.values(topics))
    const ports: Ports = { log, view: memoryStateView(), registry, clock, seal: sealer(keyring) }
    const domain = { name: 'utility', zone, timeZone, partitions }

    let moments = 0
    let kills = 0
    let over = false
    // Every 797th moment: a prime, so that all steps of all pipelines get their turn.
    const strike: Probe = ({ step, at }) => {
      if (over || step === 'poll' || ++moments % 797 !== 0) return
      kills += 1
      throw new Killed(`${at} ${step}`)
    }

    let watch = watchQuiet(strike)
    let running: readonly Running[] = []
    const launch = async () => {
      watch = watchQuiet(strike)
      const pipelines = await allPipelines({ entries, register, keyring, registry, domain, policy })
      running = await Promise.all(
        pipelines.map(async (pipeline) => {
          const count = await log.partitions(pipeline.source.name)
          watch.expect(count)
          const own = Array.from({ length: count }, (_, partition) => partition)
          const task = { heartbeatMs: minutes(5), lingerMs: 50 }
          return run(pipeline, ports, { probe: watch.probe, task, partitions: own })
        }),
      )
    }
    const rest = async () => {
      for (;;) {
        try {
          return await watch.rest(Promise.all(running.map(({ done }) => done)))
        } catch (error) {
          if (!(error instanceof Killed)) throw error
          await launch()
        }
      }
    }

    await launch()
    const sequences: number[][] = Array.from({ length: partitions }, () => [])
    const ticks = fleet.arrivals(end)
    let tick = ticks.next()
    for (let until = start; until <= end; until += stepMs) {
      for (; !tick.done && tick.value.at <= until; tick = ticks.next()) {
        for (const { receivedAt, partition, frame, seq } of tick.value.arrivals) {
          clock.moveTo(receivedAt)
          sequences[partition]!.push(seq)
          const value = wire.encode(topics.meterFrames, frame)
          await log.append([{ topic: topics.meterFrames.name, partition, key: null, value }])
        }
      }
      clock.moveTo(until)
      await rest()
    }
    await rest()
    over = true
    for (const one of running) await one.stop()

    const records = async ({ name }: { readonly name: string }, isolation: Isolation): Promise<LogRecord[]> => {
      const all: LogRecord[] = []
      for (let partition = 0; partition < (await log.partitions(name)); partition++) {
        const bounds = await log.bounds(name, partition, isolation)
        all.push(...(await readRange(log, name, partition, bounds.first, bounds.end, isolation)))
      }
      return all
    }
    const read = async <T>(topic: Topic<T, Label>): Promise<T[]> =>
      (await records(topic, 'read_committed')).flatMap(({ value }) =>
        value ? [wire.decode(topic as AnyTopic, value) as T] : [],
      )
    const verdict = checkReadings(fleet.journal, {
      readings: await read(topics.householdReadings),
      rejected: await read(topics.meterRejected),
      counts: { received: 0, accepted: 0, dropped: {}, rejected: {} },
      pseudonymOf: pseudonymsOf(keyring),
      sequenceAt: (partition, offset) => sequences[partition]?.[offset],
    })
    const published = (await records(topics.loadPublic, 'read_uncommitted')).map(({ key, value, timestamp }) => ({
      key: Buffer.from(key!).toString(),
      bytes: value!,
      timestamp,
    }))
    const violations = checkRelease({
      ledger: await read(topics.releaseLedger),
      published,
      codec: { decode: (bytes) => wire.decode(topics.loadPublic, bytes) as LoadPublic },
      cap: resolvePolicy(policy).cap,
    })
    await log.close()

    const { required, lost, duplicate, wrong, unexpected, misjudged } = verdict
    assert.ok(required > 500 && kills > 5, `${required} intervals and ${kills} kills`)
    for (const [what, { count }] of Object.entries({ lost, duplicate, wrong, unexpected, misjudged })) {
      assert.equal(count, 0, `intervals ${what}`)
    }
    assert.deepEqual(violations, [])
    assert.ok(published.length > 0, 'something was released')
  })
})
