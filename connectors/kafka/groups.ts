import { setTimeout as pause } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import type { LogErrorCode, Membership, MembershipHandlers } from '../contract.ts'
import type { Directory } from './directory.ts'
import { failureOf } from './errors.ts'
import { groupError } from './group-refusal.ts'
import type { Line } from './kafkajs-internals.ts'
import type { Settings } from './options.ts'
import { now, within } from './retry.ts'

const { AssignerProtocol } = kafkajs

const protocolName = 'meterveil'
const heartbeatsPerSession = 12
const pauseMs = 100

const rebalanceInProgress = 27
const memberIdRequired = 79
const illegalGeneration = 22
const unknownMember = 25

/** Refusals that trying again does not mend. */
const lasting: ReadonlySet<LogErrorCode> = new Set(['unauthorized', 'group_refused'])

/** What one generation of the group gave to a member. */
interface Held {
  readonly generationId: number
  readonly partitions: readonly number[]
  /** Whether this member gave the partitions out. */
  readonly leads: boolean
}

interface Joined {
  readonly generationId: number
  readonly leaderId: string
  readonly memberId: string
  readonly members: readonly { readonly memberId: string }[]
}

/**
 * A member of a group, for assignment only. It speaks the group protocol itself because kafkajs's consumer joins again
 * before its user has finished what it holds: here the group waits until `revoked` has settled, or for the rebalance
 * time-out. A member that its group refuses for good says so to `failed` and ends; what may pass is told to `retried`.
 */
export async function joinGroup(
  directory: Directory,
  settings: Settings,
  group: string,
  topic: string,
  handlers: MembershipHandlers,
  closing: AbortSignal,
): Promise<Membership> {
  await directory.requirePartition(topic, 0)
  const first = await directory.lineToCoordinator(group)
  const leaving = new AbortController()
  const stopped = AbortSignal.any([leaving.signal, closing])
  let line: Line | undefined = first
  let memberId = ''
  /** A handler failed: the member is out, as if it had died. */
  let failed = false
  /** What the group gave to this member, from just before it is told until it has given it up. */
  let held: Held | undefined
  /** When the group last said that this member is in. */
  let heardAt = now()
  /** The most partitions the topic was seen with: a broker that has not heard of new ones must not take them back. */
  let counted = 0

  const drop = () => {
    void line?.close().catch(() => {})
    line = undefined
  }
  const request = async <T>(api: 'JoinGroup' | 'SyncGroup' | 'Heartbeat', parameters: object): Promise<T> => {
    line ??= await directory.lineToCoordinator(group)
    return line.request<T>(api, { groupId: group, memberId, ...parameters })
  }

  const count = async (): Promise<number> => {
    counted = Math.max(counted, await directory.recounted(topic))
    return counted
  }

  const joinOnce = async (): Promise<Held> => {
    const joined = await request<Joined>('JoinGroup', {
      sessionTimeout: settings.sessionTimeoutMs,
      rebalanceTimeout: settings.rebalanceTimeoutMs,
      protocolType: 'consumer',
      groupProtocols: [
        {
          name: protocolName,
          metadata: AssignerProtocol.MemberMetadata.encode({ version: 1, topics: [topic], userData: Buffer.alloc(0) }),
        },
      ],
    })
    memberId = joined.memberId
    const leads = joined.leaderId === memberId
    const { memberAssignment } = await request<{ memberAssignment: Buffer }>('SyncGroup', {
      generationId: joined.generationId,
      groupAssignment: leads ? shares(joined.members, topic, await count()) : [],
    })
    const decoded = AssignerProtocol.MemberAssignment.decode(memberAssignment)
    return { generationId: joined.generationId, partitions: decoded?.assignment[topic] ?? [], leads }
  }

  /**
   * Beats until told to stop. `ended` resolves when the group rebalances or does not know the member any more, and, for the
   * one that gives partitions out, when the topic has more of them.
   */
  const beating = ({ generationId, leads }: Held) => {
    const quiet = new AbortController()
    const ended = Promise.withResolvers<void>()
    const given = counted
    const watchGrowth = async () => {
      while (!quiet.signal.aborted) {
        await pause(settings.metadataMaxAgeMs, undefined, { signal: quiet.signal }).catch(() => {})
        if (quiet.signal.aborted) return
        if ((await count().catch(() => given)) > given) return ended.resolve()
      }
    }
    const beat = async () => {
      heardAt = now()
      while (!quiet.signal.aborted) {
        await pause(settings.sessionTimeoutMs / heartbeatsPerSession, undefined, { signal: quiet.signal }).catch(
          () => {},
        )
        if (quiet.signal.aborted) return
        try {
          await request('Heartbeat', { groupGenerationId: generationId })
          heardAt = now()
        } catch (error) {
          const { code } = failureOf(error)
          if (code === rebalanceInProgress) {
            heardAt = now()
            ended.resolve()
          } else if (code === unknownMember || code === illegalGeneration) {
            if (code === unknownMember) memberId = ''
            return ended.resolve()
          } else {
            drop()
            if (now() - heardAt > settings.sessionTimeoutMs) ended.resolve()
          }
        }
      }
    }
    const done = beat()
    if (leads) void watchGrowth()
    return {
      ended: ended.promise,
      stop: async () => {
        quiet.abort()
        await done
      },
    }
  }

  const holdOneGeneration = async () => {
    const given = await joinOnce()
    const { partitions } = given
    const beats = beating(given)
    held = given
    try {
      await handlers.assigned(partitions)
      const stop = Promise.withResolvers<void>()
      stopped.addEventListener('abort', () => stop.resolve(), { once: true })
      if (!stopped.aborted) await Promise.race([beats.ended, stop.promise])
      if (!closing.aborted && partitions.length > 0) await handlers.revoked(partitions)
    } catch {
      failed = true
    } finally {
      held = undefined
      await beats.stop()
    }
  }

  const run = async () => {
    while (!stopped.aborted && !failed) {
      try {
        await holdOneGeneration()
      } catch (error) {
        if (stopped.aborted) break
        const { code } = failureOf(error)
        if (code === memberIdRequired) {
          memberId = (error as { memberId: string }).memberId
          continue
        }
        if (code === unknownMember) memberId = ''
        else if (code !== rebalanceInProgress && code !== illegalGeneration) {
          drop()
          const known = groupError(error, group, settings)
          if (lasting.has(known.code)) {
            handlers.failed?.(known)
            break
          }
          handlers.retried?.(known)
          await pause(pauseMs)
        }
      }
    }
    drop()
    if (memberId !== '') await sayGoodbye(directory, group, memberId)
  }
  // A join waits for all members of the group, longer than a leaving one wants to.
  leaving.signal.addEventListener('abort', () => {
    if (held === undefined) drop()
  })
  const running = run()
  return {
    owns: async (partition) => {
      const believed = held
      while (believed !== undefined && believed === held && !closing.aborted) {
        if (!believed.partitions.includes(partition)) return false
        try {
          await within(settings.sessionTimeoutMs, request('Heartbeat', { groupGenerationId: believed.generationId }))
          heardAt = now()
          return true
        } catch (error) {
          const { code } = failureOf(error)
          // The group waits for this member to give up what it holds, or for the rebalance time-out.
          if (code === rebalanceInProgress) return true
          if (code === unknownMember || code === illegalGeneration) return false
          if (now() - heardAt > settings.sessionTimeoutMs) return false
          drop()
          await pause(pauseMs)
        }
      }
      return false
    },
    leave: async () => {
      leaving.abort()
      await running
    },
  }
}

async function sayGoodbye(directory: Directory, group: string, memberId: string): Promise<void> {
  try {
    const coordinator = await directory.cluster.findGroupCoordinator({ groupId: group })
    await coordinator.leaveGroup({ groupId: group, memberId })
  } catch {
    // The group finds out when the session times out.
  }
}

/** Every partition to one member, in turn. */
function shares(members: readonly { readonly memberId: string }[], topic: string, partitions: number) {
  const sorted = members.map(({ memberId }) => memberId).sort()
  return sorted.map((memberId, turn) => {
    const assignment: Record<string, number[]> = { [topic]: [] }
    for (let partition = turn; partition < partitions; partition += sorted.length) assignment[topic]!.push(partition)
    return {
      memberId,
      memberAssignment: AssignerProtocol.MemberAssignment.encode({ version: 1, assignment, userData: Buffer.alloc(0) }),
    }
  })
}
