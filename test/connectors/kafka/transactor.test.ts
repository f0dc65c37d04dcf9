import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Kafka } from 'kafkajs'
import type { Transactor } from '../../../connectors/contract.ts'
import type { Directory } from '../../../connectors/kafka/directory.ts'
import { withDefaults } from '../../../connectors/kafka/options.ts'
import { openTransactor } from '../../../connectors/kafka/transactor.ts'
import { record } from '../../conformance/log-harness.ts'
import { lateBroker } from './late-broker.ts'

const protocol = (code: number) => Object.assign(new Error('said the broker'), { name: 'KafkaJSProtocolError', code })
const closed = () => Object.assign(new Error('gone'), { name: 'KafkaJSConnectionClosedError' })

type Call = 'connect' | 'transaction' | 'sendOffsets' | 'sendBatch' | 'commit' | 'abort' | 'disconnect'
type Answer = Error | 'silence' | undefined

/** A client that keeps book of what is asked, and answers by a script: the first call of a name gets the first answer. */
function scripted(script: Partial<Record<Call, readonly Answer[]>>) {
  const calls: Call[] = []
  const answer = async (call: Call) => {
    const nth = calls.filter((each) => each === call).length
    calls.push(call)
    const scriptedAnswer = script[call]?.[nth]
    if (scriptedAnswer === 'silence') await new Promise(() => {})
    if (scriptedAnswer instanceof Error) throw scriptedAnswer
  }
  const transaction = async () => {
    await answer('transaction')
    return {
      sendOffsets: () => answer('sendOffsets'),
      sendBatch: () => answer('sendBatch'),
      commit: () => answer('commit'),
      abort: () => answer('abort'),
    }
  }
  const producer = () => ({
    connect: () => answer('connect'),
    disconnect: () => answer('disconnect'),
    transaction,
  })
  return { calls, kafka: { producer } as unknown as Kafka }
}

const directory = {
  requirePartition: async () => {},
  clarified: (_: unknown, call: () => Promise<unknown>) => call(),
} as unknown as Directory

const settings = withDefaults({ brokers: [], deadlineMs: 300 })

async function opened(script: Partial<Record<Call, readonly Answer[]>>) {
  const { calls, kafka } = scripted(script)
  const transactor = await openTransactor(kafka, directory, settings, 'id', 15_000)
  return { calls, transactor }
}

const uses: Readonly<Record<string, (transactor: Transactor) => Promise<void>>> = {
  transaction: (transactor) => transactor.begin(),
  sendOffsets: (transactor) => transactor.sendOffsets('g', 't', 0, 1n),
  sendBatch: (transactor) => transactor.send([record('t', 'x')]),
  commit: (transactor) => transactor.commit(),
  abort: (transactor) => transactor.abort(),
}

test('opening begins a transaction and ends it without sending anything: connecting alone fences nobody', async () => {
  const { calls } = await opened({})
  assert.deepEqual(calls, ['connect', 'transaction', 'abort'])
})

test('opening tries again with a new producer where a broker says so, and gives up on what it may not do', async () => {
  const { calls } = await opened({ transaction: [protocol(51), protocol(16)] })
  assert.equal(calls.filter((call) => call === 'connect').length, 3)
  assert.equal(calls.filter((call) => call === 'disconnect').length, 2)
  await assert.rejects(opened({ transaction: [protocol(53)] }), { code: 'unauthorized' })
})

for (const [late, asked] of [
  ['connect', ['connect']],
  ['transaction', ['connect', 'transaction']],
  ['abort', ['connect', 'transaction', 'abort']],
] as const) {
  test(`an answer to ${late} after the opening was given up is followed by nothing but goodbye`, async () => {
    const { kafka, calls, live } = lateBroker(late, 300)
    const hasty = withDefaults({ brokers: [], deadlineMs: 100 })
    await assert.rejects(openTransactor(kafka, directory, hasty, 'id', 15_000), { code: 'retriable' })
    await pause(500)
    assert.deepEqual(calls, asked, 'a new epoch would fence the owner that came after')
    assert.equal(live(), 0)
  })
}

for (const code of [51, 14, 15, 16]) {
  test(`offsets that meet code ${code} are sent again, as often as it takes`, async () => {
    const { calls, transactor } = await opened({ sendOffsets: Array.from({ length: 5 }, () => protocol(code)) })
    await transactor.begin()
    await transactor.sendOffsets('g', 't', 0, 1n)
    await transactor.commit()
    assert.equal(calls.filter((call) => call === 'sendOffsets').length, 6)
  })
}

for (const [what, answer, code] of [
  ['no answer', 'silence', 'unknown_outcome'],
  ['a closed connection', closed(), 'unknown_outcome'],
  ['code 51', protocol(51), 'unknown_outcome'],
  ['code 47', protocol(47), 'fenced'],
  ['code 90', Object.assign(protocol(-99), { message: 'Unknown error code 90' }), 'fenced'],
] as const) {
  for (const [call, use] of Object.entries(uses)) {
    // An answer that allows it is what a repetition waits for, but for an end.
    if (what === 'code 51' && call !== 'commit' && call !== 'abort') continue
    test(`${what} to ${call} ends the producer, which is asked nothing more`, async () => {
      const nth = call === 'abort' || call === 'transaction' ? [undefined, answer] : [answer]
      const { calls, transactor } = await opened({ [call]: nth })
      if (call !== 'transaction') await transactor.begin()
      await assert.rejects(use(transactor), { code })
      const asked = calls.filter((each) => each !== 'disconnect').length
      for (const again of Object.values(uses)) await assert.rejects(again(transactor), { code })
      assert.equal(calls.filter((each) => each !== 'disconnect').length, asked, 'no second commit, nor anything else')
      assert.ok(calls.includes('disconnect'), 'it is thrown away')
    })
  }
}

test('records that a broker refuses leave a transaction that can only be aborted', async () => {
  const { calls, transactor } = await opened({ sendBatch: [protocol(10)] })
  await transactor.begin()
  await assert.rejects(transactor.send([record('t', 'x')]), { code: 'record_too_large' })
  await assert.rejects(transactor.commit(), { code: 'transaction_state' })
  await transactor.abort()
  assert.ok(!calls.includes('commit'))
})
