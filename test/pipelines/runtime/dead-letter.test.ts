import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { memoryKeyring } from '../../../connectors/keyring/index.ts'
import type { Operator } from '../../../operators/contract/operator.ts'
import { mostSealedBytes, openDeadLetter, pipeline, sealer } from '../../../pipelines/runtime/index.ts'
import { testDriver } from '../../../pipelines/testing/driver.ts'
import { type RejectedFrame, rejectedFrameCodec } from '../../../schemas/rejected-frame.ts'
import { toyTopic } from '../../helpers/toy-topics.ts'

const keyring = memoryKeyring({ master: randomBytes(32) })
const input = toyTopic<string, 'identified'>('texts', 'identified')
const output = toyTopic<string, 'identified'>('short', 'identified')
const rejects = toyTopic<RejectedFrame, 'identified'>('rejects', 'identified')

const short: Operator<string, string> = {
  spec: { name: 'short', drops: [], rejects: ['value_out_of_range'] },
  process: (batch, out) => {
    for (const record of batch) {
      if (record.value.length > 5) out.reject(record, 'value_out_of_range')
      else out.emit(record, record.value)
    }
  },
}
const shorts = pipeline('shorts', input, (texts) => texts.through(short).to(output), { rejects })

test('a refused value as long as a record can be ends in a dead letter, and what follows is processed', async () => {
  const driver = await testDriver([shorts], { seal: sealer(keyring) })
  const most = 'x'.repeat(1_048_400)
  await driver.pipe(input, [most])
  await driver.pipe(input, ['next'])
  const [raw] = await driver.records(input)
  const value = raw!.value!
  assert.ok(value.length > 1_048_400)
  assert.deepEqual(await driver.read(output), ['next'])
  const [letter, ...others] = await driver.read(rejects)
  assert.equal(others.length, 0)
  assert.equal(letter!.fullLength, value.length)
  const { bytes, cutFrom } = openDeadLetter(keyring, letter!)
  assert.deepEqual(Buffer.from(bytes), Buffer.from(value.subarray(0, mostSealedBytes)))
  const sha256 = createHash('sha256').update(value).digest()
  assert.deepEqual(cutFrom, { length: value.length, sha256 })
  assert.ok(!Buffer.from(letter!.sealed).includes(sha256), 'the digest is sealed too')
  await driver.stop()
})

for (const [what, length] of [
  ['nothing', 0],
  ['all that a dead letter holds', mostSealedBytes],
] as const) {
  test(`a refused value of ${what} is sealed whole`, async () => {
    const driver = await testDriver([shorts], { seal: sealer(keyring) })
    const value = Buffer.alloc(length, 7)
    await driver.log.append([{ topic: input.name, partition: 0, key: null, value }])
    await driver.settle()
    const [letter] = await driver.read(rejects)
    assert.equal(letter!.fullLength, null)
    assert.deepEqual(openDeadLetter(keyring, letter!), { bytes: value, cutFrom: undefined })
    await driver.stop()
  })
}

test('a dead letter from before lengths and last offsets were kept is read as sealed whole', () => {
  const schema = JSON.parse(rejectedFrameCodec.schema)
  const earlier = JSON.stringify({
    ...schema,
    fields: schema.fields.filter(({ name }: { name: string }) => name !== 'fullLength' && name !== 'lastOffset'),
  })
  const letter: RejectedFrame = {
    kind: 'rejected',
    reason: 'fcs_mismatch',
    stage: 'decodeDlms',
    byteOffset: null,
    topic: 'meter.frames',
    partition: 1,
    offset: 2,
    receivedAt: 3,
    sealed: Buffer.from('sealed'),
    fullLength: null,
    lastOffset: null,
  }
  // The fields are the last, and their nulls one byte each.
  const written = rejectedFrameCodec.encode(letter).subarray(0, -2)
  assert.deepEqual(rejectedFrameCodec.decoderFor?.(earlier)?.(written), letter)
})
