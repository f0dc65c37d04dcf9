import { LogError } from '../../connectors/contract.ts'
import { RefusedError } from '../../connectors/kafka/errors.ts'
import type { KafkaLogOptions } from '../../connectors/kafka/index.ts'
import {
  type InspectedOperation,
  inspectKafka,
  type KafkaInspection,
  type TopicStanding,
} from '../../connectors/kafka/inspect.ts'
import { days } from '../../operators/contract/clock.ts'
import { type Right, rightsOf, roleNames, roles } from '../../schemas/access.ts'
import { shortestRetentionMs } from '../../schemas/topic-rules.ts'
import { type TopicLayout, type TopicName, topicSpecs } from '../../schemas/topics.ts'
import type { Settings } from '../runtime/settings.ts'
import { hostAndPort } from '../runtime/settings-kinds.ts'
import { StartError } from './errors.ts'
import { knock } from './reach.ts'

/** How long start-up waits for an answer. Longer outages are for whoever starts the process again. */
export const startDeadlineMs = 5_000

/** What a process needs of Kafka. */
export interface KafkaNeeds {
  readonly topics: readonly TopicName[]
  readonly rights: readonly Right[]
}

/** What running these pipelines needs, as schemas/access.ts grants it. */
export function needsOf(pipelines: readonly string[]): KafkaNeeds {
  const running = roleNames.filter((role) => pipelines.includes(role) && roles[role].source)
  const names = [...new Set(running.flatMap((role) => [...roles[role].reads, ...roles[role].writes]))]
  return { topics: names, rights: running.flatMap((role) => rightsOf(role, names)) }
}

/** What writing the register needs. */
export const registerNeeds: KafkaNeeds = {
  topics: ['meter.register'],
  rights: rightsOf('register', ['meter.register']),
}

/**
 * Looks whether the brokers answer, let this principal in, hold the topics as they must be and grant what is needed. Throws
 * `StartError` with the first thing that is wrong. Nothing is written, joined or fenced, so others at work are not
 * disturbed.
 */
export async function checkKafka(kafka: KafkaLogOptions, settings: Settings, needs: KafkaNeeds): Promise<void> {
  await inspecting(kafka, async (inspection) => {
    const standings = await inspection.topics(needs.topics)
    refuseMissing(needs, standings)
    await refuseWithoutRights(inspection, needs, standings)
    const layouts = topicSpecs(settings.partitions, settings).filter(({ name }) => needs.topics.includes(name))
    refuseCounts(layouts, standings, settings)
    const visible = layouts.filter(({ name }) => mayDo(standings.get(name), 'DESCRIBE_CONFIGS'))
    const configs = await inspection.configs(visible.map(({ name }) => name))
    for (const layout of visible) refuseLayout(layout, configs.get(layout.name) ?? {}, settings)
  })
}

/**
 * Looks whether the brokers answer and let this principal in, for commands that then take their time. Throws `StartError`.
 */
export async function checkReach(kafka: KafkaLogOptions): Promise<void> {
  await inspecting(kafka, async (inspection) => {
    await inspection.topics(['meter.frames'])
  })
}

/** Looks at the brokers within the time that a start may take. Throws `StartError` where they cannot be reached. */
async function inspecting(kafka: KafkaLogOptions, look: (inspection: KafkaInspection) => Promise<void>): Promise<void> {
  const inspection = inspectKafka({
    ...kafka,
    deadlineMs: startDeadlineMs,
    requestTimeoutMs: startDeadlineMs,
    connectionTimeoutMs: 2_000,
  })
  try {
    await look(inspection)
  } catch (error) {
    throw await reachError(error, kafka)
  } finally {
    await inspection.close()
  }
}

/** What a failed call says about the settings, where it says anything; else the error itself. */
const reachError = async (error: unknown, kafka: KafkaLogOptions): Promise<unknown> =>
  error instanceof LogError ? await explained(error, kafka) : error

const listed = (names: readonly string[]) => `${names.length === 1 ? 'topic' : 'topics'} ${names.join(', ')}`

function refuseMissing({ topics }: KafkaNeeds, standings: ReadonlyMap<string, TopicStanding>): void {
  const missing = topics.filter((name) => standings.get(name)?.state === 'missing')
  if (missing.length === 0) return
  throw new StartError(`Kafka has no ${listed(missing)}: run meterveil topics apply, which creates what is missing`)
}

const mayDo = (standing: TopicStanding | undefined, operation: InspectedOperation) =>
  standing?.state === 'present' && standing.may.has(operation)

async function refuseWithoutRights(
  inspection: KafkaInspection,
  { rights }: KafkaNeeds,
  standings: ReadonlyMap<string, TopicStanding>,
): Promise<void> {
  const lacking: string[] = []
  const note = (operations: readonly string[], what: string) => {
    if (operations.length > 0) lacking.push(`${operations.join(', ')} on ${what}`)
  }
  for (const { resource, name, pattern, operations } of rights) {
    const needed = operations.map((operation) => operation.toUpperCase().replace('-', '_') as InspectedOperation)
    if (resource === 'topic') {
      const standing = standings.get(name)
      note(
        needed.filter((one) => !mayDo(standing, one)),
        `topic ${name}`,
      )
    } else if (resource === 'group') {
      const may = await inspection.group(name)
      note(
        needed.filter((one) => !may.has(one)),
        `group ${name}`,
      )
    } else if (resource === 'transactional-id' && !(await inspection.mayTransact(`${name}0`))) {
      note(['WRITE'], `transactional ids ${name}${pattern === 'prefixed' ? '*' : ''}`)
    }
  }
  if (lacking.length === 0) return
  throw new StartError(
    `Kafka does not grant this principal ${lacking.join('; ')}: grant it with meterveil topics apply --acls, or name another user in kafka.sasl.username or kafka.certFile`,
  )
}

function refuseCounts(
  layouts: readonly TopicLayout[],
  standings: ReadonlyMap<string, TopicStanding>,
  settings: Settings,
): void {
  const wrong = layouts.filter(({ name, partitions }) => countOf(standings.get(name)) !== partitions)
  const [first] = wrong
  if (!first) return
  const setting = settingOf(first, settings)
  const alike = wrong.filter((one) => settingOf(one, settings) === setting)
  const counts = alike.map(({ name }) => `${name} has ${countOf(standings.get(name))}`)
  throw new StartError(
    `topics have other counts of partitions than ${setting}, ${first.partitions}: ${counts.join(', ')}; run meterveil topics apply to let them grow, or correct the setting`,
  )
}

const countOf = (standing: TopicStanding | undefined) => (standing?.state === 'present' ? standing.partitions : 0)

/** The setting that decides a topic's count: two layouts that differ in one setting alone tell. */
function settingOf({ name }: TopicLayout, { partitions, groupPartitions }: Settings): string {
  const grown = (by: { readonly frames: number; readonly groups: number }) =>
    topicSpecs(partitions + by.frames, { groupPartitions: groupPartitions + by.groups }).find(
      (layout) => layout.name === name,
    )?.partitions
  const now = grown({ frames: 0, groups: 0 })
  if (grown({ frames: 1, groups: 0 }) !== now) return 'partitions (METERVEIL_PARTITIONS)'
  return grown({ frames: 0, groups: 1 }) !== now
    ? 'groupPartitions (METERVEIL_GROUP_PARTITIONS)'
    : 'the one release domain of this version'
}

function refuseLayout(layout: TopicLayout, configs: Readonly<Record<string, string>>, settings: Settings): void {
  const { name, timestamps, cleanup } = layout
  const mend = 'run meterveil topics apply, which sets it or says why it cannot'
  const type = timestamps === 'append' ? 'LogAppendTime' : 'CreateTime'
  const stamped = configs['message.timestamp.type']
  if (stamped !== type) {
    const why = timestamps === 'append' ? 'lateness counts from the append time' : 'its stamps are part of its content'
    throw new StartError(`message.timestamp.type of topic ${name} is ${stamped}, not ${type}, but ${why}: ${mend}`)
  }
  if (configs['cleanup.policy'] !== cleanup) {
    throw new StartError(`cleanup.policy of topic ${name} is ${configs['cleanup.policy']}, not ${cleanup}: ${mend}`)
  }
  const kept = Number(configs['retention.ms'])
  const shortest = shortestRetentionMs(name, days(settings.horizonDays))
  if (cleanup === 'delete' && kept >= 0 && kept < shortest) {
    const least = shortest === Number.POSITIVE_INFINITY ? '-1, for ever' : `at least ${shortest}`
    throw new StartError(
      `retention.ms of topic ${name} is ${kept}, and horizonDays ${settings.horizonDays} needs ${least}: ${mend}`,
    )
  }
}

/** What a failed call says about the settings. Doors are knocked at, since the client tells one failure from another badly. */
async function explained(error: LogError, { brokers, ssl, sasl }: KafkaLogOptions): Promise<Error> {
  if (error instanceof RefusedError && error.refused === 'user') {
    return new StartError(
      'Kafka refuses the user: check kafka.sasl.username, kafka.sasl.mechanism and the password in kafka.sasl.passwordFile',
    )
  }
  if (error instanceof RefusedError && error.refused === 'right') return error
  const doors = await Promise.all(
    brokers.map((broker) => {
      const { host, port } = hostAndPort(broker)
      return knock(host, port)
    }),
  )
  const where = brokers.join(', ')
  if (doors.every((door) => door === 'closed')) {
    return new StartError(`no broker answers at ${where}: start Kafka, or correct kafka.brokers`)
  }
  if (!ssl && doors.includes('tls')) {
    return new StartError(`the brokers at ${where} speak TLS: set kafka.tls to true, or name another listener`)
  }
  if (ssl && !doors.includes('tls')) {
    return new StartError(`the brokers at ${where} do not speak TLS: name their TLS listener in kafka.brokers`)
  }
  if (error instanceof RefusedError) {
    const code = /TLS failed with ([^;]+)/.exec(error.message)?.[1] ?? 'an error'
    return new StartError(
      `TLS with the brokers at ${where} failed with ${code}: check kafka.caFile, kafka.certFile and kafka.keyFile`,
    )
  }
  const user = sasl ? 'kafka.sasl.mechanism' : 'kafka.sasl.mechanism, kafka.sasl.username and kafka.sasl.passwordFile'
  return new StartError(
    `the brokers at ${where} gave no answer within ${startDeadlineMs / 1_000} s: check kafka.brokers and kafka.tls, and, where they want a user, ${user}`,
  )
}
