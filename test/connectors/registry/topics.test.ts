import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { SchemaRegistry as ForeignClient } from '@kafkajs/confluent-schema-registry'
import fc from 'fast-check'
import { RegistryError } from '../../../connectors/contract.ts'
import { confluentSchemaRegistry } from '../../../connectors/registry/index.ts'
import { openWire, type Wire } from '../../../pipelines/runtime/wire.ts'
import { topics } from '../../../schemas/topics.ts'
import { services } from '../../helpers/services.ts'
import { records } from '../../schemas/records.ts'

const real = await services({ registry: true })

describe('our topics on a real registry', { skip: real.skip }, () => {
  const all = Object.values(topics)
  let wire: Wire
  before(async () => {
    wire = await openWire(confluentSchemaRegistry({ url: real.address('registry') }), all)
  })
  const registry = () => confluentSchemaRegistry({ url: real.address('registry') })

  for (const topic of all) {
    test(`${topic.name}: another client reads every record by its id alone, and would write the same bytes`, async () => {
      const foreign = new ForeignClient({ host: real.address('registry') })
      for (const value of fc.sample(records[topic.name], 50)) {
        const bytes = Buffer.from(wire.encode(topic, value))
        const read: unknown = await foreign.decode(bytes)
        assert.deepEqual(await foreign.encode(bytes.readUInt32BE(1), read), bytes)
        assert.deepEqual(wire.decode(topic, bytes), value)
      }
    })

    test(`${topic.name}: a new field needs a default`, async () => {
      const schema = JSON.parse(topic.codec.schema) as { readonly fields: readonly object[] }
      const wider = (field: object) => JSON.stringify({ ...schema, fields: [...schema.fields, field] })
      const subject = `${topic.name}-value`
      const bare = wider({ name: 'added', type: 'string' })
      assert.equal(await registry().compatible(subject, bare), false)
      assert.equal(await registry().compatible(subject, wider({ name: 'added', type: 'string', default: '' })), true)
      await assert.rejects(
        registry().register(subject, bare),
        (error) => error instanceof RegistryError && error.code === 'schema_incompatible',
      )
    })
  }

  test('a deployment that starts again is given the same ids', async () => {
    const again = await openWire(registry(), all)
    for (const topic of all) {
      const [value] = fc.sample(records[topic.name], 1)
      assert.deepEqual(again.encode(topic, value), wire.encode(topic, value))
    }
  })
})
