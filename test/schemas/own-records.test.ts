import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { pipeline } from '../../pipelines/runtime/index.ts'
import { schemaCodec } from '../../schemas/avro.ts'
import { CodecError } from '../../schemas/codec.ts'
import { ownTopic, topics } from '../../schemas/topics.ts'

interface Sum {
  readonly name: string
  readonly at: number
  readonly energyWh: number | null
}
const schema = {
  type: 'record',
  name: 'Sum',
  fields: [
    { name: 'name', type: 'string' },
    { name: 'at', type: 'long' },
    { name: 'energyWh', type: ['null', 'long'], default: null },
  ],
} as const
const sum: Sum = { name: 'a', at: Date.UTC(2026, 0, 12), energyWh: null }

describe('a codec of a schema of one’s own', () => {
  const codec = schemaCodec<Sum>(schema)

  test('gives back what was written', () => {
    for (const value of [sum, { ...sum, energyWh: 5 }]) assert.deepEqual(codec.decode(codec.encode(value)), value)
  })

  test('lets nothing travel that the schema does not list', () => {
    const more = { ...sum, connection: 'connection-1' }
    assert.deepEqual(codec.decode(codec.encode(more)), sum)
  })

  test('refuses values and bytes that do not fit, without telling them', () => {
    const wrong = { ...sum, at: 'connection-1' } as unknown as Sum
    assert.throws(
      () => codec.encode(wrong),
      (error) => error instanceof CodecError && !/connection-1/.test(error.message),
    )
    assert.throws(() => codec.decode(Uint8Array.of(9, 1)), CodecError)
    assert.throws(() => codec.decode(Buffer.concat([codec.encode(sum), Buffer.of(0)])), CodecError)
  })

  test('reads what an earlier version of the schema wrote', () => {
    const earlier = schemaCodec<Omit<Sum, 'energyWh'>>({ ...schema, fields: schema.fields.slice(0, 2) })
    const read = codec.decoderFor?.(earlier.schema)
    assert.deepEqual(read?.(earlier.encode(sum)), sum)
  })

  test('writes fields that differ from the type', () => {
    const dated = schemaCodec<{ readonly at: Date }>(
      { type: 'record', name: 'Dated', fields: [{ name: 'at', type: 'long' }] },
      { toFields: ({ at }) => ({ at: at.getTime() }), fromFields: (read) => ({ at: new Date((read as Sum).at) }) },
    )
    const value = { at: new Date(sum.at) }
    assert.deepEqual(dated.decode(dated.encode(value)), value)
  })

  test('is refused where the schema is none, or uses a type that no codec reads', () => {
    const of = (type: unknown) => () => schemaCodec({ type: 'record', name: 'A', fields: [{ name: 'b', type }] })
    assert.throws(of('nothing'))
    assert.throws(of('float'), /unsupported type float/)
  })
})

describe('a topic of one’s own', () => {
  const codec = schemaCodec<Sum>(schema)

  test('has the label and the records of the topic it is like', () => {
    const own = ownTopic(topics.householdReadings, 'own.readings')
    assert.deepEqual(own, { ...topics.householdReadings, name: 'own.readings' })
  })

  test('has records of its own: no key and no timestamp but those it gives', () => {
    const own = ownTopic(topics.householdReadings, 'own.sums', { codec })
    assert.deepEqual([own.label, own.name, own.key(sum), own.timestamp], ['pseudonymous', 'own.sums', null, undefined])
    const keyed = ownTopic(topics.loadPublic, 'own.sums', { codec, key: ({ name }) => name, timestamp: ({ at }) => at })
    assert.deepEqual([keyed.label, keyed.key(sum), keyed.timestamp?.(sum)], ['released', 'a', sum.at])
  })

  test('cannot have the name of a topic that ships', () => {
    assert.throws(
      () => ownTopic(topics.loadPublic, 'household.readings'),
      /^Error: household\.readings is the name of a/,
    )
  })
})

test('no pipeline takes a topic that ships under another label', () => {
  const { householdReadings: readings, loadPublic } = topics
  // What a composer could write by hand: readings named as what they are, but labelled as released load.
  const forged = {
    ...loadPublic,
    name: readings.name as string,
    codec: readings.codec,
    key: () => null,
    timestamp: () => 0,
  }
  const refused = /household\.readings is labelled 'pseudonymous', not 'released'/
  assert.throws(() => pipeline('leak', forged, (stream) => stream.to(ownTopic(loadPublic, 'a', forged))), refused)
  assert.throws(
    () => pipeline('mix', loadPublic, (stream) => stream.to({ ...loadPublic, name: readings.name })),
    refused,
  )
  assert.throws(() => pipeline('state', loadPublic, () => {}, { state: forged }), refused)
})
