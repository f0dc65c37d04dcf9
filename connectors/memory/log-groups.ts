import type { Membership, MembershipHandlers } from '../contract.ts'
import { type Broker, waitOver } from './log-broker.ts'

interface Member {
  readonly handlers: MembershipHandlers
  partitions: readonly number[]
  leaving: boolean
  readonly left: PromiseWithResolvers<void>
}

interface Group {
  readonly topic: string
  members: Member[]
  generation: number
  /** Rebalances run one after the other. */
  rounds: Promise<void>
  waiting: boolean
}

/** Consumer groups: eager rebalances, in which every member gives all up before anyone gets anything. */
export interface Groups {
  readonly join: (group: string, topic: string, handlers: MembershipHandlers) => Membership
  /** Ends a membership the way a missed heartbeat does: the member itself is not told. */
  readonly evict: (membership: Membership) => void
  /** How many rebalances a group has seen. */
  readonly generation: (group: string, topic: string) => number
}

/**
 * A member whose handler has not settled after `rebalanceTimeoutMs`, or rejects, is out of the group. It may go on
 * believing that it owns its partitions: only fencing by transactional id stops it. A handler must not wait for `leave`.
 */
export function createGroups(broker: Broker, rebalanceTimeoutMs: number): Groups {
  const groups = new Map<string, Group>()
  const byMembership = new WeakMap<Membership, { group: Group; member: Member }>()

  /** Whether the handler settled well and in time. */
  const answers = async (call: Promise<void>): Promise<boolean> => {
    const done = new AbortController()
    const stop = () => done.abort(waitOver)
    broker.closing.signal.addEventListener('abort', stop, { once: true })
    const settled = call.then(
      () => true,
      () => false,
    )
    const late = broker.clock.sleep(rebalanceTimeoutMs, done.signal).then(() => false)
    const answer = await Promise.race([settled, late])
    broker.closing.signal.removeEventListener('abort', stop)
    done.abort(waitOver)
    return answer
  }

  const drop = (group: Group, member: Member) => {
    group.members = group.members.filter((each) => each !== member)
    member.partitions = []
    member.left.resolve()
  }

  const tell = async (group: Group, members: readonly Member[], what: 'assigned' | 'revoked') => {
    await Promise.all(
      members.map(async (member) => {
        const well = await answers(Promise.resolve().then(() => member.handlers[what](member.partitions)))
        if (!well) drop(group, member)
        else if (what === 'revoked') member.partitions = []
      }),
    )
  }

  const round = async (group: Group) => {
    group.waiting = false
    if (broker.closing.signal.aborted) return
    group.generation += 1
    await tell(
      group,
      group.members.filter((member) => member.partitions.length > 0),
      'revoked',
    )
    for (const member of group.members.filter((each) => each.leaving)) drop(group, member)
    const members = group.members
    const count = broker.topics.get(group.topic)?.length ?? 0
    members.forEach((member, turn) => {
      member.partitions = Array.from({ length: count }, (_, index) => index).filter(
        (index) => index % members.length === turn,
      )
    })
    if (broker.closing.signal.aborted) return
    await tell(group, members, 'assigned')
    if (members.some((member) => !group.members.includes(member))) rebalance(group)
  }

  const rebalance = (group: Group) => {
    if (group.waiting) return
    group.waiting = true
    group.rounds = group.rounds.then(() => round(group))
  }

  const groupOf = (name: string, topic: string): Group => {
    const key = `${name}\u0000${topic}`
    const group = groups.get(key) ?? {
      topic,
      members: [],
      generation: 0,
      rounds: Promise.resolve(),
      waiting: false,
    }
    groups.set(key, group)
    return group
  }

  return {
    join: (name, topic, handlers) => {
      broker.partition(topic, 0)
      const group = groupOf(name, topic)
      const member: Member = { handlers, partitions: [], leaving: false, left: Promise.withResolvers<void>() }
      group.members.push(member)
      broker.closing.signal.addEventListener('abort', () => member.left.resolve(), { once: true })
      rebalance(group)
      const membership: Membership = {
        owns: async (partition) => group.members.includes(member) && member.partitions.includes(partition),
        leave: () => {
          if (!member.leaving) {
            member.leaving = true
            if (group.members.includes(member)) rebalance(group)
          }
          return member.left.promise
        },
      }
      byMembership.set(membership, { group, member })
      return membership
    },
    evict: (membership) => {
      const found = byMembership.get(membership)
      if (found === undefined || !found.group.members.includes(found.member)) return
      drop(found.group, found.member)
      rebalance(found.group)
    },
    generation: (name, topic) => groupOf(name, topic).generation,
  }
}
