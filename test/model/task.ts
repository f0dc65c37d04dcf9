/** The protocol of a keyed task, as the runner must follow it; `rules` takes parts of it out. */
import { committed, type Entry, end, fenced, openProducer, send, sendOffset, stableEnd } from './broker.ts'
import type { Rules } from './rules.ts'
import { type Cells, exchange, keyOf, type Link, type Position, switchTo, writePart } from './view.ts'
import {
  batchMax,
  type Change,
  call,
  dayAt,
  type Frame,
  fresh,
  horizon,
  type Partition,
  partitions,
  type Reading,
  say,
  unanswered,
  type World,
} from './world.ts'

/** Thrown where going on would break a promise; a person must look. */
export class Halted extends Error {}

const viewMoved = new Error('the view is not where the log says')

/** A running task. It acts once per step; dropping it is a kill, leaving it alone is a stall. */
export interface Instance {
  readonly id: number
  readonly partition: number
  /** Ticks that this worker's clock is ahead. */
  readonly skew: number
  readonly steps: Generator<void, void>
  asleepUntil: number
  state: 'running' | 'stopped' | 'halted'
}

interface Held {
  epoch: number
  view: Position
  unapplied: Link | undefined
  seq: number
  hash: number
  position: number
  floorDay: number
  progress: number
}

interface Context {
  readonly world: World
  readonly rules: Rules
  readonly part: Partition
  readonly p: number
  readonly skew: number
}

/** The partition and the index of a measuring point, by the register. */
export const ownerOf = (point: number): number => point % partitions
export const indexOf = (point: number, { uniqueIndex }: Rules): number =>
  uniqueIndex ? Math.floor(point / partitions) : 0

export function* runTask(world: World, rules: Rules, p: number, id: number, skew: number): Generator<void, void> {
  const context: Context = { world, rules, part: world.parts[p]!, p, skew }
  let held: Held | undefined
  for (;;) {
    try {
      held ??= yield* assign(context)
      yield* batch(context, held)
    } catch (error) {
      held = undefined
      say(world, () => `${id} on ${p}: ${error instanceof Error ? error.message : error}`)
      if (error !== fenced && error !== unanswered && error !== viewMoved) throw error
      if (error === fenced && rules.afterFence !== 'always_assign') {
        if (rules.afterFence === 'always_stop' || context.part.owner !== id) return
      }
    }
    yield
  }
}

function* assign(context: Context): Generator<void, Held> {
  const { world, rules, part, p } = context
  const { producer } = part
  const early = rules.readAfterFence ? undefined : yield* readLinks(context, undefined)
  const epoch = yield* call(world, 'log', () => (rules.fence ? openProducer(producer) : producer.epoch), `open ${p}`)
  let links = early
  if (!links) {
    let marker: number | undefined
    if (rules.marker) {
      marker = fresh(world)
      const change = { marker }
      yield* call(world, 'log', () => send(producer, epoch, part.accepted, [change]), `marker ${p}`)
      yield* call(world, 'log', () => void end(producer, epoch, 'committed'), `commit marker ${p}`)
    }
    links = yield* readLinks(context, marker)
  }
  const last = links.at(-1)
  if (rules.haltOnShortChangelog) {
    const vouched = committed(part.readings).reduce((highest, { body }) => Math.max(highest, body.seq), 0)
    if (vouched > (last?.seq ?? 0)) throw new Halted(`accepted[${p}] ends at ${last?.seq}, readings name ${vouched}`)
  }
  const view = yield* syncView(context, links)
  const position = rules.positionFromLog ? (last?.inTo ?? 0) : (part.offset ?? 0)
  say(
    world,
    () => `assigned ${p}: epoch ${epoch}, seq ${last?.seq ?? 0}, position ${position}, view ${JSON.stringify(view)}`,
  )
  return {
    epoch,
    view,
    unapplied: undefined,
    seq: last?.seq ?? 0,
    hash: last?.hash ?? 0,
    position,
    floorDay: last?.floorDay ?? 0,
    progress: last?.progress ?? 0,
  }
}

/** The committed links that are retained: up to the marker, or, without one, as far as this reader happens to see. */
function* readLinks({ world, part }: Context, marker: number | undefined): Generator<void, Link[]> {
  for (;;) {
    yield
    if (marker !== undefined && !shows(part.accepted, marker)) continue
    const seen = committed(part.accepted, part.acceptedFrom)
    const missed = marker === undefined && world.staleReads && world.random.chance(0.5) ? world.random.below(3) : 0
    return seen.slice(0, seen.length - missed).flatMap(({ body }) => ('marker' in body ? [] : [body]))
  }
}

/** Whether readers see the marker, or would if retention had left it. */
function shows(accepted: readonly Entry<Change>[], marker: number): boolean {
  const at = accepted.findLastIndex(({ body }) => 'marker' in body && body.marker === marker)
  return at >= 0 && at < stableEnd(accepted) && accepted[at]?.transaction?.state === 'committed'
}

function* syncView(context: Context, links: readonly Link[]): Generator<void, Position> {
  const { world, rules, p } = context
  const view = () => world.parts[p]!.view
  for (;;) {
    const actual = yield* call(world, 'view', () => view().position, `position ${p}`)
    if (actual && !rules.expectedFromLog) return actual
    const missing = actual && linksAfter(links, actual, rules)
    if (!actual || !missing) {
      const rebuilt = yield* rebuild(context, links, actual)
      if (rebuilt) return rebuilt
      continue
    }
    let at: Position | undefined = actual
    for (const link of missing) {
      const expected: Position = at
      const answer = yield* call(
        world,
        'view',
        () => exchange(view(), expected, link, [], rules),
        `replay ${link.seq} on ${p}`,
      )
      at = answer && { gen: expected.gen, seq: link.seq, hash: link.hash }
      if (!at) break
    }
    if (at) return at
  }
}

/** What a view at `from` lacks; undefined if it is on another chain, ahead, or older than the oldest link. */
function linksAfter(links: readonly Link[], from: Position, { hash }: Rules): readonly Link[] | undefined {
  if (from.seq === 0) return links.length === 0 || links[0]!.seq === 1 ? links : undefined
  const at = links.findIndex((link) => link.seq === from.seq && (!hash || link.hash === from.hash))
  return at < 0 ? undefined : links.slice(at + 1)
}

function reachesFloor(oldest: Link, last: Link, { haltOnShortRetention }: Rules): boolean {
  if (haltOnShortRetention === 'never') return true
  if (haltOnShortRetention === 'by_instant') return oldest.progress <= last.progress - horizon
  return dayAt(oldest.progress) < last.floorDay
}

const cellsPerPart = 2

/** Folds the changelog into a new generation and switches to it. Undefined if the view moved meanwhile. */
function* rebuild(
  context: Context,
  links: readonly Link[],
  actual: Position | undefined,
): Generator<void, Position | undefined> {
  const { world, rules, p } = context
  const [oldest] = links
  const last = links.at(-1)
  if (oldest && last && oldest.seq > 1 && !reachesFloor(oldest, last, rules)) {
    throw new Halted(`accepted[${p}] begins at link ${oldest.seq}, after the floor`)
  }
  const folded: Cells = new Map()
  for (const link of links) {
    for (const [key, mask] of link.cells) if (key % 1_000 >= (last?.floorDay ?? 0)) folded.set(key, mask)
  }
  const cells = [...folded]
  const to: Position = { gen: rules.generation ? fresh(world) : 1, seq: last?.seq ?? 0, hash: last?.hash ?? 0 }
  const parts = Math.max(1, Math.ceil(cells.length / cellsPerPart))
  const view = () => world.parts[p]!.view
  for (let part = 0; part < parts; part++) {
    const slice = cells.slice(part * cellsPerPart, (part + 1) * cellsPerPart)
    const write = () =>
      rules.generation ? writePart(view(), to.gen, part, slice, rules) : writeInPlace(view(), part, slice)
    if (!(yield* call(world, 'view', write, `part ${part} of ${to.gen} on ${p}`))) return undefined
  }
  const adopt = () => {
    if (rules.generation) return switchTo(view(), actual, to, parts, rules)
    view().position = to
    return true
  }
  return (yield* call(world, 'view', adopt, `switch to ${to.gen} on ${p}`)) ? to : undefined
}

function writeInPlace(
  scope: { position: Position | undefined; cells: Cells },
  part: number,
  cells: readonly (readonly [number, number])[],
): boolean {
  if (part === 0) {
    scope.position = undefined
    scope.cells.clear()
  }
  for (const [key, mask] of cells) scope.cells.set(key, mask)
  return true
}

interface Processed {
  readonly readings: readonly Reading[]
  readonly forwards: readonly Frame[]
  readonly link: Link
  readonly to: number
}

function* batch(context: Context, held: Held): Generator<void, void> {
  const { world, rules, part, p } = context
  const upTo = Math.min(held.position + batchMax, stableEnd(part.input))
  if (upTo <= held.position) return
  const frames = committed(part.input.slice(0, upTo), held.position)
  const own = ({ sighting }: Frame) => !rules.owners || ownerOf(sighting.point) === p
  const keys = frames.map(({ body: { sighting } }) => keyOf(indexOf(sighting.point, rules), sighting.day))
  const { view, unapplied } = held
  const masks = yield* call(
    world,
    'view',
    () => exchange(world.parts[p]!.view, view, unapplied, keys, rules),
    `exchange on ${p} for ${held.seq + 1}`,
  )
  if (!masks) throw viewMoved
  if (unapplied) {
    held.view = { gen: view.gen, seq: unapplied.seq, hash: unapplied.hash }
    held.unapplied = undefined
  }
  const processed = process(context, held, frames, own, keys, masks, upTo)
  if (!rules.claimAfterCommit) {
    const claim = () => {
      for (const [key, mask] of processed.link.cells) world.parts[p]!.view.cells.set(key, mask)
    }
    yield* call(world, 'view', claim, `claim on ${p}`)
  }
  yield* transact(context, held, processed)
  const { link } = processed
  say(
    world,
    () => `committed link ${link.seq} on ${p} [${held.position}, ${upTo}): ${processed.readings.map(({ id }) => id)}`,
  )
  Object.assign(held, {
    unapplied: link,
    seq: link.seq,
    hash: link.hash,
    position: upTo,
    floorDay: link.floorDay,
    progress: link.progress,
  })
}

function process(
  { world, rules, p, skew }: Context,
  held: Held,
  frames: readonly { readonly at: number; readonly body: Frame }[],
  own: (frame: Frame) => boolean,
  keys: readonly number[],
  masks: readonly number[],
  to: number,
): Processed {
  const before = rules.monotoneFloor || frames.length === 0 ? held.progress : 0
  const progress = frames.reduce((latest, { body }) => Math.max(latest, body.receivedAt), before)
  const floorDay = dayAt((rules.latenessFromLog ? progress : world.time + skew) - horizon)
  const seq = held.seq + 1
  const changed = new Map<number, number>()
  const readings: Reading[] = []
  const forwards: Frame[] = []
  frames.forEach(({ at, body }, index) => {
    const { sighting } = body
    if (!own(body)) {
      if (body.forwardOf === undefined) forwards.push({ ...body, forwardOf: body.frame, frame: fresh(world) })
      return
    }
    if (sighting.day < floorDay) return
    const key = keys[index]!
    const bit = 1 << sighting.slot
    const known = (rules.dedupeWithinBatch ? changed.get(key) : undefined) ?? masks[index]!
    if (known & bit) return
    changed.set(key, (changed.get(key) ?? masks[index]!) | bit)
    readings.push({ id: sighting.id, seq, source: `${p}/${at}` })
  })
  const link: Link = { seq, prev: held.hash, hash: fresh(world), inTo: to, floorDay, progress, cells: [...changed] }
  return { readings, forwards, link, to }
}

/** Offsets, readings, forwards and the link, then the commit; any unanswered request ends this owner. */
function* transact({ world, rules, part, p }: Context, held: Held, processed: Processed): Generator<void, void> {
  const { producer } = part
  const { readings, forwards, link, to } = processed
  const commit = () => {
    const offset = end(producer, held.epoch, 'committed')
    if (offset !== undefined) part.offset = offset
  }
  const forward = () => {
    for (const frame of forwards) {
      const target: Entry<Frame>[] = world.parts[ownerOf(frame.sighting.point)]!.input
      const received = { ...frame, receivedAt: world.time }
      if (rules.forwardInTransaction) send(producer, held.epoch, target, [received])
      else target.push({ body: received, transaction: undefined })
    }
  }
  for (;;) {
    try {
      yield* call(world, 'log', () => sendOffset(producer, held.epoch, to), `offset ${to} on ${p}`)
      yield* call(
        world,
        'log',
        () => send(producer, held.epoch, part.readings, readings),
        `readings of ${link.seq} on ${p}`,
      )
      if (rules.forwardInTransaction && forwards.length > 0) yield* call(world, 'log', forward, `forwards on ${p}`)
      if (!rules.oneTransaction) yield* call(world, 'log', commit, `first commit on ${p}`)
      yield* call(world, 'log', () => send(producer, held.epoch, part.accepted, [link]), `link ${link.seq} on ${p}`)
    } catch (error) {
      if (error !== unanswered || rules.unknown !== 'abort_and_reuse') throw error
      yield* abort(world, part, held)
      continue
    }
    try {
      yield* call(world, 'log', commit, `commit ${link.seq} on ${p}`)
      break
    } catch (error) {
      if (error !== unanswered || rules.unknown === 'reassign') throw error
      if (rules.unknown === 'abort_and_reuse') yield* abort(world, part, held)
      else if (rules.unknown === 'commit_again') yield* untilAnswered(world, commit)
      else held.epoch = yield* untilAnswered(world, () => openProducer(producer))
      if (rules.unknown === 'commit_again' || rules.unknown === 'assume_committed') break
    }
  }
  if (!rules.forwardInTransaction && forwards.length > 0) yield* call(world, 'log', forward, `forwards on ${p}`)
}

function* abort(world: World, { producer }: Partition, held: Held): Generator<void, void> {
  yield* untilAnswered(world, () => void end(producer, held.epoch, 'aborted'))
}

function* untilAnswered<T>(world: World, effect: () => T): Generator<void, T> {
  for (;;) {
    try {
      return yield* call(world, 'log', effect, 'again')
    } catch (error) {
      if (error !== unanswered) throw error
    }
  }
}
