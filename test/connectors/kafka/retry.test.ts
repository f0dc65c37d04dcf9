import assert from 'node:assert/strict'
import { createServer, type Server, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { kafkaLog } from '../../../connectors/kafka/index.ts'
import { retrying, within } from '../../../connectors/kafka/retry.ts'
import { record } from '../../conformance/log-harness.ts'

test('a call that does not settle is given up at its deadline', async () => {
  await assert.rejects(within(20, new Promise(() => {})), { name: 'DeadlineError' })
  assert.equal(await within(1_000, Promise.resolve(1)), 1)
})

test('a call is repeated while it may be, in short pauses', async () => {
  const calledAt: number[] = []
  const answer = await retrying(
    5_000,
    () => true,
    async () => {
      calledAt.push(performance.now())
      if (calledAt.length < 6) throw new Error('not yet')
      return calledAt.length
    },
  )
  assert.equal(answer, 6)
  const pauses = calledAt.slice(1).map((at, index) => at - calledAt[index]!)
  assert.ok(
    pauses.every((pause, index) => pause >= 2 ** (index + 1) - 1),
    `pauses of ${pauses}`,
  )
})

test('an error that does not allow it ends at the first call, one that does at the deadline, with the last error', async () => {
  let calls = 0
  const failing = async () => {
    calls += 1
    throw new Error(`number ${calls}`)
  }
  await assert.rejects(
    retrying(5_000, () => false, failing),
    { message: 'number 1' },
  )
  await assert.rejects(
    retrying(60, () => true, failing),
    (error) => error instanceof Error && error.message === `number ${calls}` && calls > 2,
  )
})

test('a deadline says what went wrong before', async () => {
  let calls = 0
  await assert.rejects(
    retrying(
      60,
      () => true,
      () => {
        calls += 1
        return calls === 1 ? Promise.reject(new Error('the cause')) : new Promise(() => {})
      },
    ),
    /the cause/,
  )
})

describe('a broker that takes connections and never says a word', { concurrency: true }, () => {
  const sockets: Socket[] = []
  let server: Server
  let port: number
  before(async () => {
    server = createServer((socket) => void sockets.push(socket))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    port = (server.address() as { port: number }).port
  })
  after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })

  const handlers = { assigned: async () => {}, revoked: async () => {} }
  for (const [what, call] of Object.entries({
    createTopics: (log) =>
      log.createTopics([{ name: 't', partitions: 1, timestamps: 'append', cleanup: 'delete', retentionMs: null }]),
    partitions: (log) => log.partitions('t'),
    bounds: (log) => log.bounds('t', 0, 'read_committed'),
    committed: (log) => log.committed('g', 't', 0),
    read: (log) => log.read('t', 0, 0n, 'read_committed'),
    open: (log) => log.open('id', { timeoutMs: 1_000 }),
    append: (log) => log.append([record('t', 'x')]),
    join: (log) => log.join('g', 't', handlers),
  } satisfies Record<string, (log: ReturnType<typeof kafkaLog>) => Promise<unknown>>)) {
    test(`${what} ends at its deadline, and may be tried again`, { timeout: 20_000 }, async () => {
      const log = kafkaLog({ brokers: [`127.0.0.1:${port}`], deadlineMs: 400, requestTimeoutMs: 60_000 })
      await assert.rejects(call(log), { code: 'retriable' })
      await log.close()
    })
  }
})
