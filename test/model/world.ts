/** Everything outside of the tasks: the log, the view, the group, time, and requests on their way. */
import { type Entry, openProducer, type Producer } from './broker.ts'
import { type Random, random } from './random.ts'
import { emptyScope, type Link, type Scope } from './view.ts'

export const partitions = 2
export const points = 4
export const slotsPerDay = 3
/** Ticks of the log's clock. */
export const dayLength = 12
export const horizon = 2 * dayLength
export const batchMax = 3

export const dayAt = (time: number): number => Math.floor(time / dayLength)
export const startOfDay = (day: number): number => day * dayLength

/** An interval of a measuring point as it stands in a frame; retries of one interval have the same id. */
export interface Sighting {
  readonly id: number
  readonly point: number
  readonly day: number
  readonly slot: number
}

export interface Frame {
  /** Unique per frame. */
  readonly frame: number
  readonly sighting: Sighting
  /** The log's append time. */
  readonly receivedAt: number
  /** The frame that this one is a forward of. */
  readonly forwardOf: number | undefined
}

export interface Reading {
  readonly id: number
  /** Link that vouches for it. */
  readonly seq: number
  /** Where the frame stood: for protocols that claim by source. */
  readonly source: string
}

export type Change = { readonly marker: number } | Link

export interface Partition {
  readonly input: Entry<Frame>[]
  readonly accepted: Entry<Change>[]
  /** First link that retention has left. */
  acceptedFrom: number
  readonly readings: Entry<Reading>[]
  readonly producer: Producer
  /** The group's committed offset: a copy for tools. */
  offset: number | undefined
  view: Scope
  /** Claims of protocols without a changelog: interval to claimer; and the run of the store that filled them. */
  readonly claims: Map<number, string>
  claimsOf: number | undefined
  /** Changes when the store forgets. */
  incarnation: number
  /** The instance to which the group has given the partition. */
  owner: number
}

export type Server = 'log' | 'view'

export type Fate = 'ok' | 'lost_request' | 'lost_reply' | 'late'

export interface World {
  readonly random: Random
  time: number
  parts: Partition[]
  /** Requests whose callers have given up, which may still arrive. */
  late: { readonly to: Server; readonly effect: () => unknown }[]
  /** Share of requests that meet a fault. */
  lossRate: number
  /** Whether readers may miss the end of a topic. */
  staleReads: boolean
  counter: number
  readonly trace: string[] | undefined
}

/** Thrown by a request whose answer did not come. */
export const unanswered = new Error('no answer')

export const emptyPartition = (): Partition => ({
  input: [],
  accepted: [],
  acceptedFrom: 0,
  readings: [],
  producer: { epoch: 0, open: undefined },
  offset: undefined,
  view: emptyScope(),
  claims: new Map(),
  claimsOf: undefined,
  incarnation: 0,
  owner: -1,
})

export function newWorld(seed: number, trace?: string[]): World {
  return {
    random: random(seed),
    time: 0,
    parts: Array.from({ length: partitions }, emptyPartition),
    late: [],
    lossRate: 0,
    staleReads: false,
    counter: 0,
    trace,
  }
}

/** A number never given before: ids, generations, hashes. */
export const fresh = (world: World): number => {
  world.counter += 1
  return world.counter
}

export function say(world: World, text: () => string): void {
  world.trace?.push(`${world.time}: ${text()}`)
}

/**
 * One request and its answer. Anything may happen before it arrives and before the answer does; either may be lost, and a
 * request whose caller has given up may arrive later.
 */
export function* call<T>(world: World, to: Server, effect: () => T, what: string): Generator<void, T> {
  yield
  const fate = fateOf(world)
  if (fate !== 'ok') say(world, () => `${fate} ${what}`)
  if (fate === 'lost_request') throw unanswered
  if (fate === 'late') {
    world.late.push({ to, effect })
    throw unanswered
  }
  const answer = effect()
  if (fate === 'lost_reply') throw unanswered
  yield
  return answer
}

function fateOf({ random: { chance, below }, lossRate }: World): Fate {
  if (lossRate === 0 || !chance(lossRate)) return 'ok'
  return (['lost_request', 'lost_reply', 'late'] as const)[below(3)]!
}

/** The log after a restore from `backup`: nothing is open, and who had a transaction open is gone. */
export function restoreLog(world: World, backup: readonly Partition[]): void {
  world.parts = world.parts.map((part, index) => {
    const old = backup[index]!
    if (old.producer.open) openProducer(old.producer)
    return { ...old, producer: { ...old.producer }, view: part.view, offset: part.offset, owner: part.owner }
  })
  world.late = world.late.filter(({ to }) => to !== 'log')
}

export function backUpLog(world: World): Partition[] {
  return world.parts.map((part) => {
    const copies = new Map<object, { state: 'committed' | 'aborted'; offset: number | undefined }>()
    const settle = <T>({ body, transaction }: Entry<T>): Entry<T> => {
      if (!transaction) return { body, transaction }
      const copy = copies.get(transaction) ?? {
        state: transaction.state === 'committed' ? 'committed' : 'aborted',
        offset: transaction.offset,
      }
      copies.set(transaction, copy)
      return { body, transaction: copy }
    }
    return {
      ...part,
      input: part.input.map(settle),
      accepted: part.accepted.map(settle),
      readings: part.readings.map(settle),
      producer: { epoch: part.producer.epoch, open: undefined },
    }
  })
}
