import { chained, coPartitioned, placedByKey, producerStamped, shortestRetentionMs } from '../../schemas/topic-rules.ts'
import { isKept, retentionOf } from './topic-configs.ts'
import type {
  ActualTopic,
  Declaration,
  DeclaredTopic,
  Finding,
  Plan,
  PlanOptions,
  Refusal,
  RefusalCode,
  Step,
  Topology,
} from './topology.ts'
import { planAcls } from './topology-acls.ts'

/**
 * What has to change so that what is there is what is declared. Nothing is asked and nothing changed. A refusal stops the
 * whole plan. The steps leave nothing half usable when they end early: schemas before records, rights away before rights
 * added, topics against the flow of the data, so that whatever is written has somewhere to go on to, and shorter retention
 * after everything else on topics.
 */
export function planTopology(declared: Declaration, actual: Topology, options: PlanOptions = {}): Plan {
  const refusals: Refusal[] = [...unevenCounts(declared)]
  const findings: Finding[] = []
  const configs: Step[] = []
  const shorter: Step[] = []
  const places: Step[] = []
  for (const topic of declared.topics.toReversed()) {
    refusals.push(...contradictions(topic, declared.horizonMs))
    const found = actual.topics.get(topic.name)
    const planned = found ? planExisting(topic, found, options) : planMissing(topic, actual.brokers)
    refusals.push(...planned.refusals)
    findings.push(...planned.findings)
    for (const step of planned.steps) {
      if (step.kind !== 'change-config') places.push(step)
      else if (shortens(step)) shorter.push(step)
      else configs.push(step)
    }
  }
  const schemas = planSchemas(declared, actual)
  refusals.push(...schemas.refusals)
  const acls = declared.acls && actual.acls && planAcls(declared.topics, declared.acls, actual.acls, options)
  if (declared.acls && !actual.acls) {
    refusals.push({
      code: 'no_authorizer',
      on: 'authorizer.class.name',
      says: 'the brokers have no authorizer, so everybody may read everything: set authorizer.class.name there, or leave --acls away',
    })
  }
  return {
    steps: [...schemas.steps, ...(acls?.remove ?? []), ...configs, ...places, ...shorter, ...(acls?.add ?? [])],
    refusals,
    findings: [...findings, ...(acls?.findings ?? [])],
  }
}

interface Planned {
  readonly steps: readonly Step[]
  readonly refusals: readonly Refusal[]
  readonly findings: readonly Finding[]
}

const refusal = (code: RefusalCode, on: string, says: string): Refusal => ({ code, on, says: `${on} ${says}` })

function unevenCounts({ topics }: Declaration): readonly Refusal[] {
  const counts = new Map(topics.map(({ name, partitions }) => [name, partitions]))
  return coPartitioned.flatMap((together) => {
    const found = together.flatMap((name) => (counts.has(name) ? [{ name, count: counts.get(name)! }] : []))
    if (new Set(found.map(({ count }) => count)).size <= 1) return []
    const what = found.map(({ name, count }) => `${name} ${count}`).join(', ')
    return [
      refusal(
        'partitions_uneven',
        found[0]!.name,
        `and what shares its partitions are declared with different counts (${what}), but one task reads and writes partition p of each: declare one count`,
      ),
    ]
  })
}

/** What a declaration may not say, whatever is there. */
function contradictions({ name, configs, replicationFactor }: DeclaredTopic, horizonMs: number): readonly Refusal[] {
  const problems: Refusal[] = []
  const shortest = shortestRetentionMs(name, horizonMs)
  if (retentionOf(configs) < shortest) {
    const needed = shortest === Number.POSITIVE_INFINITY ? 'for ever' : `for ${days(shortest)}`
    problems.push(
      refusal(
        'retention_too_short',
        name,
        `is declared to be kept for ${days(retentionOf(configs))}, but must be kept ${needed}: declare that`,
      ),
    )
  }
  if (chained.has(name) && compacts(configs['cleanup.policy'])) {
    problems.push(
      refusal('chain_compacted', name, 'is chained by hashes, and compaction would break the chain: declare delete'),
    )
  }
  if (!producerStamped.has(name) && configs['message.timestamp.type'] !== 'LogAppendTime') {
    problems.push(
      refusal('stamps_untrue', name, 'is declared without append times, which decide what is late: declare append'),
    )
  }
  if (Number(configs['min.insync.replicas'] ?? 1) > replicationFactor) {
    problems.push(
      refusal(
        'replicas_too_few',
        name,
        'is declared with fewer replicas than min.insync.replicas, so nobody could write: raise them',
      ),
    )
  }
  return problems
}

function planMissing({ name, partitions, replicationFactor, configs }: DeclaredTopic, brokers: number): Planned {
  const refusals =
    replicationFactor <= brokers
      ? []
      : [
          refusal(
            'replicas_too_few',
            name,
            `is declared with ${replicationFactor} replicas, but there are ${brokers} brokers: start more, or lower kafka.replicationFactor`,
          ),
        ]
  const step: Step = { kind: 'create-topic', topic: name, partitions, replicationFactor, configs }
  return { steps: [step], refusals, findings: [] }
}

function planExisting(topic: DeclaredTopic, actual: ActualTopic, options: PlanOptions): Planned {
  const { name, partitions, replicationFactor } = topic
  const steps: Step[] = []
  const refusals: Refusal[] = []
  const findings: Finding[] = []
  for (const [key, to] of Object.entries(topic.configs)) {
    const from = actual.configs[key]
    const stuck = key === 'min.insync.replicas' && Number(from) > actual.replicationFactor
    if (isKept(key, to, from) && !stuck) continue
    const refused = refuseChange(topic, actual, key, options)
    if (refused) refusals.push(refused)
    else steps.push({ kind: 'change-config', topic: name, name: key, from, to })
  }
  if (actual.partitions > partitions) {
    refusals.push(
      refusal(
        'partitions_shrink',
        name,
        `has ${count(actual.partitions, 'partition')}, and ${partitions} are declared, but partitions only ever grow: declare ${actual.partitions}`,
      ),
    )
  } else if (actual.partitions < partitions) {
    if (placedByKey.has(name) && actual.holdsRecords) {
      refusals.push(
        refusal(
          'keys_would_move',
          name,
          `holds records placed by their key over ${count(actual.partitions, 'partition')}, and with ${partitions} those of a key would go on in another one: declare ${actual.partitions}`,
        ),
      )
    } else steps.push({ kind: 'grow-topic', topic: name, from: actual.partitions, to: partitions })
  }
  const needed = Number(topic.configs['min.insync.replicas'] ?? 1)
  if (actual.replicationFactor < needed) {
    refusals.push(
      refusal(
        'replicas_too_few',
        name,
        `has ${count(actual.replicationFactor, 'replica')}, fewer than the min.insync.replicas of ${needed}, so nobody could write: reassign it to ${replicationFactor} replicas first, or lower kafka.replicationFactor`,
      ),
    )
  } else if (actual.replicationFactor < replicationFactor) {
    findings.push({
      code: 'replicas_fewer',
      on: name,
      says: `${name} has ${count(actual.replicationFactor, 'replica')}, and ${replicationFactor} are declared: reassign its partitions`,
    })
  }
  return { steps, refusals, findings }
}

/** Why a setting of a topic that holds records may not be changed; an empty one may become anything. */
function refuseChange(
  { name, configs }: DeclaredTopic,
  actual: ActualTopic,
  key: string,
  { mayDeleteRecords = false }: PlanOptions,
): Refusal | undefined {
  if (!actual.holdsRecords) return undefined
  const [to, from] = [configs[key], actual.configs[key]]
  if (key === 'cleanup.policy') {
    return chained.has(name) && compacts(from)
      ? refusal(
          'chain_compacted',
          name,
          'is chained by hashes and was compacted, so links may be gone: restore it from a copy, then apply',
        )
      : refusal(
          'cleanup_changes',
          name,
          `holds records under cleanup.policy ${from}, and under ${to} some would go or stay that must not: move them to a new topic, then apply`,
        )
  }
  if (key === 'message.timestamp.type' && to === 'LogAppendTime') {
    return refusal(
      'stamps_untrue',
      name,
      'holds records whose times their producers gave, which would count as times of receipt: move them to a new topic, then apply',
    )
  }
  if (key === 'retention.ms' && retentionOf(configs) < retentionOf(actual.configs) && !mayDeleteRecords) {
    return refusal(
      'records_would_go',
      name,
      `is kept for ${days(retentionOf(actual.configs))}, and to keep it for ${days(retentionOf(configs))} deletes what is older: ask for that with --may-delete-records`,
    )
  }
  return undefined
}

function planSchemas({ schemas }: Declaration, actual: Topology): Pick<Planned, 'steps' | 'refusals'> {
  const steps: Step[] = []
  const refusals: Refusal[] = []
  for (const subject of actual.schemas ? schemas.keys() : []) {
    const standing = actual.schemas?.get(subject) ?? 'new'
    if (standing === 'incompatible') {
      refusals.push(
        refusal(
          'schema_incompatible',
          subject,
          'could not read what is written under its newest version: give every new field a default, take none away, and apply again',
        ),
      )
    } else if (standing !== 'same') steps.push({ kind: 'register-schema', subject, standing })
  }
  return { steps, refusals }
}

const compacts = (policy: string | undefined): boolean => policy?.includes('compact') ?? false

/** Whether a step makes a topic forget earlier than before. */
export function shortens(step: Step): boolean {
  if (step.kind !== 'change-config' || step.name !== 'retention.ms') return false
  return (
    retentionOf({ 'retention.ms': step.to }) < retentionOf(step.from === undefined ? {} : { 'retention.ms': step.from })
  )
}

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`

const day = 86_400_000

function days(ms: number): string {
  if (ms === Number.POSITIVE_INFINITY) return 'ever'
  return ms % day === 0 ? count(ms / day, 'day') : `${ms} ms`
}
