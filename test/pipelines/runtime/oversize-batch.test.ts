import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { Log, LogRecord } from '../../../connectors/contract.ts'
import { memoryKeyring } from '../../../connectors/keyring/index.ts'
import type { Fate } from '../../../pipelines/runtime/index.ts'
import { Killed, openDeadLetter, pipeline, sealer, silentObserver } from '../../../pipelines/runtime/index.ts'
import { testDriver } from '../../../pipelines/testing/driver.ts'
import type { RejectedFrame } from '../../../schemas/rejected-frame.ts'
import { toyChangelog as changelog, onceBy } from '../../helpers/toy-once.ts'
import { toyTopic } from '../../helpers/toy-topics.ts'

interface Item {
  readonly id: number
}
const input = toyTopic<Item, 'identified'>('items', 'identified')
const output = toyTopic<Item, 'identified'>('unique', 'identified')
const rejects = toyTopic<RejectedFrame, 'identified'>('rejects', 'identified')
const keyring = memoryKeyring({ master: randomBytes(32) })

const once = onceBy<Item>(({ id }) => id)
const unique = pipeline('unique', input, (items) => items.keyed(once).to(output), {
  rejects,
  changelog,
  covers: output,
})
const plain = pipeline('plain', input, (items) => items.to(output), { rejects })

const stored = Buffer.from('the batch as stored')

/** A log whose input holds one batch, of the offsets `first` to `last`, that cannot be unpacked; Kafka tells one so. */
function withOversize(log: Log, first: bigint, last: bigint): Log {
  const told = ({ offset, ...record }: LogRecord): LogRecord[] =>
    offset < first || offset > last
      ? [{ offset, ...record }]
      : offset === first
        ? [{ ...record, offset, through: last, key: null, value: stored, headers: {} }]
        : []
  return {
    ...log,
    read: async (topic, partition, from, isolation, oversize) => {
      const reader = await log.read(topic, partition, from, isolation)
      if (topic !== input.name) return reader
      assert.equal(oversize, 'tell')
      return {
        ...reader,
        poll: async (options) => {
          const { records, next } = await reader.poll(options)
          return { records: records.flatMap(told), next }
        },
      }
    },
  }
}

for (const one of [unique, plain]) {
  test(`${one.name}: a batch that cannot be unpacked is one rejection that names its offsets, and what follows is read`, async () => {
    const fates = new Map<Fate, number>()
    const driver = await testDriver([one], {
      seal: sealer(keyring),
      log: (log) => withOversize(log, 1n, 3n),
      observer: {
        ...silentObserver,
        batch: (_, __, { fates: ofBatch }) => {
          for (const [fate, n] of ofBatch) fates.set(fate, (fates.get(fate) ?? 0) + n)
        },
      },
    })
    await driver.pipe(input, [{ id: 1 }, { id: 2 }, { id: 3 }, { id: 4 }, { id: 5 }])
    await driver.pipe(input, [{ id: 6 }])
    await driver.stop()
    await driver.start()
    await driver.settle()
    assert.deepEqual(
      (await driver.read(output)).map(({ id }) => id),
      [1, 5, 6],
    )
    const letters = await driver.read(rejects)
    assert.deepEqual(
      letters.map(({ kind, reason, stage, offset, lastOffset }) => ({ kind, reason, stage, offset, lastOffset })),
      [{ kind: 'rejected', reason: 'batch_oversize', stage: 'decodeRecord', offset: 1, lastOffset: 3 }],
    )
    assert.deepEqual(Buffer.from(openDeadLetter(keyring, letters[0]!).bytes), stored)
    assert.deepEqual(
      fates,
      new Map([
        ['emitted', 3],
        ['rejected:batch_oversize', 1],
      ]),
    )
    await driver.stop()
  })
}

for (const at of ['before', 'after'] as const) {
  for (const step of ['produce', 'commit'] as const) {
    test(`killed ${at} ${step}, the batch is refused once, and the chain stands for its offsets`, async () => {
      let armed = true
      const driver = await testDriver([unique], {
        log: (log) => withOversize(log, 0n, 2n),
        probe: (moment) => {
          if (!armed || moment.step !== step || moment.at !== at) return
          armed = false
          throw new Killed(`${at} ${step}`)
        },
      })
      await assert.rejects(driver.pipe(input, [{ id: 1 }, { id: 2 }, { id: 3 }]), Killed)
      await driver.start()
      await driver.settle()
      await driver.pipe(input, [{ id: 4 }])
      const letters = await driver.read(rejects)
      assert.deepEqual(
        letters.map(({ offset, lastOffset }) => [offset, lastOffset]),
        [[0, 2]],
      )
      const links = (await driver.read(changelog)).filter(({ kind }) => kind === 'batch')
      assert.deepEqual([links[0]!.inFrom, links[0]!.inTo], [0n, 3n])
      assert.deepEqual(await driver.read(output), [{ id: 4 }])
      await driver.stop()
    })
  }
}
