import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { noFaults } from '../../../bench/fleet/index.ts'
import type { FateName } from '../../../bench/fleet/journal.ts'
import { defaultMeterMix, meterOf, placeOf } from '../../../bench/fleet/meters.ts'
import { createTransmitter, frameOf, type Transmitter } from '../../../bench/fleet/transmit.ts'
import { hours, minutes } from '../../../operators/contract/clock.ts'
import { readRange } from '../../../pipelines/runtime/changelog.ts'
import type { MeterFrame } from '../../../schemas/meter-frame.ts'
import { topics } from '../../../schemas/topics.ts'
import { redisServer, type TestServer } from '../../connectors/redis/redis-server.ts'
import { services } from '../../helpers/services.ts'
import { checkStage } from './check.ts'
import { known } from './kill-run.ts'
import { openStage, type Stage } from './stage.ts'
import { stream } from './stream.ts'

/*
 * A storm of duplicates: row 22 of the fault matrix. Every interval comes fifty times: as a copy of its frame, in the same
 * batch, an hour later and a day later, under another pseudonym epoch; and in messages of its own, with counters that are
 * new, so that the interval alone tells; while workers are killed, after the keys of the view have expired, and in
 * partitions that own it not. What lies behind the horizon is too late, whether it was seen before or not.
 * `planted.fault.ts` lets such copies come to a worker that remembers its last batches alone.
 */

const shared = await services({ kafka: true, registry: true })

const homes = 10
const partitions = 2
/** Copies of each frame: with it, an hour later, and a day later. */
const copies = { now: 14, later: 13, nextDay: 10 }
/** How often each interval comes at the least. */
const leastTimes = 50
/** Messages of its own for each interval in the end. */
const rereads = 20
const horizonMs = hours(36)
const patienceMs = 120_000

/** What lies in each partition between two ends. */
interface Span {
  readonly from: readonly number[]
  readonly to: readonly number[]
}

describe('a storm of duplicates', { skip: shared.skip }, () => {
  let redis: TestServer
  before(async () => {
    redis = await redisServer({ aof: true })
  })
  after(() => redis.stop())

  test('every interval fifty times, across batches, epochs, workers, partitions and lost views: one wins', async (t) => {
    const stage = await openStage({
      brokers: shared.address('kafka').split(','),
      registry: shared.address('registry'),
      redis: redis.node,
      prefix: shared.unique('storm'),
      seed: 22,
      homes,
      days: 3,
      partitions,
      faults: { ...noFaults, never: 0.03 },
      task: { horizonMs },
    })
    const { crew, fleet, log } = stage
    const { journal } = fleet
    const calm = async (left = 0) => {
      for (const until = performance.now() + patienceMs; (await stage.unfinished()) > left; await pause(50)) {
        if (performance.now() > until) throw new Error(`I8: ${await stage.unfinished()} frames after ${patienceMs} ms`)
      }
    }
    let under = 0
    const note = async () => {
      if ((await stage.unfinished()) > 0) under += 1
    }
    let copied = 0
    /**
     * Frames of a span of arrival, `times` times over, byte for byte. The digests of a meter's last messages are kept: a
     * copy of an older one is taken for a replay.
     */
    const copy = async ({ from, to }: Span, times: number, fate: FateName = 'duplicate', elsewhere = 0) => {
      for (let partition = 0; partition < partitions; partition++) {
        const records = await readRange(
          log,
          topics.meterFrames.name,
          partition,
          BigInt(from[partition]!),
          BigInt(to[partition]!),
        )
        const again = records.flatMap(({ offset, value }) => {
          const { kind, seq, ...first } = journal.sighting(stage.sequenceAt(partition, Number(offset))!)
          if (first.fate !== 'accepted' || kind !== 'original' || first.slots !== 1) return []
          const noted = { ...first, kind: 'duplicate', fate, receivedAt: crew.now() } as const
          return Array.from({ length: times }, () => ({ value, noted }))
        })
        await stage.feedBytes(
          again.map(({ value, noted }) => ({
            partition: (partition + elsewhere) % partitions,
            seq: journal.record(noted),
            value,
          })),
        )
        copied += again.length
      }
    }
    const ends = () => stage.sequences.map((own) => own.length)
    try {
      let kept = crew.keep(2)
      await stage.feedTo(stage.start + minutes(30))
      await known(stage)
      const spans: Span[] = []
      let kills = 0
      for (let hour = 1; stage.start + hours(hour) <= stage.end; hour++) {
        const from = hour === 1 ? ends().map(() => 0) : ends()
        const before = spans.at(-1)
        await stage.feedTo(stage.start + hours(hour))
        const own = { from, to: ends() }
        spans.push(own)
        await copy(own, copies.now)
        if (before) await copy(before, copies.later)
        const yesterday = spans.at(-26)
        if (yesterday) await copy(yesterday, copies.nextDay, 'duplicateOrReplayed')
        await note()
        if (hour % 8 === 3 && (await stage.unfinished()) > 0) {
          kept.workers()[kills++ % 2]?.signal('SIGKILL')
        }
        await calm()
      }
      // Those that begin now tell in the end what they dropped.
      await kept.stop()
      crew.restoreFates(new Map())
      kept = crew.keep(2)

      const reread = rereading(stage)
      const tooLate = await reread.behindHorizon()
      let fresh = 0
      for (let round = 0; round < rereads; round++) {
        fresh += await reread.inHorizon()
        await note()
        if (round % 4 !== 3) continue
        // While they are at it: the view is there, and work is left.
        await calm(fresh / (round + 1) / 2)
        if (round % 8 === 3) await expired(redis, stage.options.prefix)
        else await kept.workers()[0]?.stop()
      }
      await calm()
      // In the partition that owns it not: passed on to the one that does.
      const misplaced = await reread.inHorizon(1)
      await copy({ from: spans.at(-16)!.from, to: spans.at(-8)!.to }, 1, 'duplicateOrReplayed', 1)
      await stage.drain(patienceMs)
      // The last record of each partition is one that the journal knows.
      await reread.inHorizon()
      await stage.drain(patienceMs)
      await kept.stop()

      const { numbered, forwarded } = await withForwarded(stage)
      const outcome = await checkStage(numbered)
      const least = fewestTimes(journal)
      const found = (name: string) => crew.fates.get(`dropped:${name}`) ?? 0
      t.diagnostic(
        `${copied} copies and ${fresh + misplaced} messages with new counters of ${outcome.intervals} intervals, each ${least} times or more, ${under} times under work; ${kills} workers killed; ${forwarded} frames passed on; ${tooLate} intervals behind the horizon`,
      )
      t.diagnostic(
        `in the end dropped: ${[...crew.fates].map(([name, count]) => `${count} ${name}`).join(', ')}; ${outcome.faults.length} violations`,
      )
      for (const line of outcome.faults) t.diagnostic(line)
      assert.deepEqual(outcome.faults, [])
      assert.ok(least >= leastTimes && under >= 20 && kills >= 5, 'did not bite')
      assert.ok(found('duplicate') >= fresh, `${found('duplicate')} duplicates`)
      assert.ok(tooLate > 5_000 && found('too_late') >= tooLate, `${found('too_late')} of ${tooLate} too late`)
      assert.ok(forwarded > misplaced, `${forwarded} passed on`)
    } finally {
      if (process.env['MV_LOG']) process.stderr.write(crew.log())
      await stage.close()
    }
  })
})

/** How often the interval that came least often came, of those that have to be there. */
function fewestTimes(journal: Stage['fleet']['journal']): number {
  const times = new Uint32Array(homes * journal.slots)
  for (let seq = 0; seq < journal.sightings(); seq++) {
    const { home, firstSlot, slots } = journal.sighting(seq)
    for (let slot = firstSlot; home >= 0 && slot < firstSlot + slots; slot++) times[home * journal.slots + slot]! += 1
  }
  return times.reduce((least, many, at) => {
    const wanted = journal.expectation(Math.floor(at / journal.slots), at % journal.slots) === 'required'
    return wanted ? Math.min(least, many) : least
  }, Number.POSITIVE_INFINITY)
}

/** Meters that are asked again for what they have sent, under counters that nobody has seen. */
function rereading({ fleet, feed, crew, options, start }: Stage) {
  const { seed } = options
  const { journal, slots } = fleet
  const transmitter = transmitterOf(fleet, seed)
  const meters = Array.from({ length: homes }, (_, home) => meterOf(seed, home, 0, defaultMeterMix))
  const next = meters.map(({ firstCounter }) => firstCounter + 100_000)
  const send = async (wanted: (home: number, slot: number) => FateName | undefined, elsewhere = 0) => {
    let sent = 0
    for (let first = 0; first < slots.count; first += 24) {
      const arrivals = meters.flatMap((meter) =>
        Array.from({ length: Math.min(24, slots.count - first) }, (_, i) => first + i).flatMap((slot) => {
          const fate = wanted(meter.home, slot)
          if (fate === undefined) return []
          const message = { meter, firstSlot: slot, slots: 1, clockAheadMs: 0, protection: 'own', changeWh: 0 } as const
          const receivedAt = crew.now()
          const counter = next[meter.home]!++
          const units = transmitter.unitsOf({ ...message, sentAt: receivedAt - 2_000, counter })
          const connection = journal.connectionOf(meter.home)
          return units.map((bytes, unit) => {
            const whole = unit === units.length - 1
            const frame: MeterFrame = frameOf(connection, fleet.entries[0]!.zone, meter.carriage, bytes)
            const seq = journal.record({
              kind: whole ? 'duplicate' : 'part',
              fate: whole ? fate : 'part',
              receivedAt,
              home: meter.home,
              firstSlot: slot,
              slots: whole ? 1 : 0,
            })
            const { partition } = placeOf(meter.home, partitions)
            return { receivedAt, frame, partition: (partition + elsewhere) % partitions, seq }
          })
        }),
      )
      await feed(arrivals)
      sent += arrivals.filter(({ seq }) => journal.sighting(seq).kind === 'duplicate').length
    }
    return sent
  }
  const floor = () => crew.now() - horizonMs
  const dayEnd = (slot: number) => start + (Math.floor((slot * slots.intervalMs) / hours(24)) + 1) * hours(24)
  return {
    /** Every interval that was accepted and is not too old, once. */
    inHorizon: (elsewhere = 0) =>
      send(
        (home, slot) =>
          dayEnd(slot) > floor() && journal.expectation(home, slot) === 'required' ? 'duplicate' : undefined,
        elsewhere,
      ),
    /** Every interval that is too old, whether it was ever sent or not, often. */
    behindHorizon: async () => {
      let sent = 0
      for (let round = 0; round < rereads; round++) {
        sent += await send((_, slot) => (dayEnd(slot) <= floor() ? 'tooLate' : undefined))
      }
      return sent
    },
  }
}

/** An encoder of the fleet's meters; what they truly measured stands in the journal. */
function transmitterOf({ journal, slots }: Stage['fleet'], seed: number): Transmitter {
  const values = (channel: 'import' | 'export') =>
    Int32Array.from({ length: homes * slots.count }, (_, at) => {
      return journal.valueWh(Math.floor(at / slots.count), channel, at % slots.count) ?? 0
    })
  const importWh = values('import')
  const totalWh = new Uint32Array(importWh.length)
  for (let at = 0; at < importWh.length; at++) {
    totalWh[at] = importWh[at]! + (at % slots.count === 0 ? 0 : totalWh[at - 1]!)
  }
  return createTransmitter({
    seed,
    slots,
    values: {
      importWh,
      exportWh: values('export'),
      totalWh,
      exports: (home) => journal.valueWh(home, 'export', 0) !== undefined,
      firstSlotOf: () => 0,
    },
    statusFlagged: 0,
  })
}

/** Lets everything that Redis keeps for a stage expire at once, as if nobody had renewed it for longer than it may live. */
async function expired({ admin }: TestServer, prefix: string): Promise<void> {
  const keys = await admin.keys(`${prefix}*`)
  if (keys.length === 0) throw new Error('Redis keeps nothing that could expire')
  await Promise.all(keys.map((key) => admin.pexpire(key, 1)))
  while ((await admin.exists(...keys)) > 0) await pause(1)
}

/** The stage with the frames numbered as they lie in the topic, among those that [readings] passed on. */
async function withForwarded(stage: Stage): Promise<{ readonly numbered: Stage; readonly forwarded: number }> {
  let forwarded = 0
  const sequences = await Promise.all(
    stage.sequences.map(async (own, partition) => {
      const sparse: number[] = []
      let nth = 0
      for await (const { offset, value } of stream(stage, topics.meterFrames.name, partition, 'read_committed')) {
        const frame = stage.wire.decode(topics.meterFrames as never, value!) as MeterFrame
        if (frame.forwarded > 0) forwarded += 1
        else sparse[Number(offset)] = own[nth++]!
      }
      assert.equal(nth, own.length, 'frames that were sent are not there')
      return sparse
    }),
  )
  const sequenceAt = (partition: number, offset: number) => sequences[partition]?.[offset]
  return { numbered: { ...stage, sequences, sequenceAt, log: stage.log }, forwarded }
}
