import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OutgoingRecord } from '../../../connectors/contract.ts'
import {
  type Fault,
  type FaultedCall,
  faultyLog,
  faultyView,
  memoryLog,
  memoryStateView,
  scriptedFaults,
  seededFaults,
} from '../../../connectors/memory/index.ts'
import { seconds } from '../../../operators/contract/clock.ts'
import { handClock } from './hand-clock.ts'

const record = (value: string): OutgoingRecord => ({ topic: 'a', partition: 0, key: null, value: Buffer.from(value) })

async function log(method: FaultedCall['method'], fault: Fault) {
  const clock = handClock()
  const inner = memoryLog({ clock })
  await inner.createTopics([{ name: 'a', partitions: 1, timestamps: 'append', cleanup: 'delete', retentionMs: null }])
  const faulty = faultyLog(inner, scriptedFaults([{ method, nth: 0, fault }]), clock)
  const committed = async () => {
    const { end } = await inner.bounds('a', 0, 'read_committed')
    const reader = await inner.read('a', 0, 0n, 'read_committed')
    const { records } = await reader.poll({ maxRecords: 100, maxBytes: 1_000_000, waitMs: 0 })
    return { end, values: records.map(({ value }) => Buffer.from(value ?? []).toString()) }
  }
  const begun = async () => {
    const transactor = await faulty.open('id', { timeoutMs: seconds(60) })
    await transactor.begin()
    await transactor.send([record('x')])
    return transactor
  }
  return { clock, inner, faulty, committed, begun }
}

test('a lost request has no effect, a lost reply has its whole effect, and the caller cannot tell', async () => {
  for (const [kind, values] of [
    ['lost_request', []],
    ['lost_reply', ['x']],
  ] as const) {
    const { begun, committed, inner } = await log('commit', { kind })
    const transactor = await begun()
    await assert.rejects(transactor.commit(), { code: 'unknown_outcome', message: 'no answer came to commit' })
    assert.deepEqual((await committed()).values, values)
    await inner.close()
  }
})

test('a late commit of a producer that was kept commits the transaction after it', async () => {
  const { begun, clock, committed, inner } = await log('commit', { kind: 'late', ms: 1_000 })
  const transactor = await begun()
  await assert.rejects(transactor.commit(), { code: 'unknown_outcome' })
  await transactor.abort()
  await transactor.begin()
  await transactor.send([record('half of the next')])
  assert.deepEqual((await committed()).values, [])
  await clock.advance(1_000)
  assert.deepEqual((await committed()).values, ['half of the next'])
  await inner.close()
})

test('a late commit of a producer that was replaced does nothing', async () => {
  const { begun, clock, committed, faulty, inner } = await log('commit', { kind: 'late', ms: 1_000 })
  const transactor = await begun()
  await assert.rejects(transactor.commit(), { code: 'unknown_outcome' })
  const owner = await faulty.open('id', { timeoutMs: seconds(60) })
  await owner.begin()
  await owner.send([record('next')])
  await clock.advance(1_000)
  assert.deepEqual((await committed()).values, [])
  await owner.commit()
  assert.deepEqual((await committed()).values, ['next'])
  await inner.close()
})

test('a refused call has its code and no effect; a slow one takes its time', async () => {
  const refused = await log('append', { kind: 'refused', code: 'retriable' })
  await assert.rejects(refused.faulty.append([record('x')]), { code: 'retriable' })
  await refused.faulty.append([record('y')])
  assert.deepEqual((await refused.committed()).values, ['y'])
  const slow = await log('append', { kind: 'slow', ms: 500 })
  let done = false
  const appended = slow.faulty.append([record('x')]).then(() => {
    done = true
  })
  await slow.clock.advance(499)
  assert.equal(done, false)
  await slow.clock.advance(1)
  await appended
  for (const { inner } of [refused, slow]) await inner.close()
})

test('while the broker is down nothing reaches it, and what was under way gets no answer', async () => {
  const { begun, clock, committed, faulty, inner } = await log('append', { kind: 'slow', ms: 500 })
  const transactor = await begun()
  const underWay = assert.rejects(faulty.append([record('under way')]), { code: 'unknown_outcome' })
  await clock.advance(100)
  faulty.goDown()
  await assert.rejects(transactor.commit(), { code: 'retriable' })
  await clock.advance(400)
  await underWay
  faulty.comeUp()
  await transactor.commit()
  assert.deepEqual((await committed()).values, ['x', 'under way'])
  await inner.close()
})

test('a scripted fault strikes its nth call, of all or of one id', async () => {
  const fault: Fault = { kind: 'lost_request' }
  const plan = scriptedFaults([
    { method: 'commit', nth: 1, about: 'b', fault },
    { method: 'send', nth: 2, fault },
  ])
  const struck = (method: FaultedCall['method'], about: string) => plan({ method, about, earlier: 0 }) !== undefined
  assert.deepEqual(
    ['b', 'a', 'b', 'b'].map((about) => struck('commit', about)),
    [false, false, true, false],
  )
  assert.deepEqual(
    ['a', 'b', 'a', 'b'].map((about) => struck('send', about)),
    [false, false, true, false],
  )
})

test('a seeded plan repeats itself, keeps to its rate and its methods', () => {
  const draw = (seed: number) => {
    const plan = seededFaults(seed, { rate: 0.1, methods: ['commit'] })
    return Array.from({ length: 10_000 }, (_, earlier) => plan({ method: 'commit', about: '', earlier })?.kind ?? '-')
  }
  assert.deepEqual(draw(1), draw(1))
  assert.notDeepEqual(draw(1), draw(2))
  const struck = draw(1).filter((kind) => kind !== '-')
  assert.ok(struck.length > 850 && struck.length < 1_150, `${struck.length} of 10,000`)
  assert.deepEqual([...new Set(struck)].sort(), ['late', 'lost_reply', 'lost_request'])
  const plan = seededFaults(1, { rate: 1, methods: ['commit'] })
  assert.equal(plan({ method: 'poll', about: '', earlier: 0 }), undefined)
})

test('an exchange whose reply was lost has been applied, and its repetition is no error', async () => {
  const inner = memoryStateView()
  const expected = { gen: 'g', seq: 0, hash: '' }
  await inner.reset('s', undefined, expected, [])
  const view = faultyView(inner, scriptedFaults([{ method: 'exchange', nth: 0, fault: { kind: 'lost_reply' } }]))
  const request = { expected, apply: { seq: 1, hash: 'h', floorDay: 0, cells: [] }, lookup: [] }
  await assert.rejects(view.exchange('s', request), { code: 'unknown_outcome' })
  assert.equal((await inner.position('s'))?.seq, 1)
  assert.equal((await view.exchange('s', request)).status, 'ok')
})
