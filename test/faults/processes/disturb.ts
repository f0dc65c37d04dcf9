import { setTimeout as pause } from 'node:timers/promises'
import type { TestServer } from '../../connectors/redis/redis-server.ts'
import type { OwnServices } from '../../helpers/services.ts'
import type { Stage } from './stage.ts'

/** How often each fault struck, and how often there were frames to process when it did. */
export interface Tally {
  readonly note: (fault: string) => Promise<void>
  readonly struck: (fault: string) => number
  readonly bit: (fault: string) => number
  readonly text: () => string
}

export function tallyOf(stage: Stage): Tally {
  const counts = new Map<string, { struck: number; bit: number }>()
  return {
    note: async (fault) => {
      const entry = counts.get(fault) ?? { struck: 0, bit: 0 }
      counts.set(fault, entry)
      entry.struck += 1
      if ((await stage.unfinished()) > 0) entry.bit += 1
    },
    struck: (fault) => counts.get(fault)?.struck ?? 0,
    bit: (fault) => counts.get(fault)?.bit ?? 0,
    text: () => [...counts].map(([fault, { struck, bit }]) => `${fault}: ${struck}, ${bit} under work`).join('; '),
  }
}

/** Kills the brokers in turn, or stops one for a while, and brings it back. Nobody sends anything meanwhile. */
export function brokerFaults(own: OwnServices, tally: Tally) {
  const nodes = own.nodes('kafka').map(({ name }) => name)
  let turn = 0
  const next = () => nodes[turn++ % nodes.length]!
  const kill = async () => {
    await tally.note('broker killed')
    await own.kill('kafka', 'SIGKILL', next())
    await own.start('kafka')
  }
  const freeze = async () => {
    await tally.note('broker frozen')
    const node = next()
    await own.kill('kafka', 'SIGSTOP', node)
    await pause(3_000)
    await own.kill('kafka', 'SIGCONT', node)
  }
  return { kill, freeze }
}

/** What befalls Redis, one after the other. */
export function redisFaults(redis: TestServer, tally: Tally) {
  const restart = async () => {
    await redis.kill()
    await redis.start()
  }
  return {
    kill: async () => {
      await tally.note('Redis killed')
      await restart()
    },
    flush: async () => {
      await tally.note('Redis emptied')
      await redis.admin.flushall()
    },
    keep: () => redis.dump(),
    rollBack: async () => {
      await tally.note('Redis rolled back')
      await redis.restoreDump()
    },
    /** Takes no writes for a while. */
    full: async () => {
      await tally.note('Redis full')
      await redis.admin.config('SET', 'maxmemory', '1')
      await pause(500)
      await redis.admin.config('SET', 'maxmemory', '0')
    },
  }
}
