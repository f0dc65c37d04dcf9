// A thread of `membersCrowd`: so many runs of both worlds, as figures.
import { parentPort, workerData } from 'node:worker_threads'
import type { Crowd } from './crowd.ts'
import { attackOnMembers, type MembersTask, openMembers } from './members-crowd.ts'

const task = workerData as MembersTask
const attack = await attackOnMembers(task)
const worlds = { with: await openMembers(task, true), without: await openMembers(task, false) }
const started = process.threadCpuUsage()
const rows = { with: [] as (readonly number[])[], without: [] as (readonly number[])[] }
for (let i = 0; i < task.runs; i++) {
  for (const name of ['with', 'without'] as const) rows[name].push(attack.figuresOf(await worlds[name]()))
}
const { user, system } = process.threadCpuUsage(started)
const cpuMs = (user + system) / 1_000 / (2 * task.runs)
parentPort!.postMessage({ names: attack.names, ...rows, cpuMs } satisfies Crowd)
