import { writeSync } from 'node:fs'
import { type Log, LogError, type OutgoingRecord, type Transactor } from '../../../connectors/contract.ts'

const readings = 'readings-'

/** Wraps the producers of [readings]. */
export function wrapReadings(log: Log, wrap: (inner: Transactor) => Transactor): Log {
  return {
    ...log,
    open: async (id, options) => {
      const inner = await log.open(id, options)
      return id.startsWith(readings) ? wrap(inner) : inner
    },
  }
}

const note = (text: string): void => {
  writeSync(2, `${text}\n`)
}

/** How a request that was held up on its way ended when it came to the broker at last. */
async function arrive(what: string, request: () => Promise<void>): Promise<void> {
  const outcome = await request().then(
    () => 'taken',
    (error: unknown) => (error instanceof LogError ? error.code : String(error)),
  )
  note(`a late ${what} was ${outcome}`)
}

interface Late {
  readonly of: Transactor
  readonly request: () => Promise<void>
}

const carriesReadings = (records: readonly OutgoingRecord[]): boolean =>
  records.some(({ topic }) => topic === 'household.readings')

/**
 * The first produce request with readings is held up on its way. Nobody answers; it reaches the broker right before the next
 * one does, whoever sends that.
 */
export function lateProduce(log: Log): Log {
  let late: Late | undefined
  let done = false
  return wrapReadings(log, (inner) => ({
    ...inner,
    send: async (records) => {
      if (!done && carriesReadings(records)) {
        done = true
        late = { of: inner, request: () => inner.send(records) }
        throw new LogError('unknown_outcome', 'a produce request was not answered')
      }
      if (late && carriesReadings(records)) {
        const { request } = late
        late = undefined
        await arrive('produce', request)
      }
      await inner.send(records)
    },
    // Its connection is what the held-up request is on.
    close: async () => {
      if (late?.of !== inner) await inner.close()
    },
  }))
}

/**
 * The first commit of readings is held up on its way. Nobody answers; a copy reaches the broker in the middle of the next
 * transaction, after a first part of it was produced.
 */
export function lateCommit(log: Log): Log {
  let late: Late | undefined
  let done = false
  return wrapReadings(log, (inner) => {
    let carries = false
    return {
      ...inner,
      begin: async () => {
        carries = false
        await inner.begin()
      },
      send: async (records) => {
        carries ||= carriesReadings(records)
        if (!late || !carries) return inner.send(records)
        const { of, request } = late
        late = undefined
        const first = records.filter(({ topic }) => topic === 'household.readings')
        await inner.send(first)
        await arrive('commit', request)
        // For the broker a request after the end of a transaction begins the next one.
        if (of === inner) await inner.begin()
        await inner.send(records.filter((record) => !first.includes(record)))
      },
      commit: async () => {
        if (done || !carries) return inner.commit()
        done = true
        late = { of: inner, request: () => inner.commit() }
        throw new LogError('unknown_outcome', 'a commit was not answered')
      },
      close: async () => {
        if (late?.of !== inner) await inner.close()
      },
    }
  })
}
