// A thread of `meterveil audit-run`: some of the runs, as lines of JSON.
import { parentPort, workerData } from 'node:worker_threads'
import { auditPolicy, type CrashPoint, openAuditStage } from '../simulation/audit-stage.ts'
import { type AuditValues, linesOf } from './audit-lines.ts'
import { readWorld } from './audit-world-file.ts'

/** What a thread is to do. */
export interface AuditTask {
  readonly paths: readonly string[]
  readonly rhoPerDay: string
  readonly crash: CrashPoint | undefined
  readonly values: AuditValues
  /** Runs from, below, and in steps of. */
  readonly from: number
  readonly runs: number
  readonly step: number
}

const { paths, rhoPerDay, crash, values, from, runs, step } = workerData as AuditTask
const port = parentPort!
const policy = auditPolicy(rhoPerDay)
const stages = await Promise.all(
  paths.map(async (path) => {
    const world = readWorld(path)
    return { name: world.name, stage: await openAuditStage({ world, policy, crash }) }
  }),
)
// The next run waits until the last one's lines are taken, so that a slow reader is not overrun.
const taken = () => new Promise<void>((resolve) => port.once('message', () => resolve()))
for (let run = from; run < runs; run += step) {
  let text = ''
  for (const { name, stage } of stages) {
    for (const line of linesOf(name, run, (await stage.run()).seen, values)) text += `${JSON.stringify(line)}\n`
  }
  const next = taken()
  port.postMessage(text)
  await next
}
port.close()
