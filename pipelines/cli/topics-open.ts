import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import type { SchemaRegistry } from '../../connectors/contract.ts'
import type { Plan, PlanOptions, SchemaStanding, Step } from '../../connectors/kafka/topology.ts'
import { type BrokerStep, openTopology } from '../../connectors/kafka/topology-admin.ts'
import { type DeclareOptions, declareTopology } from '../../connectors/kafka/topology-declared.ts'
import { planTopology } from '../../connectors/kafka/topology-plan.ts'
import { confluentSchemaRegistry } from '../../connectors/registry/index.ts'
import { days } from '../../operators/contract/clock.ts'
import { defaultPrincipals, type Principals, principalProblems, type Role, roleNames } from '../../schemas/access.ts'
import { topicSpecs } from '../../schemas/topics.ts'
import { notJson } from '../runtime/json-fault.ts'
import { nearest } from '../runtime/nearest.ts'
import type { Settings } from '../runtime/settings.ts'
import { connectionsOf } from './connections.ts'
import { usageError } from './errors.ts'
import { checkReach } from './start-checks.ts'

/** Topics, schemas and rights of a deployment: planned from what is there now, and changed step by step. */
export interface Topics {
  /** Whether schemas are looked at: there is a registry. */
  readonly withSchemas: boolean
  /** Rejects with `StartError` where the brokers do not answer or refuse the user; asked before anything that takes time. */
  readonly reach: () => Promise<void>
  readonly plan: () => Promise<Plan>
  /** Has the brokers check the steps as far as they can without doing them. */
  readonly check: (steps: readonly Step[]) => Promise<void>
  readonly perform: (step: Step) => Promise<void>
  readonly close: () => Promise<void>
}

export interface TopicsOptions extends PlanOptions {
  /** Whose rights are looked at and changed; `undefined` leaves rights alone. */
  readonly principals: Principals | undefined
}

/** Replicas of new topics where no setting says how many: as many as bear the loss of one broker, if there are so many. */
const usualReplicas = 3
/** As long as calls to brokers may take: nobody waits at a meter for this command. */
const patienceMs = 30_000

/** Connects with the first call. Throws a usage error where the settings name no brokers. */
export function openTopics(settings: Settings, { principals, ...options }: TopicsOptions): Topics {
  const connections = connectionsOf(settings)
  if (!connections.kafka) {
    throw usageError(
      'kafka.brokers is not set, and topics are declared for Kafka alone.',
      'Set it; without Kafka, run lays its topics out by itself.',
    )
  }
  const { kafka } = connections
  const admin = openTopology(kafka)
  const registry = connections.registry && confluentSchemaRegistry({ timeoutMs: patienceMs, ...connections.registry })
  const layouts = topicSpecs(settings.partitions, settings)
  const declared = (replicationFactor: number) => {
    const common: DeclareOptions = { horizonMs: days(settings.horizonDays), replicationFactor }
    return declareTopology(layouts, principals ? { ...common, principals } : common)
  }
  const { schemas } = declared(1)
  return {
    withSchemas: registry !== undefined,
    reach: () => checkReach(kafka),
    plan: async () => {
      const there = await admin.read(
        layouts.map(({ name }) => name),
        { acls: principals !== undefined },
      )
      const replicas = settings.kafka?.replicationFactor ?? Math.min(usualReplicas, there.brokers)
      const standings = registry && (await standingsOf(registry, schemas))
      return planTopology(declared(replicas), { ...there, schemas: standings }, options)
    },
    check: (steps) => admin.check(steps.filter((step): step is BrokerStep => step.kind !== 'register-schema')),
    perform: async (step) => {
      if (step.kind !== 'register-schema') return admin.perform(step)
      await registry?.register(step.subject, schemas.get(step.subject)!)
    },
    close: () => admin.close(),
  }
}

async function standingsOf(
  registry: SchemaRegistry,
  schemas: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, SchemaStanding>> {
  const standings = new Map<string, SchemaStanding>()
  for (const [subject, schema] of schemas) standings.set(subject, await standingOf(registry, subject, schema))
  return standings
}

async function standingOf(registry: SchemaRegistry, subject: string, schema: string): Promise<SchemaStanding> {
  const versions = await registry.versions(subject)
  if (versions.length === 0) return 'new'
  const own: unknown = JSON.parse(schema)
  if (versions.some((version) => isDeepStrictEqual(JSON.parse(version.schema), own))) return 'same'
  return (await registry.compatible(subject, schema)) ? 'compatible' : 'incompatible'
}

/** Short name of what a plan would do: equal for equal steps. */
export const digestOf = ({ steps }: Plan): string =>
  createHash('sha256').update(JSON.stringify(steps)).digest('hex').slice(0, 12)

/**
 * Who holds which role, from a JSON file `{"analyst": ["User:CN=anna"], …}`; roles that it leaves out keep their default,
 * and an empty list means nobody. Throws a usage error with everything that is wrong.
 */
export function readPrincipals(path: string, read = (path: string) => readFileSync(path, 'utf8')): Principals {
  const refuse = (problem: string): never => {
    throw usageError(
      `${path}: ${problem}${problem.endsWith('?') ? '' : '.'}`,
      'Correct it; docs/operator.md lists the roles.',
    )
  }
  const text = read(path)
  let given: unknown
  try {
    given = JSON.parse(text)
  } catch {
    return refuse(`it ${notJson(text)}`)
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return refuse('it must hold one JSON object')
  const problems: string[] = []
  const principals: Record<Role, readonly string[]> = { ...defaultPrincipals }
  for (const [name, value] of Object.entries(given)) {
    const role = roleNames.find((known) => known === name)
    const [closest] = nearest(name, roleNames, 1)
    if (!role) problems.push(`${name} is no role${closest ? `; did you mean ${closest}?` : ''}`)
    else if (!isListOfText(value)) problems.push(`${name} must be a list of principals`)
    else principals[role] = value
  }
  problems.push(...principalProblems(principals))
  return problems.length > 0 ? refuse(problems.join('; ')) : principals
}

const isListOfText = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string')
