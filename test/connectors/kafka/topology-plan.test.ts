import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Declaration, PlanOptions, RefusalCode, Step, Topology } from '../../../connectors/kafka/topology.ts'
import { planTopology } from '../../../connectors/kafka/topology-plan.ts'
import { coPartitioned } from '../../../schemas/topic-rules.ts'
import { topicSpecs } from '../../../schemas/topics.ts'
import { after, day, declaration, filled, nothing, withConfig, withTopic } from './topology-world.ts'

const declared = declaration()
const applied = after(nothing, planTopology(declared, nothing).steps)
const full = filled(applied)

const changed = (declared: Declaration, name: string, configs: Readonly<Record<string, string>>): Declaration => ({
  ...declared,
  topics: declared.topics.map((topic) =>
    topic.name === name ? { ...topic, configs: { ...topic.configs, ...configs } } : topic,
  ),
})

describe('a plan from nothing', () => {
  const { steps, refusals, findings } = planTopology(declared, nothing)

  test('creates every topic, registers every schema, adds every right, and refuses nothing', () => {
    const created = steps.flatMap((step) => (step.kind === 'create-topic' ? [step.topic] : []))
    assert.deepEqual(
      created.toSorted(),
      topicSpecs(8)
        .map(({ name }) => name)
        .toSorted(),
    )
    assert.equal(steps.filter(({ kind }) => kind === 'register-schema').length, created.length)
    assert.equal(steps.filter(({ kind }) => kind === 'add-acl').length, declared.acls?.length)
    assert.deepEqual([refusals, findings], [[], []])
  })

  test('leaves nothing half usable: schemas first, the input of the pipelines after all other topics, rights last', () => {
    const kinds = steps.map(({ kind }) => kind)
    const places = steps.flatMap((step) => (step.kind === 'create-topic' ? [step.topic] : []))
    assert.deepEqual([...new Set(kinds)], ['register-schema', 'create-topic', 'add-acl'])
    assert.equal(places.at(-1), 'meter.frames')
    const last = steps.at(-1)
    assert.equal(last?.kind === 'add-acl' && last.acl.principal, 'User:listener')
  })

  test('carried out, leaves nothing to do', () => {
    assert.deepEqual(planTopology(declared, applied), { steps: [], refusals: [], findings: [] })
    assert.deepEqual(planTopology(declared, full), { steps: [], refusals: [], findings: [] })
  })

  test('looks at no rights and no schemas where nobody asks', () => {
    const { steps } = planTopology(declaration({ acls: false }), { ...nothing, acls: undefined, schemas: undefined })
    assert.deepEqual([...new Set(steps.map(({ kind }) => kind))], ['create-topic'])
  })
})

describe('a topic that differs', () => {
  const set = (topic: string, name: string, to: string, from?: string): Partial<Step> => ({
    kind: 'change-config',
    topic,
    name,
    to,
    ...(from === undefined ? {} : { from }),
  })
  const cases: readonly (readonly [string, Topology, readonly Partial<Step>[], PlanOptions?])[] = [
    [
      'is created again',
      { ...full, topics: new Map([...full.topics].filter(([name]) => name !== 'audit')) },
      [{ kind: 'create-topic', topic: 'audit' }],
    ],
    [
      'is kept longer',
      withConfig(full, 'meter.accepted', 'retention.ms', '1'),
      [set('meter.accepted', 'retention.ms', String(23 * day), '1')],
    ],
    [
      'is kept for ever again',
      withConfig(full, 'release.ledger', 'retention.ms', '604800000'),
      [set('release.ledger', 'retention.ms', '-1', '604800000')],
    ],
    [
      'is kept for a shorter time where that is asked for',
      withConfig(full, 'meter.frames', 'retention.ms', '-1'),
      [set('meter.frames', 'retention.ms', String(7 * day), '-1')],
      { mayDeleteRecords: true },
    ],
    [
      'is kept for a shorter time where it is empty',
      withConfig(applied, 'meter.frames', 'retention.ms', '-1'),
      [set('meter.frames', 'retention.ms', String(7 * day), '-1')],
    ],
    [
      'goes by age alone',
      withConfig(full, 'meter.accepted', 'retention.bytes', '1000'),
      [set('meter.accepted', 'retention.bytes', '-1', '1000')],
    ],
    [
      'takes records as large as ours',
      withConfig(full, 'load.partials', 'max.message.bytes', '1000'),
      [set('load.partials', 'max.message.bytes', '1048588', '1000')],
    ],
    [
      'is compacted too seldom',
      withConfig(full, 'load.state', 'segment.ms', '604800000'),
      [set('load.state', 'segment.ms', '3600000', '604800000')],
    ],
    [
      'is compacted when half of it is old',
      withConfig(full, 'load.state', 'min.cleanable.dirty.ratio', '0.5'),
      [set('load.state', 'min.cleanable.dirty.ratio', '0.1', '0.5')],
    ],
    ['may be compacted more often', withConfig(full, 'load.state', 'min.cleanable.dirty.ratio', '0.01'), []],
    ['may take larger ones', withConfig(full, 'load.partials', 'max.message.bytes', '2000000'), []],
    ['may name its policy in any order', withConfig(full, 'load.state', 'cleanup.policy', ' compact'), []],
    [
      'is written with the replicas that there are',
      withConfig(full, 'audit', 'min.insync.replicas', '2'),
      [set('audit', 'min.insync.replicas', '1', '2')],
    ],
    [
      'never takes a leader that lacks records',
      withConfig(full, 'audit', 'unclean.leader.election.enable', 'true'),
      [set('audit', 'unclean.leader.election.enable', 'false', 'true')],
    ],
    [
      'no longer keeps the time of arrival',
      withConfig(full, 'household.readings', 'message.timestamp.type', 'LogAppendTime'),
      [set('household.readings', 'message.timestamp.type', 'CreateTime', 'LogAppendTime')],
    ],
    [
      'takes local dates east of Greenwich',
      withConfig(full, 'household.readings', 'message.timestamp.after.max.ms', '3600000'),
      [set('household.readings', 'message.timestamp.after.max.ms', '86400000', '3600000')],
    ],
    [
      'becomes what it should be while it is empty',
      withConfig(applied, 'meter.frames', 'message.timestamp.type', 'CreateTime'),
      [set('meter.frames', 'message.timestamp.type', 'LogAppendTime', 'CreateTime')],
    ],
    ['may have settings that nobody declared', withConfig(full, 'meter.frames', 'segment.ms', '1'), []],
  ]
  for (const [name, actual, expected, options] of cases) {
    test(name, () => {
      const { steps, refusals } = planTopology(declared, actual, options)
      assert.deepEqual(refusals, [])
      assert.equal(steps.length, expected.length)
      for (const [at, step] of expected.entries()) assert.partialDeepStrictEqual(steps[at], step)
      const then = after(actual, steps)
      assert.deepEqual(planTopology(declared, then, options).steps, [])
    })
  }

  test('grows with what shares its partitions, the input last', () => {
    const { steps, refusals } = planTopology(declaration({ partitions: 12 }), full)
    assert.deepEqual(refusals, [])
    const grown = steps.map((step) => (step.kind === 'grow-topic' ? [step.topic, step.from, step.to] : step))
    assert.deepEqual(
      grown,
      [...coPartitioned[0]!]
        .toReversed()
        .sort((a, b) => Number(a === 'meter.frames') - Number(b === 'meter.frames'))
        .map((name) => [name, 8, 12]),
    )
  })

  test('grows to the others where growth was interrupted', () => {
    const half = withTopic(full, 'meter.accepted', { partitions: 12 })
    const { steps, refusals } = planTopology(declaration({ partitions: 12 }), half)
    assert.deepEqual(refusals, [])
    assert.equal(steps.length, coPartitioned[0]!.length - 1)
  })

  test('with fewer replicas than declared is named, and left as it is', () => {
    const three = declaration({ replicationFactor: 3 })
    const created = after({ ...nothing, brokers: 3 }, planTopology(three, { ...nothing, brokers: 3 }).steps)
    const { steps, refusals, findings } = planTopology(three, withTopic(created, 'audit', { replicationFactor: 2 }))
    assert.deepEqual(
      [steps, refusals, findings.map(({ code, on }) => [code, on])],
      [[], [], [['replicas_fewer', 'audit']]],
    )
  })
})

describe('a plan is refused', () => {
  const cases: readonly (readonly [string, RefusalCode, Declaration, Topology])[] = [
    ['where partitions would shrink', 'partitions_shrink', declaration({ partitions: 4 }), full],
    [
      'where counts that belong together differ',
      'partitions_uneven',
      {
        ...declared,
        topics: declared.topics.map((topic) =>
          topic.name === 'meter.accepted' ? { ...topic, partitions: 16 } : topic,
        ),
      },
      full,
    ],
    [
      'where one of them has grown alone',
      'partitions_shrink',
      declared,
      withTopic(full, 'household.readings', { partitions: 9 }),
    ],
    [
      'where the records of a group would go on elsewhere',
      'keys_would_move',
      declaration({ groupPartitions: 4 }),
      full,
    ],
    [
      'where what was deleted by age would be compacted',
      'cleanup_changes',
      changed(declared, 'load.partials', { 'cleanup.policy': 'compact' }),
      full,
    ],
    [
      'where what was compacted would be deleted by age',
      'cleanup_changes',
      declared,
      withConfig(full, 'load.partials', 'cleanup.policy', 'compact,delete'),
    ],
    [
      'where a chain was compacted',
      'chain_compacted',
      declared,
      withConfig(full, 'release.ledger', 'cleanup.policy', 'compact'),
    ],
    [
      'where a chain is to be compacted',
      'chain_compacted',
      changed(declared, 'audit', { 'cleanup.policy': 'compact' }),
      nothing,
    ],
    [
      'where the changelog would not reach over the horizon and nine days',
      'retention_too_short',
      { ...declared, horizonMs: 15 * day },
      full,
    ],
    [
      'where the ledger would not be kept for ever',
      'retention_too_short',
      declaration({ retentionMs: { 'release.ledger': 1_000 * day } }),
      nothing,
    ],
    [
      'where the public load would not be kept for ever',
      'retention_too_short',
      declaration({ retentionMs: { 'load.public': 1_000 * day } }),
      nothing,
    ],
    [
      'where records would be deleted that nobody asked to delete',
      'records_would_go',
      declared,
      withConfig(full, 'meter.rejected', 'retention.ms', '-1'),
    ],
    [
      'where times of receipt would be those of producers',
      'stamps_untrue',
      declared,
      withConfig(full, 'meter.frames', 'message.timestamp.type', 'CreateTime'),
    ],
    [
      'where append times are not even declared',
      'stamps_untrue',
      changed(declared, 'load.partials', { 'message.timestamp.type': 'CreateTime' }),
      nothing,
    ],
    [
      'where fewer replicas are there than a write needs',
      'replicas_too_few',
      declaration({ replicationFactor: 3 }),
      { ...full, brokers: 3 },
    ],
    [
      'where fewer brokers are there than replicas',
      'replicas_too_few',
      declaration({ replicationFactor: 3 }),
      { ...nothing, brokers: 2 },
    ],
    [
      'where fewer replicas are declared than a write needs',
      'replicas_too_few',
      changed(declared, 'audit', { 'min.insync.replicas': '2' }),
      nothing,
    ],
    [
      'where a schema could not read what is written',
      'schema_incompatible',
      declared,
      { ...full, schemas: new Map(full.schemas).set('audit-value', 'incompatible') },
    ],
    ['where rights are declared and nobody checks them', 'no_authorizer', declared, { ...full, acls: undefined }],
  ]
  for (const [name, code, declared, actual] of cases) {
    test(name, () => {
      const { refusals } = planTopology(declared, actual)
      assert.deepEqual([...new Set(refusals.map((one) => one.code))], [code])
      for (const { on, says } of refusals) {
        assert.ok(code === 'no_authorizer' || says.startsWith(`${on} `), says)
        assert.match(says, /: \S/, 'says what to do')
      }
    })
  }

  const never: readonly (readonly [string, string])[] = [
    ['release.ledger', 'retention_too_short'],
    ['load.public', 'retention_too_short'],
    ['meter.accepted', 'retention_too_short'],
  ]
  for (const [name, code] of never) {
    test(`also with leave to delete records, where ${name} would be cut`, () => {
      const shorter = declaration({ retentionMs: { [name]: 20 * day } })
      const { refusals, steps } = planTopology(shorter, full, { mayDeleteRecords: true })
      assert.deepEqual(
        refusals.map((one) => [one.on, one.code]),
        [[name, code]],
      )
      assert.ok(steps.length > 0, 'shown, but not to be carried out')
    })
  }
})
