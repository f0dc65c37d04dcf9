import { setTimeout as sleep } from 'node:timers/promises'
import { redisServer, type TestServer } from './redis-server.ts'

const slots = 16_384
const formMs = 20_000

/** Three real servers that form a Cluster. */
export async function redisCluster(): Promise<readonly TestServer[]> {
  const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000']
  const nodes = await Promise.all([1, 2, 3].map(() => redisServer({ args })))
  for (const [at, { admin }] of nodes.entries()) {
    const [from, to] = [at, at + 1].map((part) => Math.floor((slots * part) / nodes.length))
    await admin.call('cluster', 'addslotsrange', `${from}`, `${to! - 1}`)
  }
  const whole = async () =>
    (await Promise.all(nodes.map(async ({ admin }) => `${await admin.call('cluster', 'info')}`))).every(
      (info) => info.includes('cluster_state:ok') && info.includes('cluster_size:3'),
    )
  const [first, ...others] = nodes
  const until = performance.now() + formMs
  for (let turn = 0; !(await whole()); turn++) {
    if (performance.now() > until) throw new Error(`the Cluster did not form within ${formMs} ms`)
    // On a busy machine an introduction may be lost.
    if (turn % 50 === 0) {
      for (const { node } of others) await first!.admin.call('cluster', 'meet', node.host, `${node.port}`)
    }
    await sleep(20)
  }
  return nodes
}
