import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memorySchemaRegistry } from '../../../connectors/memory/index.ts'
import { pinnedRegistry } from '../../../pipelines/cli/pinned-registry.ts'

const schema = (...fields: readonly object[]) => JSON.stringify({ type: 'record', name: 'R', fields })
const a = { name: 'a', type: 'int' }
const b = { name: 'b', type: 'int' }
const optional = { ...b, default: 0 }

test('every version that the registry holds keeps its id, however it is written', async () => {
  const registry = memorySchemaRegistry()
  const old = await registry.register('s', schema(a))
  const now = await registry.register('s', schema(a, optional))
  const pinned = pinnedRegistry(registry)
  assert.equal(await pinned.register('s', schema(a)), old)
  assert.equal(await pinned.register('s', JSON.stringify(JSON.parse(schema(a, optional)), null, 2)), now)
})

const refused: readonly (readonly [string, string, RegExp])[] = [
  ['under a subject that is not there', 'other', /does not hold the schema of other: run meterveil topics apply/],
  ['that is compatible', 's', /does not hold the schema of s: run meterveil topics apply/],
]
for (const [says, subject, message] of refused) {
  test(`a schema ${says} is not registered`, async () => {
    const registry = memorySchemaRegistry()
    await registry.register('s', schema(a))
    await assert.rejects(pinnedRegistry(registry).register(subject, schema(a, optional)), {
      name: 'StartError',
      message,
    })
    assert.equal((await registry.versions('s')).length, 1)
    assert.equal(await registry.latest('other'), undefined)
  })
}

test('a schema that cannot read what is there is told as such', async () => {
  const registry = memorySchemaRegistry()
  await registry.register('s', schema(a))
  await assert.rejects(pinnedRegistry(registry).register('s', schema(a, b)), /cannot read what the registry holds/)
})
