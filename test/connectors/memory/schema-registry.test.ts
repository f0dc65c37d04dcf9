import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memorySchemaRegistry } from '../../../connectors/memory/index.ts'
import { schemaRegistryConformance } from '../../conformance/schema-registry.ts'

schemaRegistryConformance('the in-process registry', async () => ({
  registry: memorySchemaRegistry(),
  close: async () => {},
}))

test('ids start at 1 and have no gaps', async () => {
  const registry = memorySchemaRegistry()
  const schema = (name: string) => JSON.stringify({ type: 'record', name, fields: [] })
  assert.deepEqual(
    [
      await registry.register('s', schema('A')),
      await registry.register('t', schema('A')),
      await registry.register('t2', schema('B')),
    ],
    [1, 1, 2],
  )
})

test('white space makes no other schema', async () => {
  const registry = memorySchemaRegistry()
  const id = await registry.register('s', '{"type":"record","name":"A","fields":[]}')
  assert.equal(await registry.register('s', '{ "type": "record", "name": "A",\n "fields": [] }'), id)
})
