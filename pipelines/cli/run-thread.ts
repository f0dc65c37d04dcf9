// The entry of a thread of `meterveil run`: a deployment of its own over the same services, as another process would have.
import { parentPort, workerData } from 'node:worker_threads'
import type { Observer } from '../../operators/contract/observer.ts'
import { runAll } from '../runtime/run.ts'
import { openDeployment } from './deploy.ts'
import { pick } from './pick.ts'
import { report } from './report.ts'
import { type FromThread, settingsOfThread, type ThreadData } from './thread-messages.ts'

const port = parentPort!
const say = (message: FromThread) => port.postMessage(message)

const observer: Observer = {
  batch: (...facts) => say({ kind: 'observed', call: 'batch', facts }),
  transaction: (...facts) => say({ kind: 'observed', call: 'transaction', facts }),
  settled: (...facts) => say({ kind: 'observed', call: 'settled', facts }),
  assignment: (...facts) => say({ kind: 'observed', call: 'assignment', facts }),
  retry: (...facts) => say({ kind: 'observed', call: 'retry', facts }),
  halted: (...facts) => say({ kind: 'observed', call: 'halted', facts }),
}

async function main({ settings, names, thread, threads }: ThreadData): Promise<void> {
  const deployment = await openDeployment(settingsOfThread(settings, thread, threads), names)
  try {
    const { ports, task = {}, partitions } = deployment
    const running = await runAll(pick(deployment.pipelines, names), ports, {
      observer,
      task,
      ...(partitions ? { partitions } : {}),
    })
    port.once('message', () => void running.stop().catch(() => {}))
    say({ kind: 'started' })
    await running.done
  } finally {
    await deployment.close()
  }
}

try {
  await main(workerData as ThreadData)
} catch (error) {
  const { lines, exitCode } = report(error, Boolean(process.env['METERVEIL_DEBUG']))
  say({ kind: 'failed', lines, exitCode })
}
port.close()
