import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  crc32c,
  type EncodableMessage,
  encodeProduce,
  type ProduceParameters,
  portMessage,
} from '../../../connectors/kafka/produce-request.ts'
import { readBatches } from '../../../connectors/kafka/record-batches.ts'

const load = createRequire(import.meta.url)
/** kafkajs's own writer, for messages that do not say whose they are. */
const theirs = load('kafkajs/src/protocol/requests/produce/v7/request') as (parameters: object) => {
  readonly encode: () => Promise<{ readonly buffer: Buffer }>
}

const parameters = (
  messages: readonly EncodableMessage[],
  other: Partial<ProduceParameters> = {},
): ProduceParameters => ({
  acks: -1,
  timeout: 30_000,
  producerId: '123456789012',
  producerEpoch: 3,
  compression: 0,
  topicData: [{ topic: 'meter.frames', partitions: [{ partition: 5, firstSequence: 17, messages }] }],
  ...other,
})

const arbitraryMessage = fc
  .record({
    key: fc.option(fc.uint8Array({ maxLength: 200 })),
    value: fc.option(fc.uint8Array({ maxLength: 400 })),
    headers: fc.option(fc.dictionary(fc.string(), fc.string(), { maxKeys: 3, noNullPrototype: true })),
    timestamp: fc.integer({ min: 1_000_000_000_000, max: 9_999_999_999_999 }),
  })
  .map(
    ({ key, value, headers, timestamp }): EncodableMessage => ({
      key: key && Buffer.from(key),
      value: value && Buffer.from(value),
      timestamp: String(timestamp),
      ...(headers ? { headers } : {}),
    }),
  )

test('the checksum is CRC-32C', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283)
  assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa)
  assert.equal(crc32c(Buffer.from('xx123456789'), 2), 0xe3069283)
})

test('bytes are those that kafkajs writes, where stamps do not fall', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(arbitraryMessage, { minLength: 1, maxLength: 200 }),
      fc.option(fc.string({ minLength: 1 })),
      async (unsorted, transactionalId) => {
        const messages = unsorted.toSorted((a, b) => Number(a.timestamp) - Number(b.timestamp))
        const asked = parameters(messages, transactionalId ? { transactionalId } : {})
        assert.deepEqual(await encodeProduce(asked), (await theirs(asked).encode()).buffer)
      },
    ),
    { numRuns: 100 },
  )
})

for (const compression of [0, 1, 4]) {
  test(`what is written with codec ${compression} is read back`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(arbitraryMessage, { minLength: 1, maxLength: 50 }), async (messages) => {
        const request = await encodeProduce(parameters(messages, { compression }))
        const batches = request.subarray(2 + 2 + 4 + 4 + 2 + 'meter.frames'.length + 4 + 4 + 4)
        const { records, next } = readBatches({ errorCode: 0, aborted: [], batches }, 0n, 'read_committed')
        assert.equal(next, BigInt(messages.length))
        assert.deepEqual(
          records.map(({ key, value, headers, timestamp }) => ({ key, value, headers: { ...headers }, timestamp })),
          messages.map(({ key, value, headers, timestamp }) => ({
            key,
            value,
            headers: { ...headers },
            timestamp: Number(timestamp),
          })),
        )
      }),
      { numRuns: 100 },
    )
  })
}

test('only messages of the port are written so: others go the way of kafkajs', async () => {
  await import('../../../connectors/kafka/kafkajs-internals.ts')
  const { requests } = load('kafkajs/src/protocol/requests') as {
    requests: {
      Produce: {
        protocol: (
          choice: object,
        ) => (parameters: object) => { request: { encode: () => Promise<{ buf: Buffer; buffer: Buffer }> } }
      }
    }
  }
  const encoded = async (message: object) => {
    const asked = parameters([{ timestamp: '1700000000000', ...message } as EncodableMessage])
    return (await requests.Produce.protocol({ version: 7 })(asked).request.encode()).buffer
  }
  const text = await encoded({ key: 'k', value: 'text', headers: { a: ['1', '2'] } })
  assert.ok(text.includes('text'))
  const ours = { key: null, value: Buffer.from('text') }
  assert.deepEqual(await encoded({ [portMessage]: true, ...ours }), await encoded(ours))
})
