import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { TopicSpec } from '../../connectors/contract.ts'
import type { Label } from '../../schemas/label.ts'
import { topicSpecs, topics } from '../../schemas/topics.ts'

const expected: Readonly<Record<string, Label>> = {
  'meter.frames': 'identified',
  'meter.register': 'identified',
  'meter.rejected': 'identified',
  'meter.accepted': 'identified',
  'household.readings': 'pseudonymous',
  'load.partials': 'pseudonymous',
  'load.state': 'pseudonymous',
  'publish.state': 'aggregate',
  'forecast.state': 'released',
  'load.restricted': 'aggregate',
  'release.ledger': 'aggregate',
  'load.public': 'released',
  'forecast.public': 'released',
  audit: 'aggregate',
}

interface Node {
  readonly type: unknown
  readonly name?: string
  readonly doc?: string
  readonly fields?: readonly Node[]
  readonly items?: unknown
}

/** Paths of records and fields without a doc. */
function undocumented(node: unknown, path: string): string[] {
  if (Array.isArray(node)) return node.flatMap((branch) => undocumented(branch, path))
  if (typeof node !== 'object' || node === null) return []
  const { type, doc, fields, items } = node as Node
  const missing = type === 'record' && !doc ? [path] : []
  const inner = (fields ?? []).flatMap((field) => [
    ...(field.doc ? [] : [`${path}.${field.name}`]),
    ...undocumented(field.type, `${path}.${field.name}`),
  ])
  return [...missing, ...inner, ...undocumented(items, path)]
}

describe('topics', () => {
  test('carry the labels of the topic table', () => {
    const labels = Object.fromEntries(Object.values(topics).map(({ name, label }) => [name, label]))
    assert.deepEqual(labels, expected)
  })

  for (const { name, codec } of Object.values(topics)) {
    test(`${name} documents every record and field of its schema`, () => {
      const schema: unknown = JSON.parse(codec.schema)
      assert.deepEqual(undocumented(schema, name), [])
    })

    test(`${name} states the unit of every energy, time and length`, () => {
      const fields = [...codec.schema.matchAll(/\{"name":"(\w+)",.*?"doc":"([^"]*)"/g)]
      for (const [, field = '', doc = ''] of fields) {
        if (field.endsWith('Wh')) assert.match(doc, /Wh/, field)
        if (field.endsWith('Seconds')) assert.match(doc, /seconds/, field)
      }
    })
  }

  test('name no meter, connection or title in a record key', () => {
    const entry = topics.meterRegister.key({
      point: 'POINT',
      connection: 'CONNECTION',
      systemTitle: 'TITLE',
      validFrom: 17,
      validTo: null,
      direction: 'import',
      partition: 3,
      index: 5,
      groups: { utility: '', region: '', substation: '', feeder: '' },
      customerClass: 'residential',
      area: '',
      tariff: '',
      heating: '',
      dwelling: '',
      timeZone: '',
      zone: '',
      profile: '',
      protection: 'none',
      keyRef: 'KEYREF',
      fuseWhPerHour: 0,
      pointsAtConnection: 1,
    })
    assert.equal(entry, '3/5/17')
  })

  test('stamp household readings with their date, not their arrival', () => {
    const { timestamp } = topics.householdReadings
    const reading = { pseudonym: new Uint8Array(16), date: '2026-03-29', zone: '', area: '', tariff: '' }
    assert.equal(timestamp?.({ ...reading, heating: '', dwelling: '', intervals: [] }), Date.UTC(2026, 2, 29))
  })
})

describe('topicSpecs', () => {
  test('lays out every topic once, in the shape a log takes', () => {
    const specs: readonly TopicSpec[] = topicSpecs(8)
    assert.deepEqual(specs.map(({ name }) => name).sort(), Object.keys(expected).sort())
  })

  test('gives the topics of an input partition as many partitions as the input', () => {
    const layouts = new Map(topicSpecs(8, { domains: 2, groupPartitions: 4 }).map((spec) => [spec.name, spec]))
    for (const name of ['meter.frames', 'meter.rejected', 'meter.accepted', 'household.readings'] as const) {
      assert.equal(layouts.get(name)?.partitions, 8, name)
    }
    assert.equal(layouts.get('release.ledger')?.partitions, 2)
    assert.equal(layouts.get('load.public')?.partitions, 4)
  })

  test('keeps the changelog by time for the horizon and nine days more, the ledger for ever', () => {
    const layouts = new Map(topicSpecs(1).map((spec) => [spec.name, spec]))
    assert.deepEqual(
      [layouts.get('meter.accepted')?.cleanup, layouts.get('meter.accepted')?.retentionMs],
      ['delete', 23 * 86_400_000],
    )
    assert.equal(layouts.get('release.ledger')?.retentionMs, null)
    const wider = topicSpecs(1, { horizonDays: 30 }).find(({ name }) => name === 'meter.accepted')
    assert.equal(wider?.retentionMs, 39 * 86_400_000)
  })

  test('takes a retention that policy decides', () => {
    const [short] = topicSpecs(1, { retentionMs: { 'household.readings': 5 } }).filter(
      ({ name }) => name === 'household.readings',
    )
    assert.equal(short?.retentionMs, 5)
  })
})
