// A thread of `selectionCrowd`: so many runs of both worlds, as figures.
import { parentPort, workerData } from 'node:worker_threads'
import type { AuditParts } from '../../../pipelines/simulation/audit-pipelines.ts'
import { openAuditStage } from '../../../pipelines/simulation/audit-stage.ts'
import { zeroNoise } from '../../helpers/release-fixtures.ts'
import type { Crowd } from './crowd.ts'
import type { SelectionTask } from './selection-crowd.ts'
import { selectionAttack } from './selection-figures.ts'
import { plantedSelections } from './selection-planted.ts'
import { selectionPolicy, selectionWorld } from './selection-world.ts'

const { bug, world, rhoPerDay, share, runs, crash, stepMs } = workerData as SelectionTask
const found = plantedSelections.find((each) => each.bug === bug)
if (bug !== undefined && !found) throw new Error(`nobody planted ${bug}`)
const policy = selectionPolicy(rhoPerDay, share)
const how = stepMs === undefined ? {} : { stepMs }

async function open(present: boolean, parts: AuditParts) {
  const stage = await openAuditStage({ world: selectionWorld(present, world, policy), policy, crash, parts })
  return async () => (await stage.run(how)).seen
}

const still: AuditParts = { noise: { ...zeroNoise, select: (_, counts) => [...counts.keys()] } }
const truth = world.values
  ? { with: await (await open(true, still))(), without: await (await open(false, still))() }
  : undefined
const attack = selectionAttack(world, policy, truth)
const worlds = { with: await open(true, found?.parts() ?? {}), without: await open(false, found?.parts() ?? {}) }
const started = process.threadCpuUsage()
const rows = { with: [] as (readonly number[])[], without: [] as (readonly number[])[] }
for (let i = 0; i < runs; i++) {
  for (const name of ['with', 'without'] as const) rows[name].push(attack.figuresOf(await worlds[name]()))
}
const { user, system } = process.threadCpuUsage(started)
const cpuMs = (user + system) / 1_000 / (2 * runs)
parentPort!.postMessage({ names: attack.names, ...rows, cpuMs } satisfies Crowd)
