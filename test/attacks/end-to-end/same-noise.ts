import { rational } from 'diffprivlib-ts'
import { seededBits, seededGaussian } from 'diffprivlib-ts/testing'
import type { NoiseSource } from '../../../operators/privacy/release/noise.ts'
import type { AuditParts } from '../../../pipelines/simulation/audit-pipelines.ts'
import {
  type AuditRun,
  type AuditStageOptions,
  openAuditStage,
  type RunAuditOptions,
} from '../../../pipelines/simulation/audit-stage.ts'
import { type AuditWorld, type ExampleOptions, exampleWorld } from '../../../pipelines/simulation/audit-world.ts'

/** Noise that is the same in every run: what then differs between two worlds, differs because of the data. */
export function sameNoise(): NoiseSource {
  const bits = seededBits(20_260)
  const samplers = new Map<string, ReturnType<typeof seededGaussian>>()
  return {
    gaussian: (sigma2) => {
      const name = rational.format(sigma2)
      const sampler = samplers.get(name) ?? seededGaussian(sigma2, bits)
      samplers.set(name, sampler)
      return sampler.next()
    },
  }
}

export interface OnceOptions extends Omit<AuditStageOptions, 'world'>, RunAuditOptions {
  readonly world: ExampleOptions
  /** Points that the register counts per feeder. Default: those of the example. */
  readonly registered?: AuditWorld['registered']
}

/** One run of an example. */
export async function once({ world, registered, policy, crash, task, parts, ...how }: OnceOptions): Promise<AuditRun> {
  const example = exampleWorld(world)
  const stage = await openAuditStage({
    world: registered ? { ...example, registered } : example,
    ...(policy ? { policy } : {}),
    ...(task ? { task } : {}),
    ...(parts ? { parts } : {}),
    crash,
  })
  return stage.run(how)
}

/** The same household-day there and not there, under the same noise. */
export async function bothWorlds(
  world: Omit<ExampleOptions, 'present'>,
  parts: () => AuditParts = () => ({}),
  how: RunAuditOptions = {},
): Promise<{ readonly with: AuditRun; readonly without: AuditRun }> {
  const run = (present: boolean) =>
    once({ world: { ...world, present }, parts: { noise: sameNoise(), ...parts() }, ...how })
  return { with: await run(true), without: await run(false) }
}
