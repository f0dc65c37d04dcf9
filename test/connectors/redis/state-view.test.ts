import { openRedisView } from '../../../connectors/redis/index.ts'
import { stateViewConformance } from '../../conformance/state-view.ts'
import { redisServer } from './redis-server.ts'

stateViewConformance('the Redis view', async () => {
  const server = await redisServer()
  const [view, other] = await Promise.all([
    openRedisView({ nodes: [server.node] }),
    openRedisView({ nodes: [server.node] }),
  ])
  return {
    view,
    other,
    close: async () => {
      await Promise.all([view.close(), other.close()])
      await server.stop()
    },
  }
})
