/**
 * Ports with one fault each, run through the conformance suites. Not a test of its own: planted.test.ts runs this file and
 * demands that every suite fails, but the one without a fault.
 */
import { describe } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Log, SchemaRegistry, StateView, Transactor } from '../../connectors/contract.ts'
import { memoryLog, memorySchemaRegistry, memoryStateView } from '../../connectors/memory/index.ts'
import { logConformance } from './log.ts'
import { evicting, patienceMs } from './log-harness.ts'
import { schemaRegistryConformance } from './schema-registry.ts'
import { stateViewConformance } from './state-view.ts'

const eachTransactor =
  (change: (inner: Transactor) => Partial<Transactor>) =>
  (log: Log): Partial<Log> => ({
    open: async (id, options) => {
      const inner = await log.open(id, options)
      return { ...inner, ...change(inner) }
    },
  })

const eachReader =
  (change: (inner: Awaited<ReturnType<Log['read']>>) => Partial<Awaited<ReturnType<Log['read']>>>) =>
  (log: Log): Partial<Log> => ({
    read: async (...where) => {
      const inner = await log.read(...where)
      return { ...inner, ...change(inner) }
    },
  })

let counter = 0

const logs: Readonly<Record<string, (log: Log) => Partial<Log>>> = {
  'without a fault': () => ({}),
  'that fences nobody': (log) => ({ open: (id, options) => log.open(`${id}/${counter++}`, options) }),
  'that shows aborted and open records to all': (log) => ({
    read: (topic, partition, from) => log.read(topic, partition, from, 'read_uncommitted'),
    bounds: (topic, partition) => log.bounds(topic, partition, 'read_uncommitted'),
  }),
  'that hides aborted records from all': (log) => ({
    read: (topic, partition, from) => log.read(topic, partition, from, 'read_committed'),
  }),
  'whose readers stop before a trailing marker': (log) => ({
    read: async (topic, partition, from, isolation) => {
      const inner = await log.read(topic, partition, from, isolation)
      let next = from
      return {
        ...inner,
        poll: async (options) => {
          const { records } = await inner.poll(options)
          next = (records.at(-1)?.offset ?? next - 1n) + 1n
          return { records, next }
        },
      }
    },
  }),
  'whose readers skip a record': eachReader((inner) => ({
    poll: async (options) => {
      const fetched = await inner.poll(options)
      return fetched.records.length > 20 ? { ...fetched, records: fetched.records.slice(1) } : fetched
    },
  })),
  'whose polls ignore their limits': eachReader((inner) => ({
    poll: (options) => inner.poll({ ...options, maxRecords: 1_000_000, maxBytes: 100_000_000 }),
  })),
  'whose polls always wait': eachReader((inner) => ({
    poll: async (options) => {
      await pause(options.waitMs)
      return inner.poll(options)
    },
  })),
  'that commits offsets at once': (log) => {
    const early = new Map<string, bigint>()
    return {
      ...eachTransactor((inner) => ({
        sendOffsets: async (group, topic, partition, next) => {
          await inner.sendOffsets(group, topic, partition, next)
          early.set(`${group}/${topic}/${partition}`, next)
        },
      }))(log),
      committed: async (group, topic, partition) => early.get(`${group}/${topic}/${partition}`),
    }
  },
  'that never times a transaction out': (log) => ({ open: (id) => log.open(id, { timeoutMs: 1_000_000 }) }),
  'that commits what was to be aborted': eachTransactor((inner) => ({ abort: inner.commit })),
  'that appends what it can of a send': (log) => ({
    append: async (records) => {
      for (const record of records) await log.append([record])
    },
  }),
  'that loses headers': (log) => ({
    append: (records) => log.append(records.map((record) => ({ ...record, headers: {} }))),
  }),
  'that takes null for empty': (log) => ({
    append: (records) => log.append(records.map((record) => ({ ...record, value: record.value ?? Buffer.alloc(0) }))),
  }),
  'that takes any topic settings': (log) => ({ createTopics: (topics) => log.createTopics(topics).catch(() => {}) }),
  'that gives each member everything': (log) => ({
    join: (group, topic, handlers) => log.join(`${group}/${counter++}`, topic, handlers),
  }),
  'whose members believe what they were last told': (log) => ({
    join: async (group, topic, handlers) => {
      const held = new Set<number>()
      const membership = await log.join(group, topic, {
        assigned: async (partitions) => {
          for (const partition of partitions) held.add(partition)
          await handlers.assigned(partitions)
        },
        revoked: async (partitions) => {
          await handlers.revoked(partitions)
          held.clear()
        },
      })
      return { ...membership, owns: async (partition) => held.has(partition) }
    },
  }),
  'that answers the offset before an undecided one': (log) => {
    const last = new Map<string, bigint>()
    const undecided = new Set<string>()
    return {
      ...eachTransactor((inner) => {
        const mine = new Map<string, bigint>()
        const end = (outcome: 'commit' | 'abort') => async () => {
          await inner[outcome]()
          if (outcome === 'commit') for (const [key, next] of mine) last.set(key, next)
          for (const key of mine.keys()) undecided.delete(key)
          mine.clear()
        }
        return {
          sendOffsets: async (group, topic, partition, next) => {
            await inner.sendOffsets(group, topic, partition, next)
            const key = `${group}/${topic}/${partition}`
            mine.set(key, next)
            undecided.add(key)
          },
          commit: end('commit'),
          abort: end('abort'),
        }
      })(log),
      committed: async (group, topic, partition) => {
        const key = `${group}/${topic}/${partition}`
        return undecided.has(key) ? last.get(key) : log.committed(group, topic, partition)
      },
    }
  },
  'that does not wait for members to give up': (log) => ({
    join: (group, topic, { assigned, revoked }) =>
      log.join(group, topic, {
        assigned,
        revoked: async (partitions) => {
          void revoked(partitions)
        },
      }),
  }),
}

const views: Readonly<Record<string, (view: StateView) => Partial<StateView>>> = {
  'without a fault': () => ({}),
  'that takes the present position for the expected one': (view) => ({
    exchange: async (scope, request) => {
      const expected = (await view.position(scope)) ?? request.expected
      return view.exchange(scope, { ...request, expected })
    },
  }),
  'that does not compare hashes': (view) => ({
    exchange: async (scope, request) => {
      const present = await view.position(scope)
      const { expected } = request
      const alike = present?.gen === expected.gen && present.seq === expected.seq
      return view.exchange(scope, alike && present ? { ...request, expected: present } : request)
    },
  }),
  'that refuses a repeated apply': (view) => ({
    exchange: async (scope, request) => {
      const present = await view.position(scope)
      if (request.apply && present?.hash === request.apply.hash) return { status: 'mismatch', actual: present }
      return view.exchange(scope, request)
    },
  }),
  'that looks up before it applies': (view) => ({
    exchange: async (scope, request) => {
      const before = await view.exchange(scope, { expected: request.expected, lookup: request.lookup })
      const after = await view.exchange(scope, request)
      return after.status === 'ok' && before.status === 'ok' ? before : after
    },
  }),
  'that keeps days below the floor': (view) => ({
    exchange: (scope, { apply, ...request }) =>
      view.exchange(scope, apply ? { ...request, apply: { ...apply, floorDay: 0 } } : request),
  }),
  'that keeps days below the floor of a table': (view) => ({
    exchange: (scope, { apply, ...request }) =>
      view.exchange(scope, apply ? { ...request, apply: { ...apply, tableFloors: new Map() } } : request),
  }),
  'that drops every table below the floor of one': (view) => ({
    exchange: (scope, { apply, ...request }) => {
      const floorDay = Math.max(apply?.floorDay ?? 0, ...(apply?.tableFloors?.values() ?? []))
      return view.exchange(scope, apply ? { ...request, apply: { ...apply, floorDay } } : request)
    },
  }),
  'that resets without comparing': (view) => ({
    reset: async (scope, _, to, cells) => view.reset(scope, await view.position(scope), to, cells),
  }),
  'that resets only some cells': (view) => ({
    reset: (scope, from, to, cells) => view.reset(scope, from, to, [...cells].slice(0, 1_000)),
  }),
  'that has one scope for all': (view) => ({
    position: () => view.position('all'),
    exchange: (_, request) => view.exchange('all', request),
    reset: (_, ...rest) => view.reset('all', ...rest),
  }),
}

const registries: Readonly<Record<string, (registry: SchemaRegistry) => Partial<SchemaRegistry>>> = {
  'without a fault': () => ({}),
  'that finds everything compatible': () => ({ compatible: async () => true }),
  'that registers what is not compatible': (registry) => ({
    register: (subject, schema) => registry.register(subject, schema).catch(() => 1),
  }),
  'that gives an id per call': (registry) => ({
    register: async (subject, schema) => {
      await registry.register(subject, schema)
      return ++counter
    },
  }),
  'that forgets older versions': (registry) => ({
    versions: async (subject) => (await registry.versions(subject)).slice(-1),
  }),
}

describe('ports with planted faults', { concurrency: true }, () => {
  for (const [fault, change] of Object.entries(logs)) {
    const make = async () => {
      const inner = memoryLog({ rebalanceTimeoutMs: patienceMs })
      const { log: evictable, expel } = evicting(inner, inner.evict)
      const log = { ...evictable, ...change(evictable) }
      return { log, other: log, compact: inner.compact, expel, close: inner.close }
    }
    logConformance(`a log ${fault}`, make, { stopAfterFailure: true })
  }
  for (const [fault, change] of Object.entries(views)) {
    stateViewConformance(`a view ${fault}`, async () => {
      const inner = memoryStateView()
      const view = { ...inner, ...change(inner) }
      return { view, other: view, close: view.close }
    })
  }
  for (const [fault, change] of Object.entries(registries)) {
    schemaRegistryConformance(`a registry ${fault}`, async () => {
      const inner = memorySchemaRegistry()
      return { registry: { ...inner, ...change(inner) }, close: async () => {} }
    })
  }
})
