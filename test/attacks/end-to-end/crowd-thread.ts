// A thread of `crowd`: so many runs of both worlds of an example, as figures.
import { parentPort, workerData } from 'node:worker_threads'
import { secureNoise } from '../../../operators/privacy/release/noise.ts'
import { type AuditStageOptions, auditPolicy, openAuditStage } from '../../../pipelines/simulation/audit-stage.ts'
import { exampleWorld } from '../../../pipelines/simulation/audit-world.ts'
import { zeroNoise } from '../../helpers/release-fixtures.ts'
import type { Crowd, CrowdTask } from './crowd.ts'
import { attackOn } from './figures.ts'
import { planted } from './planted.ts'

const { bug, expects = bug, world, rhoPerDay, runs, crash } = workerData as CrowdTask
const policy = auditPolicy(rhoPerDay)

async function open(present: boolean, quiet: boolean) {
  const name = quiet ? expects : bug
  const found = planted.find((each) => each.bug === name)
  if (name !== undefined && !found) throw new Error(`nobody planted ${name}`)
  const noise = quiet ? zeroNoise : secureNoise()
  const made = found ? found.make({ noise, quiet }) : { parts: { noise } }
  const options: AuditStageOptions = { world: exampleWorld({ ...world, present }), policy, crash, parts: made.parts }
  const stage = await openAuditStage(options)
  return {
    run: async () => {
      made.reset?.()
      return (await stage.run()).seen
    },
  }
}

const truth = { with: await (await open(true, true)).run(), without: await (await open(false, true)).run() }
const attack = attackOn(truth)
const worlds = { with: await open(true, false), without: await open(false, false) }
const started = process.threadCpuUsage()
const rows = { with: [] as (readonly number[])[], without: [] as (readonly number[])[] }
// In turns, so that nothing that happens to the machine tells the worlds apart.
for (let i = 0; i < runs; i++) {
  for (const name of ['with', 'without'] as const) rows[name].push(attack.figuresOf(await worlds[name].run()))
}
const { user, system } = process.threadCpuUsage(started)
const cpuMs = (user + system) / 1_000 / (2 * runs)
parentPort!.postMessage({ names: attack.names, ...rows, cpuMs } satisfies Crowd)
