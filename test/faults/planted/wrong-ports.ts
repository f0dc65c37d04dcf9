import {
  type Log,
  LogError,
  type OutgoingRecord,
  type StateView,
  type Transactor,
} from '../../../connectors/contract.ts'
import type { AcceptedBatch } from '../../../schemas/accepted-batch.ts'
import { acceptedBatchCodec } from '../../../schemas/accepted-batch.ts'

// Wrong protocols, planted as wrappers around sound ports: what a plausible runner would do instead of the right thing.

const headerLength = 5

function withTransactor(log: Log, wrap: (inner: Transactor) => Transactor): Log {
  return { ...log, open: async (id, options) => wrap(await log.open(id, options)) }
}

const acceptedOf = (records: readonly OutgoingRecord[]): AcceptedBatch[] =>
  records
    .filter(({ topic }) => topic === 'meter.accepted')
    .map(({ value }) => acceptedBatchCodec.decode(value!.subarray(headerLength)))
    .filter(({ kind }) => kind === 'batch')

/** Claims cells when they are produced, before the commit, and believes the claims ever after. */
export function claimBeforeCommit(log: Log, view: StateView): { readonly log: Log; readonly view: StateView } {
  const claimed = new Map<string, Uint8Array>()
  const name = (partition: number, table: string, index: number, day: number) =>
    `readings/${partition}/${table}/${index}/${day}`
  return {
    log: withTransactor(log, (inner) => ({
      ...inner,
      send: async (records) => {
        await inner.send(records)
        const partition = records.find(({ topic }) => topic === 'meter.accepted')?.partition ?? 0
        for (const { tables } of acceptedOf(records)) {
          for (const { table, cells } of tables)
            for (const cell of cells) claimed.set(name(partition, table, cell.index, cell.day), cell.value)
        }
      },
    })),
    view: {
      ...view,
      exchange: async (scope, request) => {
        const answer = await view.exchange(scope, request)
        if (answer.status !== 'ok') return answer
        const partition = Number(scope.split('/')[1])
        const cells = request.lookup.map(
          ({ table, index, day }, i) => claimed.get(name(partition, table, index, day)) ?? answer.cells[i],
        )
        return { status: 'ok', cells }
      },
    },
  }
}

/** Applies and looks up wherever the view happens to stand. */
export function applyWithoutCompare(view: StateView): StateView {
  return {
    ...view,
    exchange: async (scope, request) => {
      const actual = await view.position(scope)
      return view.exchange(scope, { ...request, expected: actual ?? request.expected })
    },
  }
}

/** Takes the view's word for where it is, so that a batch which was committed but not yet applied is never replayed. */
export function expectWhatTheViewSays(log: Log, view: StateView): { readonly log: Log; readonly view: StateView } {
  const committed = new Map<string, { readonly seq: number; readonly hash: string }>()
  return {
    log: withTransactor(log, (inner) => {
      let sent: { readonly scope: string; readonly seq: number; readonly hash: string } | undefined
      return {
        ...inner,
        send: async (records) => {
          await inner.send(records)
          const partition = records.find(({ topic }) => topic === 'meter.accepted')?.partition ?? 0
          for (const { seq, hash } of acceptedOf(records)) {
            sent = { scope: `readings/${partition}`, seq, hash: Buffer.from(hash).toString('hex') }
          }
        },
        commit: async () => {
          await inner.commit()
          if (sent) committed.set(sent.scope, sent)
        },
      }
    }),
    view: {
      ...applyWithoutCompare(view),
      position: async (scope) => {
        const actual = await view.position(scope)
        const last = committed.get(scope)
        return actual && last ? { gen: actual.gen, seq: last.seq, hash: last.hash } : actual
      },
    },
  }
}

/** Loses the reply of every nth commit that took effect: sound as such, and survived by a runner that re-assigns. */
export function loseReplies(log: Log, every: number): Log {
  let commits = 0
  return withTransactor(log, (inner) => ({
    ...inner,
    commit: async () => {
      await inner.commit()
      if (++commits % every === 0) throw new LogError('unknown_outcome', 'the reply to a commit was lost')
    },
  }))
}

/** Takes a lost reply for a failure: aborts, and sends the same records again with the same producer. */
export function abortAndReuse(log: Log): Log {
  return withTransactor(log, (inner) => {
    let records: OutgoingRecord[] = []
    let offsets: Parameters<Transactor['sendOffsets']> | undefined
    return {
      ...inner,
      begin: async () => {
        records = []
        await inner.begin()
      },
      sendOffsets: async (...given) => {
        offsets = given
        await inner.sendOffsets(...given)
      },
      send: async (given) => {
        records.push(...given)
        await inner.send(given)
      },
      commit: async () => {
        try {
          await inner.commit()
        } catch (error) {
          if (!(error instanceof LogError) || error.code !== 'unknown_outcome') throw error
          await inner.abort().catch(() => {})
          await inner.begin()
          if (offsets) await inner.sendOffsets(...offsets)
          await inner.send(records)
          await inner.commit().catch(() => {})
        }
      },
    }
  })
}

/** Takes the worker's own clock, which is wrong by `offMs`, for the time of receipt. */
export function workerClock(log: Log, now: () => number, offMs: number): Log {
  return {
    ...log,
    read: async (topic, partition, from, isolation) => {
      const reader = await log.read(topic, partition, from, isolation)
      if (topic !== 'meter.frames') return reader
      return {
        ...reader,
        poll: async (options) => {
          const fetched = await reader.poll(options)
          return { ...fetched, records: fetched.records.map((record) => ({ ...record, timestamp: now() + offMs })) }
        },
      }
    },
  }
}
