import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import kafkajs from 'kafkajs'
import type { FateName, SightingKind } from '../../../bench/fleet/journal.ts'
import { simulationRandom } from '../../../bench/fleet/random.ts'
import { confluentSchemaRegistry } from '../../../connectors/registry/index.ts'
import { minutes } from '../../../operators/contract/clock.ts'
import { readRange } from '../../../pipelines/runtime/changelog.ts'
import type { MeterFrame } from '../../../schemas/meter-frame.ts'
import { topics } from '../../../schemas/topics.ts'
import { redisServer, type TestServer } from '../../connectors/redis/redis-server.ts'
import { type OwnServices, ownServices } from '../../helpers/services.ts'
import { bytes, joined, wrapper } from '../../operators/decode-dlms/make.ts'
import { checkStage, type Outcome } from './check.ts'
import { killRun, killRunText, known } from './kill-run.ts'
import { openStage, roughFaults, type Stage, type StageOptions } from './stage.ts'

/*
 * What must not be taken in, among what must: rows 24, 25 and 27 of the fault matrix. Everything sent is in the journal
 * with what has to become of it, so that the checker counts it, by counter and by record.
 */

const own: OwnServices = await ownServices({ kafka: true, registry: true })

const foreignSchema = '{"type":"record","name":"foreign","fields":[{"name":"number","type":"long"}]}'

/** APDUs in the clear whose data is deep, endless or empty; the policy takes none in the clear either. */
const monsters: readonly Uint8Array[] = [
  joined(bytes('0f 00000001 00'), ...Array.from({ length: 100 }, () => bytes('0201')), bytes('00')),
  joined(bytes('0f 00000001 00 01 82 ffff'), new Uint8Array(0xffff)),
  joined(bytes('0f 00000001 00 09 84 7fffffff'), new Uint8Array(64)),
  bytes('0f 00000001 00 00'),
  bytes('0f 00000001 00'),
  bytes('db 08'),
  bytes('ff'),
  new Uint8Array(0),
]

describe('input that is poison', { skip: own.skip }, () => {
  let redis: TestServer
  before(async () => {
    redis = await redisServer({ aof: true })
  })
  after(async () => {
    await redis.stop()
    await own.stop()
  })

  const on = async (
    name: string,
    options: Omit<StageOptions, 'brokers' | 'registry' | 'redis' | 'prefix'>,
    act: (stage: Stage) => Promise<void>,
  ) => {
    const brokers = own.address('kafka').split(',')
    const registry = own.address('registry')
    const stage = await openStage({ brokers, registry, redis: redis.node, prefix: own.unique(name), ...options })
    try {
      await act(stage)
    } finally {
      if (process.env['MV_LOG']) process.stderr.write(stage.crew.log())
      await stage.close()
    }
  }
  const counted = (t: TestContext, outcome: Outcome) => {
    t.diagnostic(outcome.verdict.reasons.map(({ reason, counted: many }) => `${many} ${reason}`).join(', '))
    assert.deepEqual(outcome.faults, [])
    t.diagnostic(
      outcome.counted ? 'counters and records agree' : 'a transaction was tried again: records were checked alone',
    )
  }
  const stillness = (stage: Stage): string =>
    [...stage.crew.log().matchAll(/stood still for (\d+) ms/g)].map(([, ms]) => `${ms} ms`).join(', ')

  /** Sends frames with what has to become of them. */
  const feedFrames = async (
    { fleet, feed, crew }: Stage,
    like: MeterFrame,
    all: readonly Uint8Array[],
    fate: FateName,
  ) => {
    const noted = {
      kind: 'corrupt',
      fate,
      receivedAt: crew.now(),
      home: -1,
      firstSlot: 0,
      slots: 0,
    } as const
    await feed(
      all.map((one) => ({
        partition: 0,
        frame: { ...like, bytes: one },
        receivedAt: crew.now(),
        seq: fleet.journal.record(noted),
      })),
    )
    return all.length
  }

  /** The longest frame so far that travels in a wrapper, of a connection whose messages are never in parts. */
  const wrapped = async ({ log, wire, fleet, sequenceAt }: Stage): Promise<MeterFrame> => {
    const { first, end } = await log.bounds(topics.meterFrames.name, 0, 'read_committed')
    const records = await readRange(log, topics.meterFrames.name, 0, first, end)
    const whole: MeterFrame[] = []
    const inParts = new Set<string>()
    for (const { offset, value } of records) {
      const frame = wire.decode(topics.meterFrames as never, value!) as MeterFrame
      const { fate } = fleet.journal.sighting(sequenceAt(0, Number(offset))!)
      if (fate === 'accepted' && frame.transport === 'wrapper') whole.push(frame)
      if (fate === 'part' || fate === 'refusedOrPart') inParts.add(frame.connection)
    }
    const own = whole.filter(({ connection }) => !inParts.has(connection))
    return own.toSorted((a, b) => b.bytes.length - a.bytes.length)[0]!
  }

  test('frames cut off at every byte, with lengths that lie, deep, endless, and with a wrong tag, among good ones', async (t) => {
    await on('poison', { seed: 61, homes: 40, faults: { ...roughFaults, corrupt: 0.05 } }, async (stage) => {
      let sent = 0
      let under = 0
      const result = await killRun(stage, {
        seed: 61,
        assignment: 'group',
        paceMs: [200, 200],
        drainMs: 120_000,
        disturb: async (step) => {
          if (step % 6 !== 3) return
          const like = await wrapped(stage)
          const { bytes: whole } = like
          const cut = Array.from({ length: whole.length - 1 }, (_, at) => whole.slice(0, at + 1))
          const damaged = [...Array(16).keys()].map((at) =>
            whole.with(whole.length - 1 - at, whole.at(-1 - at)! ^ 0x40),
          )
          const lies = [0, 1, 0x7fff, 0xffff].map((length) => whole.with(6, length >> 8).with(7, length & 0xff))
          const apdus = monsters.map((apdu) => (apdu.length > 0xff00 ? apdu : wrapper(apdu)))
          const random = simulationRandom(61, 'corruption', step)
          const noise = Array.from({ length: 20 }, () =>
            Uint8Array.from({ length: 1 + random.below(300) }, () => random.below(256)),
          )
          sent += await feedFrames(stage, like, [...cut, ...lies, ...apdus, ...noise], 'refused')
          // Its counter was seen before, which is looked at first: some of these are dropped as duplicates.
          sent += await feedFrames(stage, like, damaged, 'uncertain')
          under += (await stage.unfinished()) > 0 ? 1 : 0
        },
      })
      t.diagnostic(killRunText(result))
      t.diagnostic(
        `${sent} poisonous frames, ${under} times under work; the event loops stood still for ${stillness(stage)} at the longest`,
      )
      counted(t, result.outcome)
      assert.ok(sent > 1_000 && under >= 3, 'did not bite')
    })
  })

  test('records of unknown and other schemas, and a schema that does not fit, while all goes on', async (t) => {
    await on('schemas', { seed: 62, homes: 30 }, async (stage) => {
      const registry = confluentSchemaRegistry({ url: own.address('registry') })
      const foreign = await registry.register(own.unique('foreign'), foreignSchema)
      const { schema } = topics.meterFrames.codec
      const misfit = JSON.stringify({ ...(JSON.parse(schema) as object), fields: [{ name: 'other', type: 'long' }] })
      let sent = 0
      let refused = 0
      const result = await killRun(stage, {
        seed: 62,
        assignment: 'group',
        paceMs: [200, 200],
        drainMs: 120_000,
        disturb: async (step) => {
          if (step % 6 !== 3) return
          const [good] = await readRange(stage.log, topics.meterFrames.name, 0, 0n, 1n)
          const value = Buffer.from(good!.value!)
          const named = (id: number) =>
            Buffer.concat([Buffer.from([0, id >> 24, id >> 16, id >> 8, id]), value.subarray(5)])
          const bad = [
            named(0x7fff_ffff),
            named(foreign),
            value.subarray(0, 9),
            value.subarray(0, 3),
            Buffer.alloc(0),
            null,
            Buffer.concat([Buffer.of(1), value]),
          ]
          const noted = {
            kind: 'corrupt',
            fate: 'refused',
            receivedAt: stage.crew.now(),
            home: -1,
            firstSlot: 0,
            slots: 0,
          } as const
          await stage.feedBytes(
            bad.map((one, i) => ({ partition: i % 2, seq: stage.fleet.journal.record(noted), value: one })),
          )
          sent += bad.length
          await registry.register(`${topics.meterFrames.name}-value`, misfit).catch(() => {
            refused += 1
          })
        },
      })
      t.diagnostic(killRunText(result))
      t.diagnostic(`${sent} records of other schemas; a schema that does not fit was refused ${refused} times`)
      counted(t, result.outcome)
      const mismatches = result.outcome.verdict.reasons.find(({ reason }) => reason === 'schema_mismatch')
      assert.ok(sent >= 50 && refused >= 8 && (mismatches?.counted ?? 0) >= sent, 'did not bite')
    })
  })

  test('all of yesterday once more, after the offsets of the group were reset: nothing new comes of it', async (t) => {
    await on('again', { seed: 63, homes: 30, faults: { ...roughFaults, restated: 0, tooLate: 0 } }, async (stage) => {
      const { crew, log, fleet, sequences } = stage
      const ends = () =>
        Promise.all(
          [0, 1].map(async (p) => (await log.bounds(topics.householdReadings.name, p, 'read_uncommitted')).end),
        )
      const first = crew.keep(2)
      await stage.feedTo(stage.start + minutes(30))
      await known(stage)
      for (let at = stage.start; at < stage.end; at += minutes(120)) await stage.feedTo(at)
      await stage.feedTo(stage.end)
      await stage.drain(120_000)
      await first.stop()
      const before = await ends()

      const group = `${stage.options.prefix}.readings`
      const admin = new kafkajs.Kafka({
        brokers: own.address('kafka').split(','),
        logLevel: kafkajs.logLevel.NOTHING,
      }).admin()
      await admin.connect()
      await admin.resetOffsets({
        groupId: group,
        topic: `${stage.options.prefix}.${topics.meterFrames.name}`,
        earliest: true,
      })
      await admin.disconnect()
      const reset = [...(await stage.lag())]
        .filter(([name]) => name.startsWith('readings/'))
        .map(([, records]) => Number(records))
      const yesterday = await Promise.all(
        sequences.map(async (own, p) => ({
          own: [...own],
          records: await readRange(log, topics.meterFrames.name, p, 0n, BigInt(own.length)),
        })),
      )
      const second = crew.keep(2)
      let again = 0
      for (const [partition, { own, records }] of yesterday.entries()) {
        const copies = records.map(({ value }, offset) => {
          const { fate, ...sighting } = fleet.journal.sighting(own[offset]!)
          const noted = { ...sighting, kind: 'duplicate' as SightingKind, fate: againOf(fate), receivedAt: crew.now() }
          return { partition, seq: fleet.journal.record(noted), value }
        })
        await stage.feedBytes(copies)
        again += copies.length
      }
      await stage.drain(120_000)
      await second.stop()
      t.diagnostic(`the group was set back by ${reset.join(' and ')} records; ${again} frames came again`)
      const outcome = await checkStage(stage)
      counted(t, outcome)
      const after = await ends()
      // Only the markers of the transactions that say so.
      t.diagnostic(`household.readings ended at ${before.join(' and ')}, and then at ${after.join(' and ')}`)
      assert.ok(reset.every((records) => records > 100) && again > 500, 'did not bite')
    })
  })
})

/** What becomes of a frame the second time, by what became of it the first time. */
function againOf(fate: FateName): FateName {
  if (fate === 'accepted' || fate === 'duplicate' || fate === 'replayed') return 'duplicateOrReplayed'
  // What had no whole message to belong to may now follow the end of one.
  if (fate === 'refused') return 'refusedOrPart'
  return fate.startsWith('accepted') ? 'uncertain' : fate
}
