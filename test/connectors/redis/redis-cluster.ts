import { setTimeout as sleep } from 'node:timers/promises'
import { redisServer, type TestServer } from './redis-server.ts'

const slots = 16_384

/** Three real servers that form a Cluster. */
export async function redisCluster(): Promise<readonly TestServer[]> {
  const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000']
  const nodes = await Promise.all([1, 2, 3].map(() => redisServer({ args })))
  for (const [at, { admin, node }] of nodes.entries()) {
    const [from, to] = [at, at + 1].map((part) => Math.floor((slots * part) / nodes.length))
    await admin.call('cluster', 'addslotsrange', `${from}`, `${to! - 1}`)
    if (at > 0) await nodes[0]!.admin.call('cluster', 'meet', node.host, `${node.port}`)
  }
  for (const { admin } of nodes) {
    while (!`${await admin.call('cluster', 'info')}`.includes('cluster_state:ok')) await sleep(20)
    while (!`${await admin.call('cluster', 'info')}`.includes('cluster_known_nodes:3')) await sleep(20)
  }
  return nodes
}
