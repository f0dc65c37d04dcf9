/**
 * A model of how a keyed pipeline stays exactly-once (rules.ts says what each rule is for, task.ts is the protocol, world.ts
 * and broker.ts what surrounds it, faults.ts what befalls it). One run is one seed: a time of faults, then calm, in which
 * everything must be processed within a bound, then the checks over what the log holds: no interval twice, none missing
 * that was received in time.
 */
import { committed, fenced, openProducer, stableEnd } from './broker.ts'
import { type ClaimProtocol, runClaims } from './claims.ts'
import { type Mix, type MixName, mayHalt, mixes } from './faults.ts'
import { all, type Rules } from './rules.ts'
import { Halted, type Instance, ownerOf, runTask } from './task.ts'
import { copyOf, emptyScope, type Scope } from './view.ts'
import {
  backUpLog,
  batchMax,
  dayAt,
  dayLength,
  type Frame,
  fresh,
  horizon,
  newWorld,
  type Partition,
  partitions,
  points,
  restoreLog,
  type Sighting,
  say,
  slotsPerDay,
  type World,
} from './world.ts'

const faultySteps = 300
/** Steps in which a healed system must have processed everything. */
const patience = 6_000
/** Steps that it goes on afterwards, so that sleepers wake up and late requests arrive. */
const afterwards = 150

export interface RunOptions {
  readonly seed: number
  readonly mix: MixName
  readonly rules?: Partial<Rules>
  /** Runs one of the protocols without a changelog instead. */
  readonly claims?: ClaimProtocol
  readonly trace?: string[]
}

export type Verdict = 'fine' | 'halted' | 'lost' | 'duplicate' | 'stuck'

export interface Outcome {
  readonly verdict: Verdict
  readonly detail: string
}

interface Run {
  readonly world: World
  readonly mix: Mix
  readonly rules: Rules
  readonly claims: ClaimProtocol | undefined
  instances: Instance[]
  steps: number
  backup: Partition[] | undefined
  readonly viewBackups: (Scope | undefined)[]
  readonly known: Sighting[]
}

export function simulate({ seed, mix: mixName, rules, claims, trace }: RunOptions): Outcome {
  const mix: Mix = mixes[mixName]
  const run: Run = {
    world: newWorld(seed, trace),
    mix,
    rules: { ...all, ...rules },
    claims,
    instances: [],
    steps: 0,
    backup: undefined,
    viewBackups: [],
    known: [],
  }
  const { world } = run
  for (let p = 0; p < partitions; p++) start(run, p)
  world.lossRate = mix.lostRequests
  world.staleReads = mix.staleReads
  for (; run.steps < faultySteps; run.steps++) {
    if (world.random.chance(0.14)) meterSends(run)
    strike(run)
    act(run)
  }
  world.lossRate = 0
  say(world, () => 'calm')
  for (const instance of run.instances) instance.asleepUntil = 0
  let left = afterwards
  for (; run.steps < faultySteps + patience && left > 0; run.steps++) {
    ensureOwners(run)
    act(run)
    if (isDone(run) || run.instances.some(({ state }) => state === 'halted')) left -= 1
  }
  return judge(run, left > 0, mixName)
}

function start(run: Run, p: number): void {
  const { world, rules, mix, claims } = run
  const id = fresh(world)
  world.parts[p]!.owner = id
  const skew = mix.skew === 0 ? 0 : world.random.below(2 * mix.skew + 1) - mix.skew
  const steps = claims ? runClaims(world, claims, p, id) : runTask(world, rules, p, id, skew)
  run.instances.push({ id, partition: p, skew, steps, asleepUntil: 0, state: 'running' })
  say(world, () => `instance ${id} starts on ${p}, clock ${skew}`)
}

function kill(run: Run, victim: Instance): void {
  say(run.world, () => `instance ${victim.id} is killed`)
  run.instances = run.instances.filter((each) => each !== victim)
}

/** The group notices owners that are gone. */
function ensureOwners(run: Run): void {
  for (let p = 0; p < partitions; p++) {
    const { owner } = run.world.parts[p]!
    if (!run.instances.some(({ id }) => id === owner)) start(run, p)
  }
}

/** A late request arrives, or one worker takes one step. */
function act(run: Run): void {
  const { world } = run
  const { below, chance } = world.random
  if (world.late.length > 0 && chance(0.1)) {
    const [{ effect }] = world.late.splice(below(world.late.length), 1) as [World['late'][number]]
    say(world, () => 'a late request arrives')
    try {
      effect()
    } catch (error) {
      if (error !== fenced) throw error
    }
    return
  }
  const instance = run.instances[below(run.instances.length)]
  if (instance?.state !== 'running' || instance.asleepUntil > run.steps) return
  try {
    if (instance.steps.next().done) {
      say(world, () => `instance ${instance.id} stops`)
      instance.state = 'stopped'
    }
  } catch (error) {
    if (!(error instanceof Halted)) throw error
    say(world, () => `instance ${instance.id} halts: ${error.message}`)
    instance.state = 'halted'
  }
}

/** A new interval, or a retry of a known one, arrives at the log: mostly where it belongs. */
function meterSends({ world, mix, known, claims }: Run): void {
  const { below, chance } = world.random
  world.time += below(5)
  const today = dayAt(world.time)
  let sighting: Sighting
  if (known.length > 0 && chance(0.55))
    sighting = known[Math.max(0, known.length - 1 - below(chance(mix.oldRetries) ? 40 : 8))]!
  else {
    const [point, day, slot] = [below(points), Math.max(0, today - below(2)), below(slotsPerDay)]
    sighting = { id: (point * 1_000 + day) * 10 + slot, point, day, slot }
    known.push(sighting)
  }
  const owner = ownerOf(sighting.point)
  const p = claims === undefined && chance(0.15) ? (owner + 1) % partitions : owner
  const receivedAt = Math.max(0, world.time - below(mix.jitter + 1))
  const frame: Frame = { frame: fresh(world), sighting, receivedAt, forwardOf: undefined }
  say(world, () => `frame ${frame.frame} of interval ${sighting.id} arrives at ${p}[${world.parts[p]!.input.length}]`)
  world.parts[p]!.input.push({ body: frame, transaction: undefined })
}

function strike(run: Run): void {
  const { world, mix } = run
  const { below, chance } = world.random
  const p = below(partitions)
  const part = world.parts[p]!
  if (chance(mix.kill) && run.instances.length > 0) kill(run, run.instances[below(run.instances.length)]!)
  if (chance(0.1)) ensureOwners(run)
  if (chance(mix.takeOver)) {
    const old = run.instances.find(({ id }) => id === part.owner)
    if (old) old.asleepUntil = run.steps + below(80)
    start(run, p)
  }
  if (chance(mix.timeOut) && part.producer.open) {
    say(world, () => `the open transaction of ${p} times out`)
    openProducer(part.producer)
  }
  const rebuilding = part.view.drafts.size > 0 || (run.claims !== undefined && part.claimsOf === undefined)
  if (chance(rebuilding ? mix.viewLoss * 3 : mix.viewLoss)) {
    say(world, () => `the view of ${p} is lost`)
    part.view = emptyScope()
    part.claims.clear()
    part.claimsOf = undefined
    part.incarnation += 1
  }
  if (chance(rebuilding ? mix.viewRollback * 3 : mix.viewRollback)) {
    const backup = run.viewBackups[p]
    if (backup && chance(0.5)) {
      say(world, () => `the view of ${p} goes back to ${JSON.stringify(backup.position)}`)
      part.view = copyOf(backup)
    } else run.viewBackups[p] = copyOf(part.view)
  }
  if (chance(mix.staleOffset)) {
    part.offset = [undefined, below(1 + (part.offset ?? 0)), part.input.length][below(3)]
    say(world, () => `the group's offset of ${p} is now ${part.offset}`)
  }
  if (chance(mix.restore)) {
    if (run.backup && chance(0.5)) {
      say(world, () => 'the log is restored')
      run.instances = []
      restoreLog(world, run.backup)
      run.backup = undefined
    } else run.backup = backUpLog(world)
  }
  if (chance(mix.shortRetention)) {
    say(world, () => `accepted[${p}] loses its start, and the view is lost`)
    part.acceptedFrom = below(1 + part.accepted.length)
    part.view = emptyScope()
  }
  if (chance(mix.shortChangelog)) {
    say(world, () => `accepted[${p}] loses its end`)
    run.instances = run.instances.filter(({ partition }) => partition !== p)
    if (part.producer.open) part.producer.open.state = 'aborted'
    part.producer.open = undefined
    part.accepted.length = below(1 + part.accepted.length)
  }
}

function isDone({ world, claims }: Run): boolean {
  return world.parts.every((part) => {
    const { input, accepted } = part
    if (stableEnd(input) < input.length) return false
    if (claims) return (part.offset ?? 0) >= input.length
    for (let at = stableEnd(accepted) - 1; at >= 0; at--) {
      const { body, transaction } = accepted[at]!
      if (!('marker' in body) && transaction?.state !== 'aborted') return body.inTo >= input.length
    }
    return input.length === 0
  })
}

function judge(run: Run, unfinished: boolean, mixName: MixName): Outcome {
  const { world, rules } = run
  const emitted = new Map<number, number>()
  for (const { readings } of world.parts) {
    for (const { body } of committed(readings)) emitted.set(body.id, (emitted.get(body.id) ?? 0) + 1)
  }
  for (const [id, count] of emitted) {
    if (count > 1) return { verdict: 'duplicate', detail: `interval ${id} is there ${count} times` }
  }
  const halted = run.instances.find(({ state }) => state === 'halted')
  if (halted) {
    const verdict = mayHalt(mixName) ? 'halted' : 'stuck'
    return { verdict, detail: `partition ${halted.partition} halted` }
  }
  if (unfinished) return { verdict: 'stuck', detail: 'not everything was processed in time' }
  for (let p = 0; p < partitions; p++) {
    const frames = committed(world.parts[p]!.input)
    // Whatever batch a frame fell into, the floor cannot have been above that of the latest frame it may have held.
    let latest = 0
    for (const [index, { body }] of frames.entries()) {
      const { sighting, forwardOf, frame } = body
      const ahead = frames.slice(index === 0 ? 0 : index + batchMax, index + batchMax + 1)
      for (const each of ahead) latest = Math.max(latest, each.body.receivedAt)
      const owner = ownerOf(sighting.point)
      if (rules.owners && owner !== p) {
        const forwarded = committed(world.parts[owner]!.input).some((each) => each.body.forwardOf === frame)
        if (forwardOf === undefined && !forwarded)
          return { verdict: 'lost', detail: `frame ${frame} was not forwarded` }
        continue
      }
      const onTime = sighting.day >= dayAt(latest - horizon)
      if (onTime && !emitted.has(sighting.id)) return { verdict: 'lost', detail: `interval ${sighting.id} is missing` }
    }
  }
  return { verdict: 'fine', detail: `${emitted.size} intervals over ${Math.ceil(world.time / dayLength)} days` }
}

/** The end of what happened in a run, for a failure message. */
export function story(options: RunOptions, lines = 80): string {
  const trace: string[] = []
  const { verdict, detail } = simulate({ ...options, trace })
  return [`seed ${options.seed}, mix ${options.mix}: ${verdict}, ${detail}`, ...trace.slice(-lines)].join('\n')
}

/** The first seed whose run ends in one of `verdicts`, among `count` seeds of each mix. */
export function findRun(
  options: Omit<RunOptions, 'seed' | 'mix' | 'trace'>,
  runMixes: readonly MixName[],
  verdicts: readonly Verdict[],
  count: number,
): { readonly seed: number; readonly mix: MixName } | undefined {
  for (let seed = 1; seed <= count; seed++) {
    for (const mix of runMixes) if (verdicts.includes(simulate({ ...options, seed, mix }).verdict)) return { seed, mix }
  }
  return undefined
}
