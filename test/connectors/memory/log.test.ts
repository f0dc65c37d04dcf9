import { memoryLog } from '../../../connectors/memory/index.ts'
import { logConformance } from '../../conformance/log.ts'

logConformance('the in-process log', async () => {
  const log = memoryLog()
  return { log, other: log, compact: log.compact, close: log.close }
})
