import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Log } from '../../../connectors/contract.ts'
import { kafkaLog } from '../../../connectors/kafka/index.ts'
import { eventually, record, topic, unique } from '../../conformance/log-harness.ts'
import { services } from '../../helpers/services.ts'
import { copies } from './copying.ts'

const real = await services({ kafka: true })

const partitions = 4
const kills = Number(process.env['MV_KILLS'] ?? 20)

interface Member {
  readonly child: ChildProcess
  readonly owned: Set<number>
  /** When it last committed for each partition. */
  readonly committedAt: Map<number, number>
  readonly answers: boolean[]
}

type Said =
  | { readonly assigned: readonly number[] }
  | { readonly committed: number }
  | { readonly asked: number; readonly owns: boolean }

describe('members of a group that are processes', { skip: real.skip }, () => {
  const children: ChildProcess[] = []
  let log: Log
  before(() => {
    log = kafkaLog({ brokers: real.address('kafka').split(',') })
  })
  after(async () => {
    for (const child of children) child.kill('SIGKILL')
    await log.close()
  })

  const start = (group: string, input: string, output: string): Member => {
    const script = new URL('group-member.ts', import.meta.url).pathname
    const child = spawn(process.execPath, [script, real.address('kafka'), group, input, output], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    children.push(child)
    const member: Member = { child, owned: new Set(), committedAt: new Map(), answers: [] }
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const said = JSON.parse(line) as Said
      if ('owns' in said) member.answers.push(said.owns)
      else if ('assigned' in said) {
        member.owned.clear()
        for (const partition of said.assigned) member.owned.add(partition)
      } else member.committedAt.set(said.committed, performance.now())
    })
    return member
  }
  const share = (one: Member, other: Member) => one.owned.size === 2 && other.owned.size === 2
  const committedSince = (member: Member, since: number) =>
    [...member.committedAt].filter(([, at]) => at > since).map(([partition]) => partition)

  /** Feeds every partition until told to stop; answers how many records each got. */
  const feed = (name: string) => {
    const stop = new AbortController()
    const fed = (async () => {
      let count = 0
      for (; !stop.signal.aborted; count++) {
        await log.append(Array.from({ length: partitions }, (_, partition) => record(name, `${count}`, partition)))
        await pause(50)
      }
      return count
    })()
    fed.catch(() => {})
    return () => {
      stop.abort()
      return fed
    }
  }
  const copiedOnce = async (output: string, count: number) => {
    for (let partition = 0; partition < partitions; partition++) {
      await eventually(`all of ${partition} is copied`, async () => {
        return (await copies(log, output, partition)).length >= count
      })
      assert.deepEqual(
        await copies(log, output, partition),
        Array.from({ length: count }, (_, index) => `${index}`),
      )
    }
  }

  test(`${kills} members killed without a word: others take over, nothing lost or twice`, async (context) => {
    const input = await topic(log, { partitions })
    const output = await topic(log, { partitions })
    const group = unique('group')
    const stopFeeding = feed(input)
    let victim = start(group, input, output)
    let heir = start(group, input, output)
    const recoveries: number[] = []
    for (let kill = 0; kill < kills; kill++) {
      await eventually('both share', () => share(victim, heir))
      const began = performance.now()
      await eventually('both commit', () => [victim, heir].every((each) => committedSince(each, began).length === 2))
      const orphans = [...victim.owned]
      const killedAt = performance.now()
      victim.child.kill('SIGKILL')
      await eventually('the other commits for all', () =>
        orphans.every((partition) => committedSince(heir, killedAt).includes(partition)),
      )
      const first = Math.min(...orphans.map((partition) => heir.committedAt.get(partition)!))
      recoveries.push(first - killedAt)
      victim = heir
      heir = start(group, input, output)
    }
    await eventually('both share', () => share(victim, heir))
    await copiedOnce(output, await stopFeeding())
    const sorted = recoveries.toSorted((a, b) => a - b).map(Math.round)
    context.diagnostic(
      `from SIGKILL to the first commit of an heir, session time-out 6,000 ms, ${kills} kills: ` +
        `p50 ${sorted[Math.floor((kills - 1) / 2)]} ms, p99 ${sorted[Math.ceil(kills * 0.99) - 1]} ms`,
    )
    for (const { child } of [victim, heir]) child.kill('SIGKILL')
  })

  test('a member stopped past its session and woken is fenced, knows itself expelled, and repeats nothing', async () => {
    const input = await topic(log, { partitions })
    const output = await topic(log, { partitions })
    const group = unique('group')
    const stopFeeding = feed(input)
    const zombie = start(group, input, output)
    const heir = start(group, input, output)
    await eventually('both share', () => share(zombie, heir))
    const [held] = zombie.owned
    zombie.child.kill('SIGSTOP')
    await eventually('the other has all', () => heir.owned.size === partitions)
    const takenAt = performance.now()
    await eventually('and commits for all', () => committedSince(heir, takenAt).length === partitions)
    zombie.child.stdin!.write(`${held}\n`)
    zombie.child.kill('SIGCONT')
    await eventually('the woken one answers', () => zombie.answers.length === 1)
    assert.deepEqual(zombie.answers, [false])
    await eventually('it joins again', () => share(zombie, heir))
    await copiedOnce(output, await stopFeeding())
    for (const { child } of [zombie, heir]) {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    }
  })
})
