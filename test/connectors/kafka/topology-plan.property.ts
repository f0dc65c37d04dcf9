import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { retentionOf } from '../../../connectors/kafka/topic-configs.ts'
import type {
  AclBinding,
  Declaration,
  PlanOptions,
  SchemaStanding,
  Topology,
} from '../../../connectors/kafka/topology.ts'
import { planTopology, shortens } from '../../../connectors/kafka/topology-plan.ts'
import { shortestRetentionMs } from '../../../schemas/topic-rules.ts'
import { type TopicName, topicSpecs } from '../../../schemas/topics.ts'
import { after, day, declaration, nothing } from './topology-world.ts'

const numRuns = Number(process.env['MV_CASES'] ?? 2_000)

const names = topicSpecs(1).map(({ name }) => name)
const ofConfig: Readonly<Record<string, readonly string[]>> = {
  'message.timestamp.type': ['CreateTime', 'LogAppendTime'],
  'cleanup.policy': ['delete', 'compact', 'compact,delete'],
  'retention.ms': ['-1', '0', String(7 * day), String(23 * day), String(1_000 * day)],
  'retention.bytes': ['-1', '1000'],
  'min.insync.replicas': ['1', '2', '3'],
  'max.message.bytes': ['1000', '1048588', '3000000'],
  'segment.ms': ['1', '604800000'],
  'min.cleanable.dirty.ratio': ['0.01', '0.1', '0.5'],
  'flush.ms': ['1'],
}
const counts = fc.constantFrom(1, 4, 8, 12)
const declarations = fc
  .record({
    partitions: counts,
    domains: fc.constantFrom(1, 2),
    groupPartitions: fc.constantFrom(1, 4),
    replicationFactor: fc.constantFrom(1, 3),
    retentionMs: fc.dictionary(fc.constantFrom(...names), fc.constantFrom(null, 5 * day, 30 * day), { maxKeys: 2 }),
  })
  .map((options) => declaration(options))

const acls: fc.Arbitrary<AclBinding> = fc.record({
  principal: fc.constantFrom('User:analyst', 'User:pipelines', 'User:eve', 'User:*'),
  host: fc.constantFrom('*', '10.0.0.1'),
  resource: fc.constantFrom('topic', 'group', 'transactional-id', 'cluster'),
  name: fc.constantFrom('*', 'load', 'load.public', 'release.ledger', 'load-load.partials-', 'kafka-cluster'),
  pattern: fc.constantFrom('literal', 'prefixed'),
  operation: fc.constantFrom('read', 'write', 'all', 'describe'),
  permission: fc.constantFrom('allow', 'allow', 'deny'),
})

/** What was applied once, some of it changed by hand since. */
const cases: fc.Arbitrary<{ readonly declared: Declaration; readonly actual: Topology }> = fc
  .record({
    before: declarations,
    now: fc.option(declarations, { freq: 2 }),
    topics: fc.array(
      fc.record({
        name: fc.constantFrom(...names),
        gone: fc.boolean(),
        partitions: fc.option(counts),
        replicationFactor: fc.option(fc.constantFrom(1, 2, 3)),
        config: fc
          .constantFrom(...Object.keys(ofConfig))
          .chain((key) => fc.record({ key: fc.constant(key), value: fc.constantFrom(...ofConfig[key]!) })),
      }),
      { maxLength: 4 },
    ),
    filled: fc.uniqueArray(fc.constantFrom(...names)),
    // Kafka holds each right once.
    extra: fc.uniqueArray(acls, { maxLength: 3, selector: (acl) => JSON.stringify(acl) }),
    lost: fc.nat(),
    standings: fc.dictionary(
      fc.constantFrom(...names.map((name) => `${name}-value`)),
      fc.constantFrom<SchemaStanding>('new', 'compatible', 'same'),
      { maxKeys: 3 },
    ),
  })
  .map(({ before, now, topics: edits, filled, extra, lost, standings }) => {
    const brokers = 3
    const world = after(nothing, planTopology(before, { ...nothing, brokers }).steps)
    const topics = new Map(world.topics)
    for (const { name, gone, partitions, replicationFactor, config } of edits) {
      const topic = topics.get(name)
      if (gone) topics.delete(name)
      else if (topic) {
        topics.set(name, {
          ...topic,
          partitions: partitions ?? topic.partitions,
          replicationFactor: replicationFactor ?? topic.replicationFactor,
          configs: { ...topic.configs, [config.key]: config.value },
        })
      }
    }
    for (const name of filled) {
      const topic = topics.get(name)
      if (topic) topics.set(name, { ...topic, holdsRecords: true })
    }
    const kept = world.acls!.filter((_, at) => at !== lost % world.acls!.length)
    const schemas = new Map([...world.schemas!, ...Object.entries(standings)])
    return { declared: now ?? before, actual: { brokers, topics, acls: [...kept, ...extra], schemas } }
  })

const options: fc.Arbitrary<PlanOptions> = fc.record({ mayDeleteRecords: fc.boolean(), removeAcls: fc.boolean() })

describe('any plan', () => {
  test('carried out, leaves nothing to do', () => {
    let carriedOut = 0
    fc.assert(
      fc.property(cases, options, ({ declared, actual }, options) => {
        const { steps, refusals, findings } = planTopology(declared, actual, options)
        if (refusals.length > 0) return
        carriedOut += 1
        const world = after(actual, steps)
        const then = planTopology(declared, world, options)
        assert.deepEqual(then, { steps: [], refusals: [], findings })
        for (const { name, partitions, configs } of declared.topics) {
          const topic = world.topics.get(name)!
          assert.equal(topic.partitions, partitions)
          assert.equal(topic.configs['cleanup.policy']?.includes('compact'), configs['cleanup.policy'] === 'compact')
          assert.equal(retentionOf(topic.configs), retentionOf(configs))
          assert.ok(Number(topic.configs['min.insync.replicas']) <= topic.replicationFactor, name)
        }
      }),
      { numRuns },
    )
    assert.ok(carriedOut > numRuns / 8, `only ${carriedOut} of ${numRuns} were not refused`)
  })

  test('loses no record, unless it was told that it may, and then none that must stay', () => {
    fc.assert(
      fc.property(cases, options, ({ declared, actual }, options) => {
        const { steps, refusals } = planTopology(declared, actual, options)
        if (refusals.length > 0) return
        for (const step of steps) {
          const topic = 'topic' in step ? actual.topics.get(step.topic) : undefined
          if (step.kind === 'create-topic') assert.equal(topic, undefined)
          if (step.kind === 'grow-topic') assert.ok(step.to > topic!.partitions)
          if (step.kind !== 'change-config' || !topic?.holdsRecords) continue
          assert.notEqual(step.name, 'cleanup.policy')
          assert.notDeepEqual([step.name, step.to], ['message.timestamp.type', 'LogAppendTime'])
          if (!shortens(step)) continue
          assert.equal(options.mayDeleteRecords, true)
          const left = retentionOf({ 'retention.ms': step.to })
          assert.ok(left >= shortestRetentionMs(step.topic as TopicName, declared.horizonMs))
        }
      }),
      { numRuns },
    )
  })

  test('takes no right away that is not ours, and none unless it was told to', () => {
    const ours = new Set(declaration().acls!.map(({ principal }) => principal))
    fc.assert(
      fc.property(cases, options, ({ declared, actual }, options) => {
        for (const step of planTopology(declared, actual, options).steps) {
          if (step.kind !== 'remove-acl') continue
          assert.equal(options.removeAcls, true)
          assert.ok(ours.has(step.acl.principal))
          assert.notEqual(step.acl.name, '*')
        }
      }),
      { numRuns },
    )
  })
})
