import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import type { Log, LogError } from '../../../connectors/contract.ts'
import type { Directory } from '../../../connectors/kafka/directory.ts'
import { joinGroup } from '../../../connectors/kafka/groups.ts'
import { type KafkaLogOptions, kafkaLog } from '../../../connectors/kafka/index.ts'
import { withDefaults } from '../../../connectors/kafka/options.ts'
import { eventually, topic, unique } from '../../conformance/log-harness.ts'
import { services } from '../../helpers/services.ts'

const protocol = (code: number, type: string) =>
  Object.assign(new Error('said the broker'), { name: 'KafkaJSProtocolError', code, type })

/** A coordinator that answers the first joins with errors, and takes the member in after them. */
function coordinator(errors: readonly Error[]) {
  let joins = 0
  const assignment = kafkajs.AssignerProtocol.MemberAssignment.encode({
    version: 1,
    assignment: { t: [0] },
    userData: Buffer.alloc(0),
  })
  const answers: Readonly<Record<string, () => object>> = {
    JoinGroup: () => {
      const error = errors[joins++]
      if (error !== undefined) throw error
      return { generationId: 1, leaderId: 'other', memberId: 'own', members: [] }
    },
    SyncGroup: () => ({ memberAssignment: assignment }),
    Heartbeat: () => ({}),
  }
  const directory = {
    requirePartition: async () => {},
    lineToCoordinator: async () => ({ request: async (api: string) => answers[api]!(), close: async () => {} }),
    cluster: { findGroupCoordinator: async () => ({ leaveGroup: async () => {} }) },
  } as unknown as Directory
  return { directory, joins: () => joins }
}

/** Handlers that keep book. */
function booked() {
  const owned = new Set<number>()
  const failures: LogError[] = []
  const retries: LogError[] = []
  return {
    owned,
    failures,
    retries,
    handlers: {
      assigned: async (partitions: readonly number[]) => partitions.forEach((partition) => void owned.add(partition)),
      revoked: async () => owned.clear(),
      failed: (error: LogError) => void failures.push(error),
      retried: (error: LogError) => void retries.push(error),
    },
  }
}

async function member(errors: readonly Error[]) {
  const { directory, joins } = coordinator(errors)
  const book = booked()
  const settings = withDefaults({ brokers: [] })
  const closing = new AbortController()
  const membership = await joinGroup(directory, settings, 'load', 't', book.handlers, closing.signal)
  return { ...book, joins, membership }
}

for (const [code, type, kind, message] of [
  [
    23,
    'INCONSISTENT_GROUP_PROTOCOL',
    'group_refused',
    'joining group load: INCONSISTENT_GROUP_PROTOCOL (23); stop the clients in it that are not ours, and start again',
  ],
  [
    26,
    'INVALID_SESSION_TIMEOUT',
    'group_refused',
    "joining group load: INVALID_SESSION_TIMEOUT (26); let the brokers' group.min.session.timeout.ms and group.max.session.timeout.ms allow 6000 ms",
  ],
  [
    30,
    'GROUP_AUTHORIZATION_FAILED',
    'unauthorized',
    'joining group load: GROUP_AUTHORIZATION_FAILED (30); grant the principal this right',
  ],
  [
    81,
    'GROUP_MAX_SIZE_REACHED',
    'group_refused',
    "joining group load: GROUP_MAX_SIZE_REACHED (81); run fewer workers, or raise the brokers' group.max.size",
  ],
  [
    24,
    'INVALID_GROUP_ID',
    'group_refused',
    'joining group load: INVALID_GROUP_ID (24); the log of its coordinator says why',
  ],
] as const) {
  test(`a member that its group refuses with code ${code} says so once, and asks no more`, async () => {
    const { failures, retries, joins, membership } = await member([protocol(code, type)])
    await pause(300)
    assert.deepEqual(
      failures.map(({ code, message }) => [code, message]),
      [[kind, message]],
    )
    assert.deepEqual([joins(), retries.length], [1, 0])
    assert.equal(await membership.owns(0), false)
    await membership.leave()
  })
}

test('what may pass is told each time, and tried again until the member is in', async () => {
  const passing = [
    protocol(15, 'GROUP_COORDINATOR_NOT_AVAILABLE'),
    protocol(-1, 'UNKNOWN'),
    protocol(3, 'UNKNOWN_TOPIC_OR_PARTITION'),
    Object.assign(new Error('gone'), { name: 'KafkaJSConnectionClosedError' }),
  ]
  const { failures, retries, owned, membership } = await member(passing)
  await eventually('it is in', () => owned.has(0))
  assert.deepEqual(failures, [])
  assert.equal(retries.length, passing.length)
  assert.match(retries[0]!.message, /^joining group load: GROUP_COORDINATOR_NOT_AVAILABLE \(15\)$/)
  await membership.leave()
})

test('what belongs to every rebalance is told to nobody', async () => {
  const errors = [
    protocol(27, 'REBALANCE_IN_PROGRESS'),
    protocol(22, 'ILLEGAL_GENERATION'),
    protocol(25, 'UNKNOWN_MEMBER_ID'),
  ]
  const { failures, retries, owned, membership } = await member(errors)
  await eventually('it is in', () => owned.has(0))
  assert.deepEqual([failures, retries], [[], []])
  await membership.leave()
})

const real = await services({ kafka: true })

describe('groups of real brokers that refuse a member', { skip: real.skip }, () => {
  const logs: Log[] = []
  const connect = (options: Partial<KafkaLogOptions> = {}): Log => {
    const log = kafkaLog({ brokers: real.address('kafka').split(','), ...options })
    logs.push(log)
    return log
  }
  after(async () => {
    await Promise.all(logs.map((log) => log.close()))
  })

  test('one that others use in their own way', async () => {
    const log = connect()
    const name = await topic(log)
    const group = unique('group')
    const brokers = real.address('kafka').split(',')
    const consumer = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).consumer({ groupId: group })
    await consumer.connect()
    await consumer.subscribe({ topic: name })
    const joined = new Promise<void>((resolve) => {
      consumer.on('consumer.group_join', () => resolve())
    })
    await consumer.run({ eachMessage: async () => {} })
    await joined
    const { failures, handlers } = booked()
    const membership = await log.join(group, name, handlers)
    await eventually('it is refused', () => failures.length > 0)
    assert.match(
      failures[0]!.message,
      new RegExp(`^joining group ${group}: INCONSISTENT_GROUP_PROTOCOL \\(23\\); stop `),
    )
    await membership.leave()
    await consumer.disconnect()
  })

  test('one whose brokers allow no session so short', async () => {
    const log = connect({ sessionTimeoutMs: 1 })
    const name = await topic(log)
    const { failures, handlers } = booked()
    const membership = await log.join(unique('group'), name, handlers)
    await eventually('it is refused', () => failures.length > 0)
    assert.match(failures[0]!.message, /INVALID_SESSION_TIMEOUT \(26\)/)
    await membership.leave()
  })
})
