import { setTimeout as pause } from 'node:timers/promises'
import { minutes } from '../../../operators/contract/clock.ts'
import { checkStage, type Outcome } from './check.ts'
import type { Death, Kept } from './crew.ts'
import type { WorkerSettings } from './orders.ts'
import type { Stage } from './stage.ts'
import { labelOf, labels, type Schedule, strikes } from './strikes.ts'

export interface KillRunOptions {
  readonly seed: number
  readonly assignment: 'group' | 'ordinal'
  readonly workers?: number
  /** Strikes in all, spread evenly over the staged time; none by default. */
  readonly kills?: number
  /** Staged time of one step. Default 30 minutes. */
  readonly stepMs?: number
  /** Least and most real time of one step, ms. */
  readonly paceMs?: readonly [number, number]
  /** What a worker in a slot has to know besides. */
  readonly settings?: (slot: number) => Partial<WorkerSettings>
  /** Called after every step: kills brokers, empties stores. */
  readonly disturb?: (step: number, kept: Kept) => Promise<void>
  /** How long everything may take to come to rest at the end. Default 60 s. */
  readonly drainMs?: number
}

/** What a run came to, for people. */
export interface KillRun {
  readonly outcome: Outcome
  readonly schedule: Schedule
  /** Places that were never struck. */
  readonly unstruck: readonly string[]
  /** Strikes, and those that met work. */
  readonly struck: number
  readonly bit: number
  /** Workers that ended by themselves, with their codes. */
  readonly failed: readonly (number | null)[]
  /** What the workers wrote. */
  readonly log: string
  readonly seconds: { readonly feeding: number; readonly draining: number; readonly checking: number }
}

const lastSteps = 6
/** Every so many steps the time stands still between a seal and its tick, until it has been made and waits, or for this long. */
const tickSteps = 8
const tickMs = 30_000
/** Before a whole half hour: its window before is past its grace of 20 minutes and due 5 minutes later. */
const beforeTickMs = minutes(6)
const patienceMs = 120_000

/** Feeds the whole staged time while workers are struck and services disturbed; then lets all come to rest, and checks. */
export async function killRun(stage: Stage, options: KillRunOptions): Promise<KillRun> {
  const { seed, assignment, workers = 2, kills = 0, stepMs = minutes(30), paceMs = [0, 2_000], disturb } = options
  const { crew, start, end } = stage
  const schedule = strikes(seed)
  let striking = kills > 0
  // By ordinal, the only partition of [load] and of [publish] has its place, as the worker deals them out.
  const hasShare = (pipeline: string, slot: number): boolean => {
    const turn = ['load', 'publish'].includes(pipeline) ? (pipeline === 'load' ? 1 : 2) % workers : slot
    return assignment === 'group' || turn === slot
  }
  const kept = crew.keep(workers, {
    settings: (slot) => ({
      ...options.settings?.(slot),
      ...(assignment === 'ordinal' ? { ordinal: { index: slot, of: workers } } : {}),
    }),
    strike: (slot) => (striking ? schedule.next((pipeline) => hasShare(pipeline, slot)) : undefined),
  })
  let counted = 0
  const count = () => {
    for (; counted < crew.deaths.length; counted++) {
      const { how, strike } = crew.deaths[counted]!
      if (how === 'struck' && strike) schedule.struck(strike)
    }
  }
  const began = performance.now()
  const steps = Math.ceil((end - start) / stepMs)
  for (let step = 0; step <= steps; step++) {
    const since = performance.now()
    const at = Math.min(end, start + step * stepMs)
    if (striking && step % tickSteps === tickSteps - 1) {
      await stage.feedTo(at - beforeTickMs)
      await waitForTick(stage, kept, schedule)
    }
    await stage.feedTo(at)
    if (step === 1) await known(stage)
    await disturb?.(step, kept)
    const wanted = step >= steps - lastSteps ? kills : (kills * step) / (steps - lastSteps)
    // Shortly before the work is over, the kills that are still missing are waited for, however slow the machine.
    const most = step === steps - lastSteps ? patienceMs : paceMs[1]
    for (;;) {
      count()
      const spent = performance.now() - since
      if (spent >= most || (spent >= paceMs[0] && struckOf(stage) >= wanted)) break
      await pause(20)
    }
    if (struckOf(stage) >= kills && striking) {
      striking = false
      for (const worker of kept.workers()) worker.arm(undefined)
    }
  }
  striking = false
  for (const worker of kept.workers()) worker.arm(undefined)
  const fed = performance.now()
  await stage.drain(options.drainMs ?? 60_000)
  await kept.stop()
  const drained = performance.now()
  const outcome = await checkStage(stage)
  count()
  const struck = crew.deaths.filter(({ how }) => how === 'struck')
  return {
    outcome,
    schedule,
    unstruck: [...schedule.hits].filter(([, count]) => count === 0).map(([label]) => label),
    struck: struck.length,
    bit: struck.filter(bit).length,
    failed: crew.deaths.filter(({ how }) => how === 'failed').map(({ code }) => code),
    log: crew.log(),
    seconds: {
      feeding: Math.round((fed - began) / 1_000),
      draining: Math.round((drained - fed) / 1_000),
      checking: Math.round((performance.now() - drained) / 1_000),
    },
  }
}

/**
 * Waits until every partition has a first link: only the days that are not over when a domain is first known are released,
 * and a busy machine starts its workers late.
 */
export async function known(stage: Stage): Promise<void> {
  const until = performance.now() + patienceMs
  while (!(await stage.heads()).every(Boolean)) {
    if (performance.now() > until) throw new Error(`I8: nothing was processed within ${patienceMs} ms`)
    await pause(100)
    // Who has had no input says so after a while, in staged time.
    await stage.feedTo(stage.crew.now() + minutes(1))
  }
}

/**
 * Lets what comes before [publish] catch up, so that what is sealed waits for a tick that is yet to come; who waits there is
 * struck if nobody was yet.
 */
async function waitForTick(stage: Stage, kept: Kept, schedule: Schedule): Promise<void> {
  const until = performance.now() + tickMs
  const caughtUp = async () =>
    [...(await stage.lag())].every(([name, records]) => records === 0n || !/^(readings|load)\//.test(name))
  while (performance.now() < until && !(await caughtUp())) await pause(50)
  const open = labels.find((place) => place.step === 'hold' && schedule.hits.get(labelOf(place)) === 0)
  if (open === undefined) return
  for (const worker of kept.workers()) worker.arm({ ...open, nth: 1, signal: 'SIGKILL' })
  await pause(1_500)
}

const struckOf = ({ crew }: Stage): number => crew.deaths.filter(({ how }) => how === 'struck').length

/** Whether a death met work: frames to process, a transaction that was open, or a task that was finding its place. */
const bit = ({ unfinished, strike }: Death): boolean =>
  unfinished > 0 || (strike !== undefined && !['poll', 'hold'].includes(strike.step))

/** One line of figures. */
export function killRunText({ outcome, struck, bit, failed, seconds, schedule, unstruck }: KillRun): string {
  const { intervals, frames, batches, refused, seals, published, visibleTwice, forecasts, faults } = outcome
  const most = Math.max(...schedule.hits.values())
  const least = Math.min(...schedule.hits.values())
  return [
    `${struck} kills, ${bit} with work unfinished, at ${schedule.hits.size - unstruck.length} of ${schedule.hits.size} places, ${least} to ${most} each`,
    `${failed.length} workers ended by themselves${failed.length > 0 ? ` (${[...new Set(failed)].join(', ')})` : ''}`,
    `${frames} frames, ${intervals} intervals in ${batches} batches, ${refused} refused`,
    `${seals} seals, ${published} public records, ${visibleTwice} of them visible more than once, ${forecasts} forecasts`,
    `${faults.length} violations`,
    `${seconds.feeding} s under faults, ${seconds.draining} s to rest, ${seconds.checking} s to check`,
  ].join('; ')
}
