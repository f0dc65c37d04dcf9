import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import avsc from 'avsc'
import { capRuleOn, type LoadPartial, loadPartialCodec } from '../../schemas/load-partial.ts'

interface Field {
  readonly name: string
  readonly type: unknown
}
interface Schema {
  readonly fields: readonly Field[]
}
type AvroSchema = Parameters<typeof avsc.Type.forSchema>[0]

/** The schema as it was before the rule for C was stated, for all days and day by day. */
const earlier = JSON.parse(loadPartialCodec.schema, (_, value: unknown) =>
  isRecord(value) ? { ...value, fields: value.fields.filter(({ name }) => name !== 'capRule') } : value,
) as Schema
const present = JSON.parse(loadPartialCodec.schema) as Schema
const typeOf = (schema: Schema): avsc.Type => avsc.Type.forSchema(schema as AvroSchema)

function isRecord(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && 'fields' in value && Array.isArray(value.fields)
}

const clip = { utility: 4, region: 3, substation: 2, feeder: 1 }
const dates = ['2026-01-15', '2026-01-16']
const head = { sourcePartition: 1, seq: 2, progress: 3, cells: [], clipWh: clip }
const stated: LoadPartial = {
  ...head,
  clipWhByDate: dates.map((date, n) => ({ date, clipWh: clip, capRule: ['fuse', 'other'][n]! })),
}
const unstated: LoadPartial = { ...head, clipWhByDate: dates.map((date) => ({ date, clipWh: clip })) }

describe('batches of partial sums and the rule for C', () => {
  const between = (writer: Schema, reader: Schema, bytes: Uint8Array): unknown => {
    const type = typeOf(reader)
    return type.fromBuffer(Buffer.from(bytes), type.createResolver(typeOf(writer)))
  }

  it('are read from before it was stated, as not stated', () => {
    const bytes = typeOf(earlier).toBuffer(between(present, earlier, loadPartialCodec.encode(stated)))
    const decode = loadPartialCodec.decoderFor?.(JSON.stringify(earlier))
    assert.ok(decode)
    const read = decode(bytes) as LoadPartial
    assert.deepEqual(read, unstated)
    assert.equal(capRuleOn(read, dates[0]!), undefined)
  })

  it('are read by who knows the earlier schema only', () => {
    const read = between(present, earlier, loadPartialCodec.encode({ ...stated, capRule: 'fuse' }))
    assert.deepEqual(
      typeOf(earlier).toBuffer(read),
      typeOf(earlier).toBuffer(between(present, earlier, loadPartialCodec.encode(unstated))),
    )
  })

  it('tell it of a day', () => {
    const read = loadPartialCodec.decode(loadPartialCodec.encode(stated))
    assert.deepEqual(
      dates.map((date) => capRuleOn(read, date)),
      ['fuse', 'other'],
    )
    assert.equal(capRuleOn({ ...unstated, capRule: 'fuse' }, dates[0]!), 'fuse')
  })
})
