import type { ResourceKind } from '../../schemas/access.ts'
import type { AclBinding, DeclaredTopic, Finding, Step } from './topology.ts'
import { aclId } from './topology-declared.ts'

interface Resource {
  readonly kind: ResourceKind
  readonly name: string
  readonly pattern: 'literal' | 'prefixed'
  readonly label?: string
}

/** Operations that read or change something, or let others do so; seeing that a thing exists does neither. */
const harmful: Readonly<Record<ResourceKind, ReadonlySet<string>>> = {
  topic: new Set(['read', 'write', 'delete', 'alter', 'alter-configs', 'all']),
  group: new Set(['read', 'delete', 'all']),
  'transactional-id': new Set(['write', 'all']),
  cluster: new Set(['create', 'alter', 'alter-configs', 'all', 'other']),
}

export interface AclPlan {
  readonly add: readonly Step[]
  readonly remove: readonly Step[]
  readonly findings: readonly Finding[]
}

/**
 * What has to change in the rights. Rights of others are never taken away, only named; those of ours that are not declared
 * are taken away where `removeAcls` says so and they reach no further than our resources.
 */
export function planAcls(
  topics: readonly DeclaredTopic[],
  declared: readonly AclBinding[],
  actual: readonly AclBinding[],
  { removeAcls = false }: { readonly removeAcls?: boolean } = {},
): AclPlan {
  const present = new Set(actual.map(aclId))
  const wanted = new Set(declared.map(aclId))
  const ours = new Set(declared.map(({ principal }) => principal))
  const resources = resourcesOf(topics, declared)
  const own = new Set([...resources, ...declared.map(asResource)].map(resourceId))
  const remove: Step[] = []
  const findings: Finding[] = []
  for (const acl of actual) {
    if (wanted.has(aclId(acl))) continue
    const problem = acl.permission === 'deny' ? denied(acl, declared) : exceeding(acl, resources, declared, ours)
    if (problem === undefined) continue
    const removable = ours.has(acl.principal) && acl.resource !== 'cluster' && own.has(resourceId(asResource(acl)))
    if (removable && removeAcls) {
      remove.push({ kind: 'remove-acl', acl })
      continue
    }
    const remedy = removable ? '--remove-acls takes it away' : 'delete it with the tool that made it'
    findings.push({ ...problem, says: `${problem.says}: ${remedy}` })
  }
  return {
    add: declared.filter((acl) => !present.has(aclId(acl))).map((acl) => ({ kind: 'add-acl', acl })),
    remove,
    findings,
  }
}

const asResource = ({ resource, name, pattern }: AclBinding): Resource => ({
  kind: resource as ResourceKind,
  name,
  pattern,
})

const resourceId = ({ kind, name, pattern }: Resource): string => [kind, pattern, name].join('\u0000')

/** Our topics, and the groups and transactional ids of our pipelines; a reader's groups hold nothing but its own progress. */
function resourcesOf(topics: readonly DeclaredTopic[], declared: readonly AclBinding[]): readonly Resource[] {
  const all = new Map<string, Resource>()
  for (const { name, label } of topics) {
    const topic: Resource = { kind: 'topic', name, pattern: 'literal', label }
    all.set(resourceId(topic), topic)
  }
  for (const acl of declared) {
    const guarded = acl.resource === 'transactional-id' || (acl.resource === 'group' && acl.pattern === 'literal')
    if (guarded) all.set(resourceId(asResource(acl)), asResource(acl))
  }
  return [...all.values()]
}

/** Whether a binding reaches a resource, or some of what a prefix stands for. */
export function reaches(
  { resource, name, pattern }: AclBinding,
  { kind, name: to, pattern: shape }: Resource,
): boolean {
  if (resource !== kind) return false
  if (pattern === 'literal') return name === '*' || name === to || (shape === 'prefixed' && name.startsWith(to))
  return to.startsWith(name) || (shape === 'prefixed' && name.startsWith(to))
}

function exceeding(
  acl: AclBinding,
  resources: readonly Resource[],
  declared: readonly AclBinding[],
  ours: ReadonlySet<string>,
): Finding | undefined {
  const { principal, operation } = acl
  if (acl.resource === 'other' || !harmful[acl.resource].has(operation)) return undefined
  const holds = ({ kind, name, pattern }: Resource) =>
    declared.some(
      (one) =>
        one.principal === principal &&
        one.operation === operation &&
        one.resource === kind &&
        one.pattern === pattern &&
        one.name === name,
    )
  const who = principal === 'User:*' ? 'everybody' : principal
  const may = operation === 'all' ? 'do everything with' : operation === 'other' ? 'act on' : operation
  if (acl.resource === 'cluster') {
    if (!ours.has(principal) || holds({ kind: 'cluster', name: acl.name, pattern: acl.pattern })) return undefined
    return { code: 'right_too_wide', on: acl.name, says: `${who} may ${may} the cluster, which its role does not need` }
  }
  const touched = resources.filter(
    (one) => reaches(acl, one) && !(one.label === 'released' && operation === 'read') && !holds(one),
  )
  const [first] = touched
  if (first === undefined) return undefined
  const what =
    touched.length > 3 ? [...touched.slice(0, 3).map(named), `${touched.length - 3} more`] : touched.map(named)
  const how = acl.name === first.name ? '' : acl.name === '*' ? ', through a right on all' : `, through ${acl.name}…`
  const why = ours.has(principal) ? 'which its role does not need' : 'and is none of our principals'
  return {
    code: ours.has(principal) ? 'right_too_wide' : 'right_foreign',
    on: first.name,
    says: `${who} may ${may} ${listed(what)}${how}, ${why}`,
  }
}

/** A denial wins over every right. */
function denied(acl: AclBinding, declared: readonly AclBinding[]): Finding | undefined {
  const hit = declared.find(
    (one) =>
      (acl.principal === one.principal || acl.principal === 'User:*') &&
      reaches(acl, asResource(one)) &&
      (acl.operation === 'all' || acl.operation === one.operation || acl.operation === 'describe'),
  )
  if (hit === undefined) return undefined
  const from = acl.host === '*' ? '' : ` from ${acl.host}`
  return {
    code: 'right_denied',
    on: hit.name,
    says: `${hit.principal} is denied to ${hit.operation} ${hit.name}${from}, which its role needs`,
  }
}

function named({ kind, name, label }: Resource): string {
  if (kind === 'topic') return `${name} (${label})`
  return kind === 'group' ? `group ${name}` : `transactional ids ${name}…`
}

const listed = (all: readonly string[]): string =>
  all.length === 1 ? all[0]! : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`
