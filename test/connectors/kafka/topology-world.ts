import type { AclBinding, ActualTopic, Declaration, Step, Topology } from '../../../connectors/kafka/topology.ts'
import { aclId, declareTopology } from '../../../connectors/kafka/topology-declared.ts'
import { defaultPrincipals } from '../../../schemas/access.ts'
import { type TopicOptions, topicSpecs } from '../../../schemas/topics.ts'

export const day = 86_400_000

/** What is declared for 8 input partitions on one broker, with the default principals. */
export const declaration = (
  options: TopicOptions & { partitions?: number; replicationFactor?: number; acls?: boolean } = {},
): Declaration =>
  declareTopology(topicSpecs(options.partitions ?? 8, options), {
    horizonMs: 14 * day,
    replicationFactor: options.replicationFactor ?? 1,
    ...(options.acls === false ? {} : { principals: defaultPrincipals }),
  })

export const nothing: Topology = { brokers: 1, topics: new Map(), acls: [], schemas: new Map() }

/** What is there after steps, as a broker and a registry would hold it. */
export function after(topology: Topology, steps: readonly Step[]): Topology {
  const topics = new Map(topology.topics)
  const acls = new Map((topology.acls ?? []).map((acl) => [aclId(acl), acl]))
  const schemas = new Map(topology.schemas ?? [])
  const change = (name: string, to: (topic: ActualTopic) => Partial<ActualTopic>) => {
    const topic = topics.get(name)
    if (!topic) throw new Error(`${name} is not there`)
    topics.set(name, { ...topic, ...to(topic) })
  }
  for (const step of steps) {
    switch (step.kind) {
      case 'register-schema':
        schemas.set(step.subject, 'same')
        break
      case 'create-topic': {
        const { topic, partitions, replicationFactor, configs } = step
        if (topics.has(topic)) throw new Error(`${topic} is there already`)
        topics.set(topic, { partitions, replicationFactor, configs, holdsRecords: false })
        break
      }
      case 'grow-topic':
        change(step.topic, () => ({ partitions: step.to }))
        break
      case 'change-config':
        change(step.topic, ({ configs }) => ({ configs: { ...configs, [step.name]: step.to } }))
        break
      case 'add-acl':
        acls.set(aclId(step.acl), step.acl)
        break
      case 'remove-acl':
        acls.delete(aclId(step.acl))
    }
  }
  return { ...topology, topics, acls: topology.acls && [...acls.values()], schemas: topology.schemas && schemas }
}

/** One topic as it is, changed. */
export function withTopic(topology: Topology, name: string, change: Partial<ActualTopic>): Topology {
  const topic = topology.topics.get(name)
  if (!topic) throw new Error(`${name} is not there`)
  return { ...topology, topics: new Map(topology.topics).set(name, { ...topic, ...change }) }
}

export const withConfig = (topology: Topology, name: string, key: string, value: string): Topology =>
  withTopic(topology, name, { configs: { ...topology.topics.get(name)?.configs, [key]: value } })

/** Every topic holds records. */
export const filled = (topology: Topology): Topology => ({
  ...topology,
  topics: new Map([...topology.topics].map(([name, topic]) => [name, { ...topic, holdsRecords: true }])),
})

export const allow = (
  principal: string,
  operation: AclBinding['operation'],
  name: string,
  other: Partial<AclBinding> = {},
): AclBinding => ({
  principal: `User:${principal}`,
  host: '*',
  resource: 'topic',
  name,
  pattern: 'literal',
  operation,
  permission: 'allow',
  ...other,
})
