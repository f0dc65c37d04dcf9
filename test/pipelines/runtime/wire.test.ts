import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import avsc from 'avsc'
import { memorySchemaRegistry } from '../../../connectors/memory/index.ts'
import { openWire } from '../../../pipelines/runtime/wire.ts'
import { CodecError } from '../../../schemas/codec.ts'
import type { MeterFrame } from '../../../schemas/meter-frame.ts'
import { topics } from '../../../schemas/topics.ts'
import { frameBody, readFrame } from '../../../schemas/wire-format.ts'
import { toyTopic } from '../../helpers/toy-topics.ts'

const frame: MeterFrame = {
  connection: 'c',
  listener: 'l',
  zone: 'z',
  transport: 'hdlc',
  forwarded: 1,
  bytes: Buffer.from([1, 2, 3]),
}

interface Schema {
  readonly fields: readonly { readonly name: string; readonly type: unknown }[]
}
const present = JSON.parse(topics.meterFrames.codec.schema) as Schema
/** What an earlier release may have written: one field more, one link layer less, both counted otherwise. */
const earlier = {
  ...present,
  fields: [
    { name: 'port', type: 'int' },
    ...present.fields.map((field) =>
      field.name === 'transport'
        ? { ...field, type: { type: 'enum', name: 'Transport', symbols: ['mbus', 'hdlc'] } }
        : field,
    ),
  ],
}
const earlierType = avsc.Type.forSchema(earlier as Parameters<typeof avsc.Type.forSchema>[0])
const earlierBody = earlierType.toBuffer({ ...frame, port: 4059 })

async function upgraded() {
  const registry = memorySchemaRegistry()
  const id = await registry.register('meter.frames-value', JSON.stringify(earlier))
  const foreign = await registry.register('other-value', JSON.stringify({ ...earlier, doc: 'of another topic' }))
  return { id, foreign, wire: await openWire(registry, [topics.meterFrames]) }
}

test('a record is written under the id of the present schema and read back', async () => {
  const { id, wire } = await upgraded()
  const bytes = wire.encode(topics.meterFrames, frame)
  assert.notEqual(readFrame(bytes)?.id, id)
  assert.deepEqual(wire.decode(topics.meterFrames, bytes), frame)
})

test('a record of an earlier schema of the topic is read as the present one sees it', async () => {
  const { id, wire } = await upgraded()
  assert.deepEqual(wire.decode(topics.meterFrames, frameBody(id, earlierBody)), frame)
})

describe('refused as no record of the topic', () => {
  const refused: readonly (readonly [string, (ids: { id: number; foreign: number }) => Uint8Array])[] = [
    ['an id that nobody registered', () => frameBody(77, earlierBody)],
    ['an id of another topic', ({ foreign }) => frameBody(foreign, earlierBody)],
    ['a cut record of an earlier schema', ({ id }) => frameBody(id, earlierBody.subarray(0, -1))],
    [
      'bytes behind a record of an earlier schema',
      ({ id }) => frameBody(id, Buffer.concat([earlierBody, earlierBody])),
    ],
    ['bytes without an id', () => earlierBody],
  ]
  for (const [what, bytes] of refused) {
    test(what, async () => {
      const { wire, ...ids } = await upgraded()
      assert.throws(() => wire.decode(topics.meterFrames, bytes(ids)), CodecError)
    })
  }
})

test('a codec without resolution reads its own version only', async () => {
  const registry = memorySchemaRegistry()
  const id = await registry.register('toys-value', '"int"')
  const toys = toyTopic<string, 'identified'>('toys', 'identified')
  const wideToys = { ...toys, codec: { ...toys.codec, schema: '"long"' } }
  const wire = await openWire(registry, [wideToys])
  assert.equal(wire.decode(wideToys, wire.encode(wideToys, 'toy')), 'toy')
  const { body } = readFrame(wire.encode(wideToys, 'toy'))!
  assert.throws(() => wire.decode(wideToys, frameBody(id, body)), CodecError)
})
