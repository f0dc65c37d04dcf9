import { type Principals, rightsOf, roleNames } from '../../schemas/access.ts'
import { type TopicLayout, topics } from '../../schemas/topics.ts'
import { configsOf, minInsyncReplicas } from './topic-configs.ts'
import type { AclBinding, Declaration } from './topology.ts'

export interface DeclareOptions {
  /** How late a reading may be, in ms. Required. */
  readonly horizonMs: number
  /** Replicas of every topic. Required. */
  readonly replicationFactor: number
  /** Whose rights are declared. Optional: nobody's, rights are left alone. */
  readonly principals?: Principals
}

/** What schemas/ says must be there, in Kafka's words. */
export function declareTopology(layouts: readonly TopicLayout[], options: DeclareOptions): Declaration {
  const { horizonMs, replicationFactor, principals } = options
  const byName = new Map(Object.values(topics).map((topic) => [topic.name, topic]))
  return {
    horizonMs,
    topics: layouts.map((layout) => ({
      name: layout.name,
      label: byName.get(layout.name)!.label,
      partitions: layout.partitions,
      replicationFactor,
      configs: { ...configsOf(layout), 'min.insync.replicas': String(minInsyncReplicas(replicationFactor)) },
    })),
    acls:
      principals &&
      declareAcls(
        layouts.map(({ name }) => name),
        principals,
      ),
    schemas: new Map(layouts.map(({ name }) => [`${name}-value`, byName.get(name)!.codec.schema])),
  }
}

/** Principals that hold several roles have each right once. Those who feed the pipelines come last. */
function declareAcls(names: readonly TopicLayout['name'][], principals: Principals): readonly AclBinding[] {
  const all = new Map<string, AclBinding>()
  for (const role of roleNames.toReversed()) {
    for (const { resource, name, pattern, operations } of rightsOf(role, names)) {
      for (const principal of principals[role]) {
        for (const operation of operations) {
          const acl: AclBinding = { principal, host: '*', resource, name, pattern, operation, permission: 'allow' }
          all.set(aclId(acl), acl)
        }
      }
    }
  }
  return [...all.values()]
}

/** Equal for equal bindings. */
export const aclId = (acl: AclBinding): string =>
  [acl.permission, acl.principal, acl.host, acl.operation, acl.resource, acl.pattern, acl.name].join('\u0000')
