import { openRedisView, type RedisViewOptions } from '../../../connectors/redis/index.ts'
import { stateViewConformance } from '../../conformance/state-view.ts'
import { redisCluster } from './redis-cluster.ts'
import { redisServer, type TestServer } from './redis-server.ts'

async function harness(servers: readonly TestServer[], options: Partial<RedisViewOptions> = {}) {
  const nodes = servers.map(({ node }) => node)
  const [view, other] = await Promise.all([openRedisView({ nodes, ...options }), openRedisView({ nodes, ...options })])
  return {
    view,
    other,
    close: async () => {
      await Promise.all([view.close(), other.close()])
      await Promise.all(servers.map((server) => server.stop()))
    },
  }
}

stateViewConformance('the Redis view', async () => harness([await redisServer()]))

stateViewConformance('the Redis view on a Cluster', async () => harness(await redisCluster(), { cluster: true }))
