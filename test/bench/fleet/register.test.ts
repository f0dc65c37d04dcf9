import assert from 'node:assert/strict'
import test from 'node:test'
import { createFleet } from '../../../bench/fleet/index.ts'
import { scattered } from '../../../bench/fleet/meters.ts'
import { topologyOf } from '../../../bench/fleet/topology.ts'
import { levels } from '../../../schemas/register-entry.ts'

const start = Date.UTC(2026, 0, 13)

test('every meter has its own point, connection, title and place', () => {
  const { entries } = createFleet({ seed: 3, homes: 500, start, partitions: 7, faults: { exchangesPerDay: 0 } })
  assert.equal(entries.length, 500)
  for (const name of ['point', 'connection', 'systemTitle', 'keyRef'] as const) {
    assert.equal(new Set(entries.map((entry) => entry[name])).size, 500, name)
  }
  for (const { systemTitle } of entries) assert.match(systemTitle, /^4D5653[0-9A-F]{10}$/)
  for (let partition = 0; partition < 7; partition++) {
    const indexes = entries.filter((entry) => entry.partition === partition).map(({ index }) => index)
    assert.deepEqual(
      indexes,
      Array.from({ length: indexes.length }, (_, i) => i + 1),
    )
  }
})

test('an exchanged meter keeps its point, connection, partition and index, and gets a new title and key', () => {
  const { entries, register } = createFleet({
    seed: 3,
    homes: 50,
    start,
    faults: { exchangesPerDay: 1, wrongKeyMeters: 0 },
  })
  assert.equal(entries.length, 100)
  const [old, next] = entries
  assert.ok(old !== undefined && next !== undefined && old.validTo !== null)
  assert.equal(next.validFrom, old.validTo)
  for (const name of ['point', 'connection', 'partition', 'index'] as const) assert.equal(next[name], old[name])
  assert.notEqual(next.systemTitle, old.systemTitle)
  assert.notEqual(next.keyRef, old.keyRef)
  assert.equal(register.byConnection(old.connection, old.validTo - 1), old)
  assert.equal(register.byConnection(old.connection, old.validTo), next)
  assert.equal(register.byTitle(old.systemTitle, old.validTo), undefined)
  assert.equal(register.byConnection('elsewhere', start), undefined)
  assert.equal(register.groups('utility')[0]?.residential, 50)
})

test('groups have public names and count every point once at each level', () => {
  const { register, topology } = createFleet({ seed: 3, homes: 100, feeders: 6, substations: 3, regions: 2, start })
  for (const level of levels) {
    const groups = register.groups(level)
    assert.deepEqual(
      groups.map(({ group }) => group),
      topology.groups(level),
    )
    assert.equal(
      groups.reduce((sum, { residential, other }) => sum + residential + other, 0),
      100,
    )
  }
  assert.deepEqual(topology.groups('substation'), ['substation-1-1', 'substation-1-2', 'substation-2-1'])
  assert.deepEqual(topology.groups('feeder').slice(0, 3), ['feeder-1-1-1', 'feeder-1-1-2', 'feeder-1-2-1'])
})

test('a million meters make 1,111 groups of nearly equal size', () => {
  const topology = topologyOf({ homes: 1_000_000, feeders: 1_000, substations: 100, regions: 10 })
  const groups = levels.map((level) => topology.groups(level))
  assert.equal(groups.flat().length, 1_111)
  for (const [i, level] of levels.entries()) {
    const sizes = (groups[i] as readonly string[]).map((group) => {
      const [from, to] = topology.homesOf(level, group) ?? assert.fail('no range')
      return to - from
    })
    assert.equal(
      sizes.reduce((sum, size) => sum + size, 0),
      1_000_000,
    )
    assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1)
  }
  assert.equal(topology.groupsOf(999_999).feeder, 'feeder-10-10-10')
})

test('scattered numbers are all different', () => {
  const seen = new Set(Array.from({ length: 200_000 }, (_, n) => scattered(8, n, 0)))
  assert.equal(seen.size, 200_000)
  for (const n of seen) assert.ok(Number.isInteger(n) && n >= 0 && n < 2 ** 40)
})
