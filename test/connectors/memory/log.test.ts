import { memoryLog } from '../../../connectors/memory/index.ts'
import { logConformance } from '../../conformance/log.ts'
import { evicting } from '../../conformance/log-harness.ts'

logConformance('the in-process log', async () => {
  const { compact, evict, close, ...inner } = memoryLog()
  const { log, expel } = evicting({ ...inner, close }, evict)
  return { log, other: log, compact, expel, close }
})
