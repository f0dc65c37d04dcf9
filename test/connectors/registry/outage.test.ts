import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { confluentSchemaRegistry } from '../../../connectors/registry/index.ts'
import { openWire } from '../../../pipelines/runtime/wire.ts'
import { topics } from '../../../schemas/topics.ts'
import { ownServices, services } from '../../helpers/services.ts'
import { rejectsUnreachable } from './rejects.ts'

const { skip } = await services({ registry: true })

describe('an outage of the registry', { skip }, () => {
  test('is not noticed by a running pipeline, and is over when the registry is back', async () => {
    const own = await ownServices({ registry: true })
    const registry = confluentSchemaRegistry({ url: own.address('registry'), timeoutMs: 5_000 })
    const schema = (name: string) => JSON.stringify({ type: 'record', name, fields: [{ name: 'a', type: 'int' }] })
    const id = await registry.register('outage', schema('Outage'))
    const text = await registry.schema(id)
    const wire = await openWire(registry, [topics.loadPublic])
    await own.kill('registry')

    assert.equal(await registry.register('outage', schema('Outage')), id)
    assert.equal(await registry.schema(id), text)
    assert.throws(
      () => wire.decode(topics.loadPublic, Buffer.from([0, 0, 0, 0, 99, 1])),
      /schema id 99 is none of its own/,
    )

    // What was never asked for cannot be known: it is said at once, and nothing is made up.
    await rejectsUnreachable(registry.register('outage', schema('Another')))
    await rejectsUnreachable(registry.schema(id + 1_000))
    await rejectsUnreachable(registry.latest('outage'))
    await rejectsUnreachable(registry.versions('outage'))
    await rejectsUnreachable(registry.compatible('outage', schema('Outage')))

    await own.start('registry')
    assert.equal((await registry.latest('outage'))?.id, id)
    const later = confluentSchemaRegistry({ url: own.address('registry') })
    assert.equal(await later.register('outage', schema('Outage')), id)
    assert.equal(await later.schema(id), text)
    await own.stop()
  })
})
