import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import avsc from 'avsc'
import { loadPublicCodec } from '../../schemas/load-public.ts'
import { released } from '../helpers/forecast-fixtures.ts'

interface Schema {
  readonly fields: readonly { readonly name: string; readonly default?: unknown }[]
}
type AvroSchema = Parameters<typeof avsc.Type.forSchema>[0]

const present = JSON.parse(loadPublicCodec.schema) as Schema
/** Fields that records have had from the first; the others came later, each with a default. */
const first = present.fields.filter((field) => !Object.hasOwn(field, 'default')).map(({ name }) => name)
const without = (...names: readonly string[]): Schema => ({
  ...present,
  fields: present.fields.filter(({ name }) => !names.includes(name)),
})
const typeOf = (schema: Schema): avsc.Type => avsc.Type.forSchema(schema as AvroSchema)
const record = released(3, 1_000, { parent: 'substation-1', consistentHalf95Wh: 7, ledgerHash: Buffer.alloc(32, 5) })

describe('records of load.public that were written before a field was there', () => {
  const later = present.fields.map(({ name }) => name).filter((name) => !first.includes(name))
  for (const missing of [...later.map((name) => [name]), later]) {
    it(`are read, without ${missing.join(', ')}`, () => {
      const earlier = without(...missing)
      const decode = loadPublicCodec.decoderFor?.(JSON.stringify(earlier))
      assert.ok(decode)
      const unknown = Object.fromEntries(missing.map((name) => [name, null]))
      assert.deepEqual(decode(typeOf(earlier).toBuffer(record)), { ...record, ...unknown })
    })
  }

  it('know the group above since a later schema', () => assert.ok(later.includes('parent')))
})

describe('records of load.public', () => {
  it('are read by a client that knows the earlier schema only', () => {
    const earlier = typeOf(without('parent'))
    const resolver = earlier.createResolver(typeOf(present))
    const { parent, ...rest } = record
    const read: unknown = earlier.fromBuffer(Buffer.from(loadPublicCodec.encode(record)), resolver)
    assert.equal(parent, 'substation-1')
    assert.deepEqual(earlier.toBuffer(read), earlier.toBuffer(rest))
  })
})
