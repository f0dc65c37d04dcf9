import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Membership } from '../../../connectors/contract.ts'
import { memoryLog } from '../../../connectors/memory/index.ts'
import { minutes } from '../../../operators/contract/clock.ts'
import { handClock } from './hand-clock.ts'

async function group() {
  const clock = handClock()
  const log = memoryLog({ clock, rebalanceTimeoutMs: minutes(1) })
  await log.createTopics([{ name: 'a', partitions: 4, timestamps: 'append', cleanup: 'delete', retentionMs: null }])
  const join = async (
    assigned: () => Promise<void> = async () => {},
    revoked: () => Promise<void> = async () => {},
  ) => {
    const owned = new Set<number>()
    const membership: Membership = await log.join('g', 'a', {
      assigned: async (partitions) => {
        for (const partition of partitions) owned.add(partition)
        await assigned()
      },
      revoked: async (partitions) => {
        await revoked()
        for (const partition of partitions) owned.delete(partition)
      },
    })
    await clock.advance(0)
    return { owned, membership }
  }
  return { clock, log, join }
}

const never = () => new Promise<void>(() => {})

test('an evicted member is not told and keeps believing; the others get its partitions', async () => {
  const { clock, join, log } = await group()
  const zombie = await join()
  const other = await join()
  assert.equal(zombie.owned.size, 2)
  log.evict(zombie.membership)
  await clock.advance(0)
  assert.equal(zombie.owned.size, 2)
  assert.equal(other.owned.size, 4)
  const [believed] = zombie.owned
  assert.equal(await zombie.membership.owns?.(believed as number), false, 'asked, the group says otherwise')
  assert.equal(await other.membership.owns?.(believed as number), true)
  await zombie.membership.leave()
  await clock.advance(0)
  assert.equal(other.owned.size, 4)
  await log.close()
})

for (const [what, handlers] of [
  ['gives its partitions up', [async () => {}, never]],
  ['takes its partitions', [never, async () => {}]],
] as const) {
  test(`a member that never ${what} is out after the rebalance time-out`, async () => {
    const { clock, join, log } = await group()
    const hung = await join(...handlers)
    const other = await join()
    assert.equal(hung.owned.size, 4)
    assert.equal(other.owned.size, 0)
    await clock.advance(minutes(1) + 1)
    assert.equal(other.owned.size, 4)
    await log.close()
  })
}

test('a member whose handler rejects is out', async () => {
  const { clock, join, log } = await group()
  await join(async () => {
    throw new Error('cannot start')
  })
  const other = await join()
  await clock.advance(0)
  assert.equal(other.owned.size, 4)
  await log.close()
})

test('each rebalance is a new generation', async () => {
  const { clock, join, log } = await group()
  const first = await join()
  assert.equal(log.generation('g', 'a'), 1)
  await join()
  assert.equal(log.generation('g', 'a'), 2)
  const left = first.membership.leave()
  await clock.advance(0)
  await left
  assert.equal(log.generation('g', 'a'), 3)
  await log.close()
})

test('members that leave together, and twice, all get out', async () => {
  const { clock, join, log } = await group()
  const members = [await join(), await join(), await join()]
  const left = Promise.all(members.flatMap(({ membership }) => [membership.leave(), membership.leave()]))
  await clock.advance(0)
  await left
  assert.deepEqual(
    members.map(({ owned }) => owned.size),
    [0, 0, 0],
  )
  await log.close()
})

test('closing the log lets everyone out at once', async () => {
  const { join, log } = await group()
  const member = await join(never)
  await log.close()
  await member.membership.leave()
})
