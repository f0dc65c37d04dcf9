import type { TopicName } from './topics.ts'

export type ResourceKind = 'topic' | 'group' | 'transactional-id' | 'cluster'

/** What may be done; `read` and `write` let their holder also see that the resource is there. */
export type Operation =
  | 'read'
  | 'write'
  | 'create'
  | 'delete'
  | 'alter'
  | 'describe'
  | 'describe-configs'
  | 'alter-configs'

/** What one principal may do with one resource, or with all whose names begin so. */
export interface Right {
  readonly resource: ResourceKind
  readonly name: string
  readonly pattern: 'literal' | 'prefixed'
  readonly operations: readonly Operation[]
}

/** What a principal is here for. */
export interface RoleSpec {
  /** Completes "this principal …". */
  readonly does: string
  readonly reads: readonly TopicName[]
  readonly writes: readonly TopicName[]
  /** Source of the pipeline of the same name: it joins that group and owns `<pipeline>-<source>-<partition>`. */
  readonly source?: TopicName
  /** Writes in transactions under ids of its own, which begin with the role's name. */
  readonly transacts?: true
  /** Whether it reads in groups of its own, whose names begin with the role's. */
  readonly groups?: true
  /** Lays topics out and grants rights, but neither reads nor writes records. */
  readonly administers?: true
  /**
   * Whether its principals may hold other roles too. One process may listen and run pipelines; whoever reads what comes
   * out must not, through another role, hold what went in.
   */
  readonly shares?: true
}

/**
 * Every kind of principal. Rights are what the code uses, and a test compares them with the pipelines.
 *
 * [readings] and [load] are built over the register; [publish] and [forecast] need neither that nor any key.
 *
 * The ledger is read by [load], which goes on with it, by [publish], which copies from it, and by the auditor: an aborted
 * seal leaves a draw of noise in the raw log, and two draws tell more than the budget allows.
 *
 * The analyst reads released topics alone. The restricted analyst also reads `load.restricted` and `household.readings`:
 * the pseudonymous stream is one of the two things that the pipeline is there to deliver, and exact sums say nothing that
 * its reader could not add up. Working topics of the same labels (`load.partials`, `load.state`) are nobody's to read: they
 * carry contributions of the day that no rule has been applied to yet.
 */
const specs = {
  listener: { does: 'receives frames', reads: [], writes: ['meter.frames'], shares: true },
  register: {
    does: 'is the one writer of the register',
    reads: ['meter.register'],
    writes: ['meter.register'],
    transacts: true,
    shares: true,
  },
  readings: {
    does: 'runs the pipeline [readings]',
    source: 'meter.frames',
    reads: ['meter.register', 'meter.frames', 'meter.accepted', 'household.readings'],
    // Frames that came to the wrong partition are forwarded.
    writes: ['meter.frames', 'meter.rejected', 'meter.accepted', 'household.readings', 'load.partials'],
    shares: true,
  },
  load: {
    does: 'runs the pipeline [load]',
    source: 'load.partials',
    reads: ['meter.register', 'load.partials', 'load.state', 'release.ledger'],
    writes: ['load.state', 'load.restricted', 'release.ledger'],
    shares: true,
  },
  publish: {
    does: 'runs the pipeline [publish]',
    source: 'release.ledger',
    reads: ['release.ledger', 'publish.state', 'load.public'],
    writes: ['publish.state', 'load.public'],
    shares: true,
  },
  forecast: {
    does: 'runs the pipeline [forecast]',
    source: 'load.public',
    reads: ['load.public', 'forecast.state'],
    writes: ['forecast.state', 'forecast.public'],
    shares: true,
  },
  analyst: { does: 'reads what is released', reads: ['load.public', 'forecast.public'], writes: [], groups: true },
  'restricted-analyst': {
    does: 'reads what is released, exact sums and pseudonymous readings',
    reads: ['load.public', 'forecast.public', 'load.restricted', 'household.readings'],
    writes: [],
    groups: true,
  },
  auditor: {
    does: 'compares what was published with the ledger; `audit` is for an audit trail, which nothing writes in this version',
    reads: ['release.ledger', 'audit', 'load.public'],
    writes: [],
    groups: true,
  },
  support: {
    does: 'looks into refused frames, which are sealed',
    reads: ['meter.rejected'],
    writes: [],
    groups: true,
  },
  replayer: {
    does: 'runs `meterveil rejected replay`',
    reads: ['meter.rejected'],
    writes: ['meter.frames'],
  },
  deployer: { does: 'runs `meterveil topics`', reads: [], writes: [], administers: true },
} as const satisfies Readonly<Record<string, RoleSpec>>

export type Role = keyof typeof specs

export const roles: Readonly<Record<Role, RoleSpec>> = specs

export const roleNames = Object.keys(specs) as readonly Role[]

/** The rights of a role on `topics`, one entry a resource. Transactional ids are prefixed: one for each partition. */
export function rightsOf(role: Role, topics: readonly TopicName[]): readonly Right[] {
  const { reads, writes, source, transacts, groups, administers } = roles[role]
  const right = (
    resource: ResourceKind,
    name: string,
    pattern: Right['pattern'],
    ...operations: Operation[]
  ): Right => ({
    resource,
    name,
    pattern,
    operations,
  })
  const onTopics = topics.flatMap((name) => {
    if (administers) return [right('topic', name, 'literal', 'create', 'alter', 'describe-configs', 'alter-configs')]
    const may: Operation[] = [
      ...(reads.includes(name) ? ['read' as const] : []),
      ...(writes.includes(name) ? ['write' as const] : []),
    ]
    // What runs a pipeline checks at its start that its topics are laid out as it needs them.
    if (source && may.length > 0) may.push('describe-configs')
    return may.length > 0 ? [right('topic', name, 'literal', ...may)] : []
  })
  return [
    ...onTopics,
    ...(source ? [right('group', role, 'literal', 'read')] : []),
    ...(groups ? [right('group', role, 'prefixed', 'read')] : []),
    ...(source ? [right('transactional-id', `${role}-${source}-`, 'prefixed', 'write', 'describe')] : []),
    ...(transacts ? [right('transactional-id', `${role}-`, 'prefixed', 'write', 'describe')] : []),
    // Granting rights is a right on the cluster; producers need none there since Kafka 3.0.
    ...(administers ? [right('cluster', 'kafka-cluster', 'literal', 'alter', 'describe')] : []),
  ]
}

/** Which principals hold a role, as the brokers name them, for instance `User:CN=analyst,O=Utility`. */
export type Principals = Readonly<Record<Role, readonly string[]>>

/**
 * One principal runs all four pipelines; every other role has one of its own name. Nobody is support, replayer or
 * deployer unless named: the second may send frames, the last may grant rights.
 */
export const defaultPrincipals: Principals = {
  listener: ['User:listener'],
  register: ['User:register'],
  readings: ['User:pipelines'],
  load: ['User:pipelines'],
  publish: ['User:pipelines'],
  forecast: ['User:pipelines'],
  analyst: ['User:analyst'],
  'restricted-analyst': ['User:restricted-analyst'],
  auditor: ['User:auditor'],
  support: [],
  replayer: [],
  deployer: [],
}

/** What is wrong with a mapping, one sentence each; none if it can be used. */
export function principalProblems(principals: Principals): readonly string[] {
  const held = new Map<string, Role[]>()
  const problems: string[] = []
  for (const role of roleNames) {
    for (const name of principals[role]) {
      if (!/^User:[^*].*$/.test(name)) problems.push(`${role}: ${name} must be one principal, such as User:${role}`)
      held.set(name, [...(held.get(name) ?? []), role])
    }
  }
  for (const [name, several] of held) {
    const alone = several.find((role) => !roles[role].shares)
    const other = several.find((role) => role !== alone)
    if (alone && other) problems.push(`${name} is both ${alone} and ${other}: give ${alone} a principal of its own`)
  }
  return problems
}
