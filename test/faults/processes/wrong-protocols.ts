import { writeSync } from 'node:fs'
import { Redis } from 'ioredis'
import {
  type CellAddress,
  type CellValue,
  type Log,
  LogError,
  type OutgoingRecord,
  type StateView,
  type Transactor,
} from '../../../connectors/contract.ts'
import type { RedisNode } from '../../../connectors/redis/index.ts'
import { readRange } from '../../../pipelines/runtime/changelog.ts'
import type { Ports } from '../../../pipelines/runtime/index.ts'
import { type AcceptedBatch, acceptedBatchCodec } from '../../../schemas/accepted-batch.ts'
import { applyWithoutCompare } from '../planted/wrong-ports.ts'
import { lateCommit, lateProduce, wrapReadings } from './late-requests.ts'

/**
 * What a plausible worker would do instead of the right thing, over real Kafka and Redis. `late-produce`, `late-commit` and
 * `held-rebuild` are faults of the network and the right protocol: what follows them is what they do not survive.
 */
export const wrongProtocols = [
  'claim-first',
  'claim-last',
  'no-rebuild',
  'connect-only',
  'held-rebuild',
  'chunked-rebuild',
  'late-produce',
  'reuse-after-lost-produce',
  'late-commit',
  'repeat-commit',
  'believe-commit',
  'apply-anywhere',
  'trust-group',
  'no-hash',
  'recent-only',
] as const
export type WrongProtocol = (typeof wrongProtocols)[number]

interface Tools {
  readonly redis: RedisNode
  readonly prefix: string
  /** Waits until the supervisor says to go on. */
  readonly held: (where: string) => Promise<void>
}

/** The ports of a worker that follows a wrong protocol. */
export async function follow(wrong: WrongProtocol, ports: Ports, tools: Tools): Promise<Ports> {
  const { log, view } = ports
  const made: { readonly [K in WrongProtocol]: () => Partial<Ports> } = {
    'claim-first': () => claimFirst(log, view, tools),
    'claim-last': () => ({ view: believed(log, view) }),
    'no-rebuild': () => ({ view: { ...view, reset: (scope, from, to) => view.reset(scope, from, to, []) } }),
    'connect-only': () => ({ log: connectOnly(log) }),
    'held-rebuild': () => ({ view: heldRebuild(view, tools) }),
    'chunked-rebuild': () => ({ view: chunkedRebuild(view, tools) }),
    'late-produce': () => ({ log: lateProduce(log) }),
    'reuse-after-lost-produce': () => ({ log: reuseAfterLostProduce(lateProduce(log)) }),
    'late-commit': () => ({ log: lateCommit(log) }),
    'repeat-commit': () => ({ log: repeatCommit(lateCommit(log)) }),
    'believe-commit': () => ({ log: believeCommit(log) }),
    'apply-anywhere': () => ({ view: applyWithoutCompare(view) }),
    'trust-group': () => ({ log: trustGroup(log) }),
    'no-hash': () => ({ view: withoutHash(log, view) }),
    'recent-only': () => ({ view: recentOnly(view) }),
  }
  return { ...ports, ...made[wrong]() }
}

const headerLength = 5
const changelog = 'meter.accepted'

function batchesOf(records: readonly { readonly value: Uint8Array | null }[]): AcceptedBatch[] {
  return records
    .flatMap(({ value }) => (value ? [acceptedBatchCodec.decode(value.subarray(headerLength))] : []))
    .filter(({ kind }) => kind === 'batch')
}

async function linksOf(log: Log, scope: string): Promise<AcceptedBatch[]> {
  const partition = Number(scope.split('/')[1])
  const { first, end } = await log.bounds(changelog, partition, 'read_committed')
  return batchesOf(await readRange(log, changelog, partition, first, end))
}

const hex = (hash: Uint8Array): string => Buffer.from(hash).toString('hex')

/** A: claims what it has seen, for ever, and then produces. */
function claimFirst(log: Log, view: StateView, { redis, prefix }: Tools): Partial<Ports> {
  const client = new Redis(redis)
  const key = `${prefix}:claims`
  const name = (partition: number, table: string, index: number, day: number) => `${partition}/${table}/${index}/${day}`
  return {
    log: wrapReadings(log, (inner) => ({
      ...inner,
      send: async (records) => {
        const own = records.filter(({ topic }) => topic === changelog)
        for (const { tables } of batchesOf(own)) {
          for (const { table, cells } of tables) {
            for (const { index, day, value } of cells) {
              await client.hset(key, name(own[0]!.partition, table, index, day), Buffer.from(value))
            }
          }
        }
        await inner.send(records)
      },
    })),
    view: {
      ...view,
      exchange: async (scope, request) => {
        const answer = await view.exchange(scope, request)
        if (answer.status !== 'ok' || request.lookup.length === 0) return answer
        const partition = Number(scope.split('/')[1])
        const fields = request.lookup.map(({ table, index, day }) => name(partition, table, index, day))
        const claimed = await client.hmgetBuffer(key, ...fields)
        return { status: 'ok', cells: answer.cells.map((cell, i) => claimed[i] ?? cell) }
      },
    },
  }
}

/** B: claims after the commit, and believes that every claim was made. */
function believed(log: Log, view: StateView): StateView {
  return {
    ...applyWithoutCompare(view),
    position: async (scope) => {
      const actual = await view.position(scope)
      const last = (await linksOf(log, scope)).at(-1)
      return actual && last ? { gen: actual.gen, seq: last.seq, hash: hex(last.hash) } : actual
    },
  }
}

/**
 * D, and the missing fence: connects, and reads where to go on before anybody older is fenced, which happens only when the
 * first batch begins. Its marker goes out on its own.
 */
function connectOnly(log: Log): Log {
  return {
    ...log,
    open: async (id, options) => {
      if (!id.startsWith('readings-')) return log.open(id, options)
      let inner: Transactor | undefined
      let alone: OutgoingRecord[] = []
      return {
        begin: async () => {
          alone = []
          await inner?.begin()
        },
        sendOffsets: async (...given) => {
          if (!inner) {
            inner = await log.open(id, options)
            await inner.begin()
          }
          await inner.sendOffsets(...given)
        },
        send: async (records) => {
          if (inner) await inner.send(records)
          else alone.push(...records)
        },
        commit: async () => {
          if (inner) await inner.commit()
          else await log.append(alone)
        },
        abort: async () => inner?.abort(),
        close: async () => inner?.close(),
      }
    },
  }
}

/** The right rebuild, with time for something to happen before and after it. */
function heldRebuild(view: StateView, { held }: Tools): StateView {
  let holds = 0
  return {
    ...view,
    reset: async (scope, from, to, cells) => {
      if (holds++ === 0) await held('before the rebuild')
      const answer = await view.reset(scope, from, to, cells)
      if (holds++ === 1) await held('after the rebuild')
      return answer
    },
  }
}

/** E: rebuilds in parts, each written wherever the view stands by then: a loss in between goes unnoticed. */
function chunkedRebuild(view: StateView, { held }: Tools): StateView {
  let holds = 0
  return {
    ...view,
    reset: async (scope, from, to, cells) => {
      const all = [...cells]
      // Every other cell, so that some of each table are lost: half of the list may be all cells of some tables.
      const [some, rest] = [0, 1].map((turn) => all.filter((_, i) => i % 2 === turn)) as [CellValue[], CellValue[]]
      const answer = await view.reset(scope, from, to, some)
      if (answer !== 'ok' || all.length === 0) return answer
      if (holds++ === 0) await held('in the middle of the rebuild')
      const actual = await view.position(scope)
      if (!actual) return view.reset(scope, actual, to, rest)
      const { seq, hash } = to
      await view.exchange(scope, { expected: actual, apply: { seq, hash, floorDay: 0, cells: rest }, lookup: [] })
      return 'ok'
    },
  }
}

/** Takes an unanswered request for a failure: aborts, and sends the same again with the same producer. */
function reuseAfterLostProduce(log: Log): Log {
  return wrapReadings(log, (inner) => {
    let offsets: Parameters<Transactor['sendOffsets']> | undefined
    return {
      ...inner,
      sendOffsets: async (...given) => {
        offsets = given
        await inner.sendOffsets(...given)
      },
      send: async (records) => {
        try {
          await inner.send(records)
        } catch (error) {
          if (!(error instanceof LogError) || error.code !== 'unknown_outcome') throw error
          await inner.abort()
          await inner.begin()
          if (offsets) await inner.sendOffsets(...offsets)
          await inner.send(records)
        }
      },
    }
  })
}

/** Commits again, with the same producer, where a commit was not answered. */
function repeatCommit(log: Log): Log {
  return wrapReadings(log, (inner) => ({
    ...inner,
    commit: async () => {
      try {
        await inner.commit()
      } catch (error) {
        if (!(error instanceof LogError) || error.code !== 'unknown_outcome') throw error
        await inner.commit()
      }
    },
  }))
}

/** Takes a commit that was not answered for done, and goes on with a new producer. */
function believeCommit(log: Log): Log {
  return {
    ...log,
    open: async (id, options) => {
      let inner = await log.open(id, options)
      if (!id.startsWith('readings-')) return inner
      return {
        begin: () => inner.begin(),
        sendOffsets: (...given) => inner.sendOffsets(...given),
        send: (records) => inner.send(records),
        commit: async () => {
          try {
            await inner.commit()
          } catch (error) {
            if (!(error instanceof LogError) || error.code !== 'unknown_outcome') throw error
            inner = await untilOpen(() => log.open(id, options))
            writeSync(2, 'a commit was believed\n')
          }
        },
        abort: () => inner.abort(),
        close: () => inner.close(),
      }
    },
  }
}

/** Opens again and again, as long as no broker answers. */
async function untilOpen(open: () => Promise<Transactor>): Promise<Transactor> {
  for (;;) {
    try {
      return await open()
    } catch (error) {
      if (!(error instanceof LogError) || !['retriable', 'unknown_outcome'].includes(error.code)) throw error
    }
  }
}

/** Goes on where the group's offset says, which anybody may have reset. */
function trustGroup(log: Log): Log {
  return {
    ...log,
    read: async (topic, partition, from, isolation) => {
      const told = topic === 'meter.frames' ? await log.committed('readings', topic, partition) : undefined
      return log.read(topic, partition, told ?? from, isolation)
    },
  }
}

/** Knows a place in the changelog by its number alone. */
function withoutHash(log: Log, view: StateView): StateView {
  return {
    ...view,
    position: async (scope) => {
      const actual = await view.position(scope)
      const same = actual && (await linksOf(log, scope)).find(({ seq }) => seq === actual.seq)
      return same ? { ...actual, hash: hex(same.hash) } : actual
    },
    exchange: async (scope, request) => {
      const actual = await view.position(scope)
      const same = actual?.gen === request.expected.gen && actual.seq === request.expected.seq
      return view.exchange(scope, same ? { ...request, expected: actual } : request)
    },
  }
}

/** Remembers what the last batches had, and takes everything older for new. */
function recentOnly(view: StateView): StateView {
  const batches = 3
  const last: ReadonlySet<string>[] = []
  const name = (scope: string, { table, index, day }: CellAddress) => `${scope}/${table}/${index}/${day}`
  return {
    ...view,
    exchange: async (scope, request) => {
      const answer = await view.exchange(scope, request)
      if (answer.status !== 'ok') return answer
      if (request.apply) {
        last.push(new Set(request.apply.cells.map((cell) => name(scope, cell))))
        if (last.length > batches) last.shift()
      }
      const isRecent = (at: CellAddress) => last.some((names) => names.has(name(scope, at)))
      return { status: 'ok', cells: answer.cells.map((cell, i) => (isRecent(request.lookup[i]!) ? cell : undefined)) }
    },
  }
}
