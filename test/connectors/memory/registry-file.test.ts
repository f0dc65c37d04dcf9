import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { LogError, RegistryError } from '../../../connectors/contract.ts'
import { openDurableRegistry } from '../../../connectors/memory/index.ts'
import { schemaRegistryConformance } from '../../conformance/schema-registry.ts'
import { type SimulatedDisk, simulatedDisk } from './simulated-disk.ts'

const folder = mkdtempSync(join(tmpdir(), 'meterveil-registry-'))
after(() => rmSync(folder, { recursive: true }))

schemaRegistryConformance('the registry over a file', async () => ({
  registry: await openDurableRegistry({ file: join(folder, 'schema-registry.json') }),
  close: async () => {},
}))

const file = '/data/schema-registry.json'
const opened = ({ files }: SimulatedDisk) => openDurableRegistry({ file, files })
const schema = (name: string, ...fields: readonly object[]) => JSON.stringify({ type: 'record', name, fields })
const [a, b, c] = [schema('A'), schema('B'), schema('C')]
const wider = schema('A', { name: 'x', type: 'int', default: 0 })

test('ids, versions and their order are there again after a restart, in whatever order is asked then', async () => {
  const disk = simulatedDisk()
  const before = await opened(disk)
  assert.deepEqual(
    [await before.register('s', a), await before.register('t', b), await before.register('s', wider)],
    [1, 2, 3],
  )
  const again = await opened(disk.afterKill())
  assert.deepEqual(
    [await again.register('t', b), await again.register('u', c), await again.register('s', a)],
    [2, 4, 1],
  )
  assert.deepEqual(
    (await again.versions('s')).map(({ id, version }) => [id, version]),
    [
      [1, 1],
      [3, 2],
    ],
  )
  assert.equal(await again.schema(1), a)
})

test('two registrations at once get two ids, and both are kept', async () => {
  const disk = simulatedDisk()
  const registry = await opened(disk)
  assert.deepEqual(await Promise.all([registry.register('s', a), registry.register('t', b)]), [1, 2])
  const again = await opened(disk)
  assert.deepEqual([await again.schema(1), await again.schema(2)], [a, b])
})

test('killed or out of power at any operation, every id that was given out stays', async () => {
  for (const end of ['kill', 'power cut'] as const) {
    for (const fault of ['before', 'half', 'after'] as const) {
      for (let operation = 1; ; operation++) {
        const disk = simulatedDisk()
        const given = new Map<number, string>()
        disk.strike(operation, fault, true)
        try {
          const registry = await opened(disk)
          for (const [subject, text] of [
            ['s', a],
            ['t', b],
            ['s', wider],
          ] as const) {
            given.set(await registry.register(subject, text), text)
          }
        } catch (error) {
          assert.ok(error instanceof LogError, String(error))
        }
        const found = await opened(end === 'kill' ? disk.afterKill() : disk.afterPowerCut((count) => count - 1))
        for (const [id, text] of given) assert.equal(await found.schema(id), text, `${end} ${fault} ${operation}`)
        if (given.size === 3) break
      }
    }
  }
})

test('a full disk gives no id out, and after making room the same one', async () => {
  const disk = simulatedDisk()
  const registry = await opened(disk)
  await registry.register('s', a)
  disk.room = 0
  await assert.rejects(registry.register('t', b), (error) => error instanceof LogError && error.code === 'disk_full')
  assert.equal(await registry.schema(2), undefined)
  disk.room = Number.POSITIVE_INFINITY
  assert.equal(await registry.register('u', c), 2)
  assert.equal(await (await opened(disk)).schema(2), c)
})

test('any changed, missing or added byte is refused with a sentence', async () => {
  const disk = simulatedDisk()
  await (await opened(disk)).register('s', a)
  const whole = disk.content(file)
  const damaged = [
    whole.subarray(0, 0),
    whole.subarray(0, -1),
    Buffer.concat([whole, Buffer.from(' ')]),
    ...[...whole.keys()].map((at) => whole.map((byte, i) => (i === at ? byte ^ 1 : byte))),
  ]
  for (const bytes of damaged) {
    disk.replace(file, bytes)
    await assert.rejects(opened(disk), (error) => {
      assert.ok(error instanceof RegistryError && error.code === 'corrupt', String(error))
      assert.match(error.message, /^schema-registry\.json in \/data, .* is damaged: restore it from a copy$/)
      return true
    })
  }
})
