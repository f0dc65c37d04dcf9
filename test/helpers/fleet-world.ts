import type { Fleet } from '../../bench/fleet/index.ts'
import { minutes } from '../../operators/contract/clock.ts'
import type { World } from '../../pipelines/simulation/world.ts'
import type { EpochMs } from '../../schemas/codec.ts'

/** Runs the pipelines of a world over what a fleet sends until then, and stops them. */
export async function runThrough(world: World, fleet: Pick<Fleet, 'arrivals'>, end: EpochMs): Promise<void> {
  const { running, activity } = await world.launch({ task: { heartbeatMs: minutes(5) } })
  for (const { at, arrivals } of fleet.arrivals(end)) {
    await world.log.append(arrivals.map(({ partition, frame }) => world.frameRecord(partition, frame)))
    world.clock.moveTo(at)
    await activity.rest(running.done)
  }
  world.clock.moveTo(end)
  await activity.rest(running.done)
  await running.stop()
}
