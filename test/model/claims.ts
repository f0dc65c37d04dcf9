/**
 * Protocols without a changelog, which claim intervals in a store beside the log. They are here because they look right:
 * each loses or duplicates (all but F), and the model must show it.
 *
 * A claims (set if absent), then produces. B looks, commits, then claims. C claims with the source offset as value, so
 * that the same frame wins again. D is C, and rebuilds the claims from the readings when the store was emptied. E is D,
 * and fences before it rebuilds. F is E, and ties the rebuild to the run of the store, so that a second loss in the middle
 * of a rebuild is seen.
 */
import { committed, end, fenced, openProducer, send, sendOffset, stableEnd } from './broker.ts'
import {
  batchMax,
  call,
  type Frame,
  fresh,
  type Partition,
  type Reading,
  say,
  unanswered,
  type World,
} from './world.ts'

export type ClaimProtocol = 'A' | 'B' | 'C' | 'D' | 'E' | 'F'

const rebuilds = (protocol: ClaimProtocol): boolean => protocol >= 'D'

interface Claimer {
  readonly world: World
  readonly part: Partition
  readonly p: number
  readonly protocol: ClaimProtocol
  epoch: number
  position: number
}

export function* runClaims(world: World, protocol: ClaimProtocol, p: number, id: number): Generator<void, void> {
  const part = world.parts[p]!
  let claimer: Claimer | undefined
  for (;;) {
    try {
      if (!claimer) {
        const epoch = yield* call(world, 'log', () => openProducer(part.producer), `open ${p}`)
        yield
        claimer = { world, part, p, protocol, epoch, position: part.offset ?? 0 }
      }
      yield* claimBatch(claimer)
    } catch (error) {
      claimer = undefined
      if (error !== fenced && error !== unanswered) throw error
      if (error === fenced && part.owner !== id) return
    }
    yield
  }
}

interface Seen {
  readonly at: number
  readonly body: Frame
}

function* claimBatch(claimer: Claimer): Generator<void, void> {
  const { world, part, p, protocol } = claimer
  const upTo = Math.min(claimer.position + batchMax, stableEnd(part.input))
  if (upTo <= claimer.position) return
  const frames = committed(part.input.slice(0, upTo), claimer.position)
  const winners = yield* call(world, 'view', () => claim(claimer, frames), `claim on ${p}`)
  if (!winners) {
    yield* rebuildClaims(claimer)
    return
  }
  const readings = winners.map(({ at, body }): Reading => ({ id: body.sighting.id, seq: 0, source: `${p}/${at}` }))
  const { producer } = part
  yield* call(world, 'log', () => sendOffset(producer, claimer.epoch, upTo), `offset on ${p}`)
  yield* call(world, 'log', () => send(producer, claimer.epoch, part.readings, readings), `readings on ${p}`)
  const commit = () => {
    part.offset = end(producer, claimer.epoch, 'committed') ?? part.offset
  }
  yield* call(world, 'log', commit, `commit on ${p}`)
  say(world, () => `committed [${claimer.position}, ${upTo}) on ${p}: ${readings.map(({ id }) => id)}`)
  claimer.position = upTo
  if (protocol === 'B') {
    const set = () => {
      for (const { body } of winners) part.claims.set(body.sighting.id, 'taken')
    }
    yield* call(world, 'view', set, `claim on ${p}`)
  }
}

/** The frames that may be emitted; undefined if the store has forgotten and the protocol notices. */
function claim({ world, part, p, protocol }: Claimer, frames: readonly Seen[]): readonly Seen[] | undefined {
  if (rebuilds(protocol) && part.claimsOf === undefined) return undefined
  if (protocol === 'F' && part.claimsOf !== part.incarnation) return undefined
  const own = new Set<number>()
  return frames.filter(({ at, body: { sighting } }) => {
    if (own.has(sighting.id)) return false
    const value = protocol === 'A' ? `${fresh(world)}` : `${p}/${at}`
    const present = part.claims.get(sighting.id)
    if (present !== undefined && (protocol < 'C' || present !== value)) return false
    own.add(sighting.id)
    if (protocol !== 'B') part.claims.set(sighting.id, value)
    return true
  })
}

const claimsPerPart = 3

function* rebuildClaims(claimer: Claimer): Generator<void, void> {
  const { world, part, p, protocol } = claimer
  const incarnation = yield* call(world, 'view', () => part.incarnation, `which run on ${p}`)
  if (protocol >= 'E') {
    claimer.epoch = yield* call(world, 'log', () => openProducer(part.producer), `fence on ${p}`)
    yield
    claimer.position = part.offset ?? 0
  }
  const emitted = committed(part.readings).map(({ body }) => body)
  for (let from = 0; from < emitted.length; from += claimsPerPart) {
    const write = () => {
      for (const { id, source } of emitted.slice(from, from + claimsPerPart)) part.claims.set(id, source)
    }
    yield* call(world, 'view', write, `rebuild on ${p}`)
  }
  const mark = () => {
    part.claimsOf = incarnation
  }
  yield* call(world, 'view', mark, `mark on ${p}`)
}
