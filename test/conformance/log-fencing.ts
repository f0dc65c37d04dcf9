import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Transactor } from '../../connectors/contract.ts'
import {
  commitAll,
  committedEnd,
  eventually,
  type LogHarness,
  open,
  readAll,
  record,
  rejectsWith,
  steadily,
  text,
  texts,
  topic,
  unique,
} from './log-harness.ts'

export function fencingTests(harness: () => LogHarness): void {
  const calls: readonly (readonly [string, (zombie: Transactor, name: string) => Promise<void>])[] = [
    ['send', (zombie, name) => zombie.send([record(name, 'zombie')])],
    ['sendOffsets', (zombie, name) => zombie.sendOffsets('conformance-zombies', name, 0, 99n)],
    ['commit', (zombie) => zombie.commit()],
    ['abort', (zombie) => zombie.abort()],
  ]

  for (const [call, act] of calls) {
    test(`a zombie in mid-transaction is fenced on ${call}`, async () => {
      const { log, other } = harness()
      const name = await topic(log)
      const zombie = await open(log)
      await zombie.begin()
      await zombie.send([record(name, 'left open')])
      const owner = await open(other, zombie.id)
      await rejectsWith('fenced', () => act(zombie, name))
      await commitAll(owner, [record(name, 'owner')])
      await rejectsWith('fenced', () => act(zombie, name))
      for (const each of [zombie, owner]) await each.close()
      assert.deepEqual(texts((await readAll(log, name)).records), ['owner'])
      assert.equal(await steadily(() => log.committed('conformance-zombies', name, 0)), undefined)
    })

    if (call === 'commit' || call === 'abort') continue
    test(`a zombie that was idle is fenced on ${call}`, async () => {
      const { log, other } = harness()
      const name = await topic(log)
      const zombie = await open(log)
      await commitAll(zombie, [record(name, 'while it owned')])
      const owner = await open(other, zombie.id)
      // Beginning may be the client's own affair; the first call that reaches the log must fail.
      await rejectsWith('fenced', async () => {
        await zombie.begin()
        await act(zombie, name)
      })
      await commitAll(owner, [record(name, 'owner')])
      for (const each of [zombie, owner]) await each.close()
      assert.deepEqual(texts((await readAll(log, name)).records), ['while it owned', 'owner'])
    })
  }

  test('a zombie that never began is fenced', async () => {
    const { log, other } = harness()
    const name = await topic(log)
    const zombie = await open(log)
    const owner = await open(other, zombie.id)
    await rejectsWith('fenced', async () => {
      await zombie.begin()
      await zombie.send([record(name, 'zombie')])
    })
    await commitAll(owner, [record(name, 'owner')])
    for (const each of [zombie, owner]) await each.close()
    assert.deepEqual(texts((await readAll(log, name)).records), ['owner'])
  })

  test('each opening fences all before it', async () => {
    const { log } = harness()
    const name = await topic(log)
    const owners = [await open(log)]
    for (let count = 0; count < 3; count++) owners.push(await open(log, owners[0]!.id))
    for (const [index, owner] of owners.entries()) {
      const act = async () => {
        await owner.begin()
        await owner.send([record(name, `${index}`)])
        await owner.commit()
      }
      if (index === owners.length - 1) await act()
      else await rejectsWith('fenced', act)
    }
    for (const each of owners) await each.close()
    assert.deepEqual(texts((await readAll(log, name)).records), ['3'])
  })

  test('another id is not fenced', async () => {
    const { log } = harness()
    const name = await topic(log)
    const one = await open(log)
    const two = await open(log)
    await commitAll(one, [record(name, 'one')])
    await commitAll(two, [record(name, 'two')])
    for (const each of [one, two]) await each.close()
    assert.deepEqual(texts((await readAll(log, name)).records), ['one', 'two'])
  })

  test('opening settles the transaction that the old owner left open', async () => {
    const { log, other } = harness()
    const name = await topic(log)
    const group = unique('group')
    const dead = await open(log)
    await dead.begin()
    await dead.sendOffsets(group, name, 0, 1_000n)
    await dead.send(Array.from({ length: 1_000 }, (_, index) => record(name, `${index}`)))
    await steadily(() => other.append([record(name, 'behind')]))
    const owner = await open(other, dead.id)
    assert.equal(await steadily(() => other.committed(group, name, 0)), undefined)
    assert.deepEqual(texts((await readAll(other, name, { until: 1_002n })).records), ['behind'])
    assert.equal(await committedEnd(other, name), 1_002n)
    assert.equal((await readAll(other, name, { isolation: 'read_uncommitted' })).records.length, 1_001)
    await commitAll(owner, [record(name, 'owner')])
    for (const each of [dead, owner]) await each.close()
  })

  test('a transaction that outlives its time is aborted, and its owner fenced', async () => {
    const { log } = harness()
    const name = await topic(log)
    const group = unique('group')
    const slow = await open(log, unique('id'), 1_000)
    await slow.begin()
    await slow.sendOffsets(group, name, 0, 1n)
    await slow.send([record(name, 'slow')])
    await steadily(() => log.append([record(name, 'behind')]))
    await eventually('the log aborts the transaction by itself', async () => (await committedEnd(log, name)) === 3n)
    await rejectsWith('fenced', () => slow.commit())
    assert.deepEqual(texts((await readAll(log, name)).records), ['behind'])
    assert.equal(await steadily(() => log.committed(group, name, 0)), undefined)
    await slow.close()
  })

  test('a loop that is taken over at any point copies its input exactly once', async () => {
    const { log, other } = harness()
    const input = await topic(log)
    const output = await topic(log)
    const group = unique('group')
    const id = unique('id')
    const count = 60
    await steadily(() => log.append(Array.from({ length: count }, (_, index) => record(input, `${index}`))))
    const zombies: Transactor[] = []
    // Owner n gives up after n steps of its loop; each step is one call that reaches the log.
    let position = 0n
    for (let patience = 1; position < BigInt(count); patience++) {
      const client = patience % 2 === 0 ? log : other
      const owner = await open(client, id)
      position = (await steadily(() => client.committed(group, input, 0))) ?? 0n
      const reader = await steadily(() => client.read(input, 0, position, 'read_committed'))
      zombies.push(owner)
      for (let steps = 0; steps < patience && position < BigInt(count); ) {
        const { records, next } = await steadily(() => reader.poll({ maxRecords: 7, maxBytes: 1_000, waitMs: 1_000 }))
        const outgoing = records.map(({ value }) => record(output, text(value) ?? ''))
        for (const step of [
          () => owner.begin().then(() => owner.sendOffsets(group, input, 0, next)),
          () => owner.send(outgoing),
          () => owner.commit(),
        ]) {
          if (steps++ >= patience) break
          await step()
          if (steps % 3 === 0) position = next
        }
      }
      await reader.close()
    }
    const last = await open(log, id)
    for (const zombie of zombies) await zombie.commit().catch(() => {})
    assert.equal(await steadily(() => log.committed(group, input, 0)), BigInt(count))
    assert.deepEqual(
      texts((await readAll(log, output)).records),
      Array.from({ length: count }, (_, index) => `${index}`),
    )
    for (const each of [...zombies, last]) await each.close()
  })
}
