import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { RegistryError, type RegistryErrorCode, type SchemaRegistry } from '../../connectors/contract.ts'

export interface RegistryHarness {
  readonly registry: SchemaRegistry
  readonly close: () => Promise<void>
}

interface Field {
  readonly name: string
  readonly type: unknown
  readonly default?: unknown
}

const unique = (): string => `conformance-${randomUUID()}`
const fieldA = { name: 'a', type: 'int' }

/** A record schema with a name that no other run uses, so that ids start fresh on a shared registry too. */
function schemas(): (fields: readonly Field[]) => string {
  const name = `R${randomUUID().replaceAll('-', '')}`
  return (fields) => JSON.stringify({ type: 'record', name, fields })
}

const rejectsWith = (code: RegistryErrorCode, call: Promise<unknown>) =>
  assert.rejects(call, (error) => {
    assert.ok(error instanceof RegistryError, `a RegistryError with code ${code}, not ${String(error)}`)
    assert.equal(error.code, code)
    return true
  })

/** What every implementation of the SchemaRegistry port does, with compatibility BACKWARD. `make` is called once. */
export function schemaRegistryConformance(name: string, make: () => Promise<RegistryHarness>): void {
  describe(`${name} is a schema registry`, { concurrency: 1 }, () => {
    let harness: RegistryHarness | undefined
    before(async () => {
      harness = await make()
    })
    after(async () => {
      await harness?.close()
    })
    const registry = (): SchemaRegistry => {
      if (harness === undefined) throw new Error('the harness did not start')
      return harness.registry
    }

    test('ids are positive numbers of 31 bits, and stay', async () => {
      const subject = unique()
      const schema = schemas()([fieldA])
      const id = await registry().register(subject, schema)
      assert.ok(Number.isInteger(id) && id > 0 && id < 2 ** 31)
      assert.equal(await registry().register(subject, schema), id)
      assert.equal((await registry().latest(subject))?.version, 1)
    })

    test('a schema has one id under every subject, and different schemas have different ids', async () => {
      const of = schemas()
      const id = await registry().register(unique(), of([fieldA]))
      assert.equal(await registry().register(unique(), of([fieldA])), id)
      assert.notEqual(await registry().register(unique(), of([{ name: 'b', type: 'int' }])), id)
    })

    test('an id gives the schema back, an unknown one nothing', async () => {
      const schema = schemas()([{ name: 'a', type: ['null', 'string'], default: null }])
      const id = await registry().register(unique(), schema)
      assert.deepEqual(JSON.parse((await registry().schema(id)) ?? ''), JSON.parse(schema))
      assert.equal(await registry().schema(2 ** 31 - 1), undefined)
    })

    test('the latest version of a subject moves on', async () => {
      const subject = unique()
      const of = schemas()
      assert.equal(await registry().latest(subject), undefined)
      const first = await registry().register(subject, of([fieldA]))
      const wider = of([fieldA, { name: 'b', type: 'int', default: 7 }])
      const second = await registry().register(subject, wider)
      assert.notEqual(second, first)
      const latest = await registry().latest(subject)
      assert.deepEqual([latest?.id, latest?.version], [second, 2])
      assert.deepEqual(JSON.parse(latest?.schema ?? ''), JSON.parse(wider))
      assert.equal(await registry().register(subject, of([fieldA])), first)
      assert.equal((await registry().latest(subject))?.id, second)
    })

    test('the versions of a subject are all there, oldest first', async () => {
      const subject = unique()
      const of = schemas()
      assert.deepEqual(await registry().versions(subject), [])
      const first = of([fieldA])
      const wider = of([fieldA, { name: 'b', type: 'int', default: 7 }])
      const ids = [await registry().register(subject, first), await registry().register(subject, wider)]
      const versions = await registry().versions(subject)
      assert.deepEqual(
        versions.map(({ id, version, schema }) => ({ id, version, schema: JSON.parse(schema) as unknown })),
        [
          { id: ids[0], version: 1, schema: JSON.parse(first) as unknown },
          { id: ids[1], version: 2, schema: JSON.parse(wider) as unknown },
        ],
      )
    })

    const changes: readonly (readonly [string, boolean, readonly Field[], readonly Field[]])[] = [
      ['a new field with a default', true, [fieldA], [fieldA, { name: 'b', type: 'string', default: '' }]],
      ['a new field without a default', false, [fieldA], [fieldA, { name: 'b', type: 'string' }]],
      ['a field taken out', true, [fieldA, { name: 'b', type: 'string' }], [fieldA]],
      ['an int that becomes a long', true, [fieldA], [{ name: 'a', type: 'long' }]],
      ['a long that becomes an int', false, [{ name: 'a', type: 'long' }], [fieldA]],
      ['an int that becomes a string', false, [fieldA], [{ name: 'a', type: 'string' }]],
      ['an int that becomes nullable', true, [fieldA], [{ name: 'a', type: ['null', 'int'] }]],
      ['a nullable int that must be there', false, [{ name: 'a', type: ['null', 'int'] }], [fieldA]],
      [
        'an enum with one symbol more',
        true,
        [{ name: 'a', type: { type: 'enum', name: 'E', symbols: ['X'] } }],
        [{ name: 'a', type: { type: 'enum', name: 'E', symbols: ['X', 'Y'] } }],
      ],
      [
        'an enum with one symbol less',
        false,
        [{ name: 'a', type: { type: 'enum', name: 'E', symbols: ['X', 'Y'] } }],
        [{ name: 'a', type: { type: 'enum', name: 'E', symbols: ['X'] } }],
      ],
    ]
    for (const [what, compatible, before, after] of changes) {
      test(`${what} is ${compatible ? 'accepted' : 'refused'}`, async () => {
        const subject = unique()
        const of = schemas()
        const first = await registry().register(subject, of(before))
        assert.equal(await registry().compatible(subject, of(after)), compatible)
        if (compatible) {
          await registry().register(subject, of(after))
          return
        }
        await rejectsWith('schema_incompatible', registry().register(subject, of(after)))
        assert.equal((await registry().latest(subject))?.id, first)
      })
    }

    test('everything is compatible with a subject that has no version', async () => {
      assert.equal(await registry().compatible(unique(), schemas()([fieldA])), true)
    })

    for (const [what, schema] of [
      ['text that is not JSON', '{"type": "record"'],
      ['a type that Avro does not know', '{"type": "record", "name": "R", "fields": [{"name": "a", "type": "uint"}]}'],
      ['a record without fields', '{"type": "record", "name": "R"}'],
    ] as const) {
      test(`${what} is no schema`, async () => {
        await rejectsWith('schema_invalid', registry().register(unique(), schema))
      })
    }
  })
}
