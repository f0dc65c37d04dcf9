import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Log, Membership } from '../../connectors/contract.ts'
import { eventually, type LogHarness, steadily, topic, unique } from './log-harness.ts'

interface Watched {
  readonly owned: Set<number>
  readonly membership: Membership
}

/** Joins and keeps book. `owners` counts, over all members, who holds a partition: never more than one. */
async function joining(log: Log, group: string, name: string, owners: Map<number, number>): Promise<Watched> {
  const owned = new Set<number>()
  const membership = await steadily(() =>
    log.join(group, name, {
      assigned: async (partitions) => {
        for (const partition of partitions) {
          const holders = (owners.get(partition) ?? 0) + 1
          assert.equal(holders, 1, 'a partition is given only after it was given up')
          owners.set(partition, holders)
          owned.add(partition)
        }
      },
      revoked: async (partitions) => {
        for (const partition of partitions) {
          assert.ok(owned.delete(partition), 'only what was assigned is revoked')
          owners.set(partition, (owners.get(partition) ?? 0) - 1)
        }
      },
    }),
  )
  return { owned, membership }
}

const all = (...members: readonly Watched[]): number[] => members.flatMap(({ owned }) => [...owned]).sort()

export function groupTests(harness: () => LogHarness): void {
  test('one member gets every partition, and gives them up when it leaves', async () => {
    const { log } = harness()
    const name = await topic(log, { partitions: 4 })
    const member = await joining(log, unique('group'), name, new Map())
    await eventually('it has four', () => member.owned.size === 4)
    await member.membership.leave()
    assert.equal(member.owned.size, 0)
  })

  test('members share the partitions, each held by one at a time, through joins and leaves', async () => {
    const { log, other } = harness()
    const name = await topic(log, { partitions: 5 })
    const group = unique('group')
    const owners = new Map<number, number>()
    const first = await joining(log, group, name, owners)
    await eventually('the first has all', () => first.owned.size === 5)
    const second = await joining(other, group, name, owners)
    await eventually('both have some', () => first.owned.size >= 2 && second.owned.size >= 2)
    assert.deepEqual(all(first, second), [0, 1, 2, 3, 4])
    await first.membership.leave()
    assert.equal(first.owned.size, 0)
    await eventually('the second has all', () => second.owned.size === 5)
    await second.membership.leave()
    assert.equal(second.owned.size, 0)
  })

  test('a member more than there are partitions waits, and takes over', async () => {
    const { log, other } = harness()
    const name = await topic(log)
    const group = unique('group')
    const owners = new Map<number, number>()
    const first = await joining(log, group, name, owners)
    await eventually('the first has it', () => first.owned.size === 1)
    const second = await joining(other, group, name, owners)
    await eventually('one of them has it', () => all(first, second).length === 1)
    const [holder, idle] = first.owned.size === 1 ? [first, second] : [second, first]
    await holder.membership.leave()
    await eventually('the idle one takes over', () => idle.owned.size === 1)
    await idle.membership.leave()
  })

  test('the group waits for a member that is still giving its partitions up', async () => {
    const { log, other } = harness()
    const name = await topic(log, { partitions: 2 })
    const group = unique('group')
    const release = Promise.withResolvers<void>()
    const seen: string[] = []
    const slow = await steadily(() =>
      log.join(group, name, {
        assigned: async (partitions) => {
          seen.push(`slow has ${partitions.length}`)
        },
        revoked: async () => {
          seen.push('slow is asked')
          await release.promise
          seen.push('slow gave up')
        },
      }),
    )
    await eventually('the slow one has two', () => seen.includes('slow has 2'))
    const quick = await steadily(() =>
      other.join(group, name, {
        assigned: async (partitions) => {
          if (partitions.length > 0) seen.push('quick has some')
        },
        revoked: async () => {},
      }),
    )
    await eventually('the slow one is asked', () => seen.includes('slow is asked'))
    await pause(300)
    assert.ok(!seen.includes('quick has some'))
    release.resolve()
    await eventually('the quick one gets its share', () => seen.includes('quick has some'))
    assert.ok(seen.indexOf('slow gave up') < seen.indexOf('quick has some'))
    await Promise.all([slow.leave(), quick.leave()])
  })

  test('a member that the group has expelled does not own what it believes to hold', async () => {
    const { log, other, expel } = harness()
    const name = await topic(log, { partitions: 2 })
    const group = unique('group')
    const release = Promise.withResolvers<void>()
    let given = 0
    const zombie = await steadily(() =>
      log.join(group, name, {
        assigned: async (partitions) => {
          given = partitions.length
        },
        // Told or not, it does not give up.
        revoked: () => release.promise,
      }),
    )
    await eventually('it has both', () => given === 2)
    assert.deepEqual([await zombie.owns(0), await zombie.owns(1), await zombie.owns(2)], [true, true, false])
    await expel(group)
    assert.equal(await zombie.owns(0), false)
    const heir = await joining(other, group, name, new Map())
    await eventually('another takes over', () => heir.owned.size === 2)
    assert.deepEqual([await zombie.owns(1), await heir.membership.owns(1)], [false, true])
    release.resolve()
    await Promise.all([zombie.leave(), heir.membership.leave()])
    assert.equal(await heir.membership.owns(1), false, 'nor does one that has left')
  })

  test('members own what they hold while the group waits for them to give it up, and nothing of others', async () => {
    const { log, other } = harness()
    const name = await topic(log, { partitions: 2 })
    const group = unique('group')
    const release = Promise.withResolvers<void>()
    const asked = Promise.withResolvers<void>()
    let given = 0
    const slow = await steadily(() =>
      log.join(group, name, {
        assigned: async (partitions) => {
          given = partitions.length
        },
        revoked: async () => {
          asked.resolve()
          await release.promise
        },
      }),
    )
    await eventually('it has both', () => given === 2)
    const second = await joining(other, group, name, new Map())
    await asked.promise
    assert.deepEqual([await slow.owns(0), await second.membership.owns(0)], [true, false])
    release.resolve()
    await eventually('both have one', () => given === 1 && second.owned.size === 1)
    const [own] = second.owned
    assert.deepEqual([await slow.owns(1 - own!), await slow.owns(own!)], [true, false])
    assert.deepEqual([await second.membership.owns(own!), await second.membership.owns(1 - own!)], [true, false])
    await Promise.all([slow.leave(), second.membership.leave()])
  })

  test('groups do not disturb each other', async () => {
    const { log } = harness()
    const name = await topic(log, { partitions: 2 })
    const one = await joining(log, unique('group'), name, new Map())
    const two = await joining(log, unique('group'), name, new Map())
    await eventually('both have everything', () => one.owned.size === 2 && two.owned.size === 2)
    await Promise.all([one.membership.leave(), two.membership.leave()])
  })
}
