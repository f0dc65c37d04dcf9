// Producers that are not ours compress as they like. Where a topic is theirs to write, the broker stores what our reader knows.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { kafkaLog } from '../../../connectors/kafka/index.ts'
import { isKept } from '../../../connectors/kafka/topic-configs.ts'
import { topicSpecs } from '../../../schemas/topics.ts'
import { readAll, text, unique } from '../../conformance/log-harness.ts'
import { pythonMissing, runPython } from '../../helpers/python-client.ts'
import { services } from '../../helpers/services.ts'

const count = 200
const program = `
import sys
from confluent_kafka import Producer
brokers, topic, codec = sys.argv[1:]
producer = Producer({"bootstrap.servers": brokers, "compression.type": codec, "linger.ms": 100})
for i in range(${count}):
    producer.produce(topic, key="k", value=f"{i} " + "x" * 300, partition=0)
assert producer.flush(30) == 0
`

const skip = await pythonMissing()
const real = await services({ kafka: true })

describe('a producer that is not ours', { skip: skip || real.skip }, () => {
  const brokers = real.address('kafka')
  const log = kafkaLog({ brokers: brokers.split(',') })
  const folder = mkdtempSync(join(tmpdir(), 'meterveil-producer-'))
  const file = join(folder, 'produce.py')
  writeFileSync(file, program)
  after(async () => {
    await log.close()
    rmSync(folder, { recursive: true })
  })
  const frames = topicSpecs(1).find(({ name }) => name === 'meter.frames')!
  const produced = async (codec: string, writtenBy?: 'others'): Promise<string> => {
    const name = unique('frames')
    const { writtenBy: _, ...plain } = frames
    await log.createTopics([{ ...plain, name, ...(writtenBy ? { writtenBy } : {}) }])
    await runPython(file, [brokers, name, codec])
    return name
  }

  for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
    test(`may compress with ${codec} what it writes to meter.frames`, async () => {
      const { records } = await readAll(log, await produced(codec, frames.writtenBy))
      assert.deepEqual(
        records.map(({ value }) => text(value)!.split(' ')[0]),
        Array.from({ length: count }, (_, i) => String(i)),
      )
    })
  }

  test('is named with the remedy where the topic lets it compress with Snappy', async () => {
    await assert.rejects(readAll(log, await produced('snappy')), /set compression\.type of the topic/)
  })
})

describe('the compression of a topic', () => {
  for (const [actual, kept] of [
    ['uncompressed', true],
    ['gzip', true],
    ['zstd', true],
    ['producer', false],
    ['snappy', false],
    ['lz4', false],
  ] as const) {
    test(`is ${kept ? 'as good' : 'not as good'} if it is ${actual}`, () => {
      assert.equal(isKept('compression.type', 'uncompressed', actual), kept)
    })
  }
})
