// The same command over Kafka and a registry.
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { kafkaLog } from '../../../connectors/kafka/index.ts'
import { fileKeyring } from '../../../connectors/keyring/index.ts'
import { confluentSchemaRegistry } from '../../../connectors/registry/index.ts'
import { deadLetter, sealer } from '../../../pipelines/runtime/dead-letter.ts'
import type { AnyTopic } from '../../../pipelines/runtime/stream.ts'
import { openWire } from '../../../pipelines/runtime/wire.ts'
import type { MeterFrame } from '../../../schemas/meter-frame.ts'
import { topics } from '../../../schemas/topics.ts'
import { ownServices } from '../../helpers/services.ts'
import { meterveil } from './command.ts'
import { readTopic } from './data-folder.ts'

// Services of its own: the topics of a deployment have fixed names.
const own = await ownServices({ kafka: true, registry: true })
const keys = mkdtempSync(join(tmpdir(), 'meterveil-rejected-kafka-'))
after(async () => {
  await own.stop()
  rmSync(keys, { recursive: true })
})

describe('refused frames in Kafka', { skip: own.skip }, () => {
  it('are shown, and replayed into the partition that they came from', async (t) => {
    const brokers = own.address('kafka').split(',')
    const url = own.address('registry')
    for (const [name, text] of [
      ['master.key', '5a'.repeat(32)],
      ['meters.jsonl', ''],
    ] as const) {
      writeFileSync(join(keys, name), text)
      chmodSync(join(keys, name), 0o600)
    }
    const env = {
      METERVEIL_MODE: 'development',
      METERVEIL_KAFKA_BROKERS: brokers.join(','),
      METERVEIL_REGISTRY_URL: url,
      METERVEIL_PARTITIONS: '2',
      METERVEIL_KEYRING_FOLDER: keys,
    }
    const without = meterveil(['rejected', 'show'], env)
    assert.match(without.stderr, /Kafka has no topic meter\.rejected: run npx meterveil topics apply/)
    const applied = meterveil(['topics', 'apply'], env)
    assert.equal(applied.code, 0, applied.stderr)

    const log = kafkaLog({ brokers })
    t.after(() => log.close())
    const registry = confluentSchemaRegistry({ url, timeoutMs: 10_000 })
    const wire = await openWire(registry, [topics.meterRejected, topics.meterFrames] as AnyTopic[])
    const frame: MeterFrame = {
      connection: 'connection-4711',
      listener: 'file',
      zone: 'main',
      transport: 'apdu',
      forwarded: 0,
      bytes: Uint8Array.of(1, 2, 3),
    }
    const origin = { topic: topics.meterFrames.name, partition: 1, offset: 7n, receivedAt: 1_767_225_600_000 }
    const letter = deadLetter(
      { from: { value: null, origin }, reason: 'meter_unknown', stage: 'locate', byteOffset: undefined },
      wire.encode(topics.meterFrames as AnyTopic, frame),
      sealer(fileKeyring(keys)),
    )
    const value = wire.encode(topics.meterRejected as AnyTopic, letter)
    await log.append([{ topic: topics.meterRejected.name, partition: 1, key: null, value }])

    const shown = meterveil(['rejected', 'show'], env)
    assert.match(shown.stdout, /^2026-01-01T00:00:00\.000Z {2}meter_unknown at locate, meter\.frames\[1\] offset 7/m)
    assert.doesNotMatch(shown.stdout + shown.stderr, /4711/)
    const replayed = meterveil(['rejected', 'replay', '--reason', 'meter_unknown'], env)
    assert.match(replayed.stdout, /^Sent to meter\.frames: 1 frames/, replayed.stderr)
    assert.equal((await log.bounds(topics.meterFrames.name, 1, 'read_committed')).end, 1n)
    const [sent] = await readTopic(log, registry, topics.meterFrames)
    assert.deepEqual({ ...sent, bytes: [...(sent?.bytes ?? [])] }, { ...frame, bytes: [1, 2, 3] })
  })
})
