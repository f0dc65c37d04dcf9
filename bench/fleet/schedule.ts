import type { EpochMs } from '../../schemas/codec.ts'
import type { Slots } from './calendar.ts'
import type { FaultRates } from './faults.ts'
import type { FateName, SightingKind } from './journal.ts'
import type { Meter } from './meters.ts'
import { type Outage, outageAt } from './outages.ts'
import { type SimulationRandom, simulationHash, simulationRandom } from './random.ts'

/** One message as a meter encodes it; sent once, seen any number of times. */
export interface Transmission {
  readonly meter: Meter
  /** Intervals [firstSlot, firstSlot + slots); negative before the fleet's start. */
  readonly firstSlot: number
  readonly slots: number
  /** True time of sending. */
  readonly sentAt: EpochMs
  /** By how much the meter's clock is ahead, in ms. */
  readonly clockAheadMs: number
  /** Invocation counter; given out once all messages of the meter are known, in order of sending. */
  counter: number
  readonly protection: 'own' | 'wrong-key' | 'none'
  /** Added to the true value: another content for the same interval. */
  readonly changeWh: number
}

/** One arrival of a transmission. */
export interface Delivery {
  readonly transmission: Transmission
  readonly receivedAt: EpochMs
  readonly kind: SightingKind
  /** Settled last, since it may depend on what arrived before. */
  fate: FateName
  /** Other than 0: what to damage, as a seed. */
  readonly damage: number
}

/** What schedules have in common. */
export interface ScheduleOptions {
  readonly seed: number
  readonly slots: Slots
  readonly faults: FaultRates
}

/** The meters of one home: the first, and where it was exchanged the second from a slot on. */
export interface HomeMeters {
  readonly home: number
  readonly first: Meter
  readonly second: Meter | undefined
  readonly exchangeSlot: number
  readonly wrongKey: boolean
}

const hourMs = 3_600_000
const minuteMs = 60_000
/** Width of the replay window of invocation counters that the fleet has in mind, with a margin for its edges. */
const counterWindow = 128
const windowMargin = 4
/** Most intervals in one message. */
const mostRows = 48

/** Everything that arrives from one home, in order of arrival: a function of seed, home and rates alone. */
export function deliveriesOf(
  options: ScheduleOptions,
  meters: HomeMeters,
  outages: readonly Outage[],
): readonly Delivery[] {
  const { seed, slots, faults } = options
  const random = simulationRandom(seed, 'schedule', meters.home)
  const plan: Plan = {
    random,
    slots,
    faults,
    meters,
    outages,
    // a new meter is set when it is put in, and so was the old one for its last reading
    clockAheadMs: meters.second === undefined ? clockAhead(random, faults) : 0,
    transmissions: [],
    deliveries: [],
  }
  planIntervals(plan)
  planExtras(plan)
  plan.transmissions.sort((a, b) => a.sentAt - b.sentAt || a.firstSlot - b.firstSlot)
  numberTransmissions(plan)
  plan.deliveries.sort((a, b) => a.receivedAt - b.receivedAt)
  return settleFates(plan)
}

interface Plan {
  readonly random: SimulationRandom
  readonly slots: Slots
  readonly faults: FaultRates
  readonly meters: HomeMeters
  readonly outages: readonly Outage[]
  readonly clockAheadMs: number
  readonly transmissions: Transmission[]
  readonly deliveries: Delivery[]
}

function clockAhead(random: SimulationRandom, faults: FaultRates): number {
  const u = random.unit()
  const sign = random.chance(0.5) ? 1 : -1
  if (u < faults.clockOff300) return sign * Math.round(random.between(301, 1_200)) * 1_000
  if (u < faults.clockOff300 + faults.clockOff60) return sign * Math.round(random.between(61, 299)) * 1_000
  return 0
}

/** The kinds of episode in which a meter's intervals do not come on time, with their mean length in intervals. */
const episodes = [
  { rate: 'lateHours', length: 1, leastMs: 5.5 * minuteMs, mostMs: 4 * hourMs },
  { rate: 'lateDay', length: 5, leastMs: 4 * hourMs, mostMs: 24 * hourMs },
  { rate: 'lateDays', length: 16, leastMs: 24 * hourMs, mostMs: 120 * hourMs },
  { rate: 'never', length: 4, leastMs: 0, mostMs: 0 },
] as const

/**
 * The chance that an episode begins at an interval outside of one, such that each kind takes up its share of all
 * intervals.
 */
function episodeChances(faults: FaultRates): readonly number[] {
  let between = 1
  for (const { rate, length } of episodes) between += faults[rate] / length - faults[rate]
  return episodes.map(({ rate, length }) => faults[rate] / length / between)
}

function planIntervals(plan: Plan): void {
  const { random, slots, faults, outages } = plan
  const chances = episodeChances(faults)
  let held: { readonly outage: Outage; readonly from: number } | undefined
  const release = (until: number): void => {
    if (held !== undefined && !random.chance(faults.outageLost)) {
      send(plan, held.from, until - held.from, held.outage.to + random.between(1, 20) * minuteMs)
    }
    held = undefined
  }
  for (let slot = 0; slot < slots.count; ) {
    const endAt = endOf(plan, slot)
    const episode = drawEpisode(random, chances)
    if (episode !== undefined) {
      release(slot)
      slot += planEpisode(plan, episode, slot)
      continue
    }
    const sentAt = Math.round(endAt + random.unit() * faults.randomisationSeconds * 1_000)
    const outage = outageAt(outages, sentAt)
    if (held !== undefined && held.outage !== outage) release(slot)
    if (outage === undefined) {
      deliver(plan, slot, 1, sentAt, sentAt + transit(plan))
    } else if (keeps(plan, outage)) {
      deliver(plan, slot, 1, sentAt, outage.to + Math.round(random.unit() * 10 * minuteMs))
    } else {
      held ??= { outage, from: slot }
    }
    slot++
  }
  release(slots.count)
}

/** Sends the intervals of one episode in one message, or never; answers how many there are. */
function planEpisode(plan: Plan, episode: (typeof episodes)[number], slot: number): number {
  const { random, slots } = plan
  const { length, leastMs, mostMs } = episode
  const wanted = length === 1 ? 1 : 1 + random.poisson(length - 1)
  const left = slots.count - slot
  if (mostMs === 0) return Math.min(wanted, left)
  const run = Math.min(wanted, Math.max(1, Math.floor(mostMs / 2 / slots.intervalMs)), mostRows, left)
  const spanMs = (run - 1) * slots.intervalMs
  send(plan, slot, run, endOf(plan, slot) + spanMs + random.between(leastMs, mostMs - spanMs - 5 * minuteMs))
  return run
}

/** Whether this meter's messages are kept during an outage and sent as they were. */
function keeps(plan: Plan, outage: Outage): boolean {
  const hash = simulationHash(plan.meters.home, 'gateway', outage.from % 2_147_483_647, 1)
  return hash / 4_294_967_296 < plan.faults.outageBuffered
}

function drawEpisode(random: SimulationRandom, chances: readonly number[]): (typeof episodes)[number] | undefined {
  let u = random.unit()
  for (let i = 0; i < episodes.length; i++) {
    u -= chances[i] as number
    if (u < 0) return episodes[i]
  }
  return undefined
}

/** True time at which the meter closes a slot: its own clock decides. */
function endOf(plan: Plan, slot: number): EpochMs {
  return plan.slots.start + (slot + 1) * plan.slots.intervalMs - plan.clockAheadMs
}

function transit(plan: Plan): number {
  const seconds = Math.min(200, plan.random.exponential(plan.faults.networkSeconds))
  return Math.round(20 + seconds * 1_000)
}

/** Sends intervals at `sentAt`, or when the gateway is back. */
function send(plan: Plan, firstSlot: number, slots: number, sentAt: number): void {
  const outage = outageAt(plan.outages, sentAt)
  const at = Math.round(outage === undefined ? sentAt : outage.to + plan.random.unit() * 10 * minuteMs)
  deliver(plan, firstSlot, slots, at, at + transit(plan))
}

function meterAt(plan: Plan, slot: number): Meter {
  const { first, second, exchangeSlot } = plan.meters
  return second !== undefined && slot >= exchangeSlot ? second : first
}

function deliver(plan: Plan, firstSlot: number, count: number, sentAt: EpochMs, receivedAt: EpochMs): void {
  const { meters } = plan
  if (meters.second !== undefined && firstSlot < meters.exchangeSlot) {
    // what the old meter still holds when it is taken away is lost, and never sent under the new meter's key
    if (firstSlot + count > meters.exchangeSlot) {
      const kept = meters.exchangeSlot - firstSlot
      deliver(plan, meters.exchangeSlot, count - kept, sentAt, receivedAt)
      return
    }
    if (sentAt >= exchangedAt(plan)) return
  }
  const transmission: Transmission = {
    meter: meterAt(plan, firstSlot),
    firstSlot,
    slots: count,
    sentAt,
    clockAheadMs: plan.clockAheadMs,
    counter: 0,
    protection: meters.wrongKey ? 'wrong-key' : 'own',
    changeWh: 0,
  }
  plan.transmissions.push(transmission)
  arrive(plan, transmission, receivedAt)
}

/** The arrivals of one transmission: perhaps damaged and sent again, perhaps repeated. */
function arrive(plan: Plan, transmission: Transmission, first: EpochMs): void {
  const { random, faults, deliveries } = plan
  let receivedAt = first
  if (transmission.protection === 'wrong-key') {
    deliveries.push({ transmission, receivedAt, kind: 'wrong-key', fate: 'wrongKey', damage: 0 })
    return
  }
  if (random.chance(faults.corrupt)) {
    const damage = 1 + random.below(0x7fffffff)
    deliveries.push({ transmission, receivedAt, kind: 'corrupt', fate: 'refused', damage })
    if (!random.chance(faults.corruptRetried)) return
    receivedAt += Math.round(random.between(20, 300) * 1_000)
  }
  const due = endOf(plan, transmission.firstSlot) + (faults.randomisationSeconds + 300) * 1_000
  deliveries.push({
    transmission,
    receivedAt,
    kind: receivedAt <= due ? 'original' : 'late',
    fate: 'accepted',
    damage: 0,
  })
  const storm = plan.outages.some(({ to }) => receivedAt >= to && receivedAt < to + 10 * minuteMs)
  for (let n = 0; n < 3 && random.chance(storm ? faults.stormDuplicates : faults.duplicates); n++) {
    receivedAt += Math.round(Math.min(900, 5 + random.exponential(60)) * 1_000)
    deliveries.push({ transmission, receivedAt, kind: 'duplicate', fate: 'duplicate', damage: 0 })
  }
}

/** Rising invocation counters in order of sending, with gaps for messages that go elsewhere. */
function numberTransmissions(plan: Plan): void {
  const { random, slots, meters } = plan
  // six hours of messages must fit the replay window, else a message kept by a gateway would be refused
  const perSixHours = (6 * hourMs) / slots.intervalMs + 4
  const gaps = Math.max(1, Math.min(6, Math.floor((counterWindow - 2 * windowMargin) / perSixHours)))
  const next = [meters.first.firstCounter, meters.second?.firstCounter ?? 0]
  for (const transmission of plan.transmissions) {
    const { generation } = transmission.meter
    transmission.counter = next[generation] as number
    next[generation] = transmission.counter + 1 + random.below(gaps)
  }
}

/** Replays, changed values, stale intervals and forgeries: rare, so they are planned over what was sent. */
function planExtras(plan: Plan): void {
  const { random, faults, meters, slots } = plan
  if (meters.wrongKey) return
  for (const { transmission, receivedAt } of plan.deliveries.filter(({ fate }) => fate === 'accepted')) {
    const later = receivedAt + Math.round(random.between(10, 180) * minuteMs)
    const add = (extra: Transmission, kind: SightingKind, fate: FateName): void => {
      plan.deliveries.push({ transmission: extra, receivedAt: later, kind, fate, damage: 0 })
    }
    if (random.chance(faults.weakened)) {
      add({ ...transmission, protection: 'none', changeWh: 1 + random.below(5_000) }, 'weakened', 'weak')
    }
    // a new meter knows nothing of the time before it, and refuses the old meter's messages
    if (meters.second !== undefined) continue
    if (random.chance(faults.replayed)) {
      const n = random.below(200)
      const captured = random.chance(0.5)
        ? transmission
        : { ...beforeStart(plan, transmission, 1 + (n % 48)), counter: meters.first.firstCounter - 160 - n }
      add(captured, 'replayed', 'replayed')
    }
    const sentAt = later - transit(plan)
    if (random.chance(faults.restated)) {
      const restated = { ...transmission, sentAt, changeWh: 1 + random.below(500) }
      plan.transmissions.push(restated)
      add(restated, 'restated', 'restated')
    }
    if (random.chance(faults.tooLate) && receivedAt > slots.start + 2 * hourMs) {
      const back = Math.round(random.between(16, 30) * ((24 * hourMs) / slots.intervalMs))
      const stale = { ...beforeStart(plan, transmission, back), sentAt }
      plan.transmissions.push(stale)
      add(stale, 'too-late', 'tooLate')
    }
  }
}

/** One interval before the fleet's start. */
function beforeStart(plan: Plan, model: Transmission, slotsBack: number): Transmission {
  const sentAt = plan.slots.start - slotsBack * plan.slots.intervalMs
  return { ...model, firstSlot: -slotsBack, slots: 1, sentAt }
}

/**
 * Fates that depend on what arrived before: the replay window, clocks that are ahead, the old meter's last messages.
 * A changed value for an interval whose first value may have been refused would have no certain outcome, and is left out.
 */
function settleFates(plan: Plan): readonly Delivery[] {
  const highest = [0, 0]
  const open = new Set<number>()
  const isOpen = ({ firstSlot }: Transmission): boolean => open.has(firstSlot)
  return plan.deliveries.filter((delivery) => {
    const { transmission, receivedAt, kind } = delivery
    if (delivery.fate === 'wrongKey' || delivery.fate === 'weak' || delivery.damage !== 0) return true
    const { generation } = transmission.meter
    const behind = (highest[generation] as number) - transmission.counter
    const removed = generation === 0 && plan.meters.second !== undefined && receivedAt >= exchangedAt(plan)
    if (kind === 'restated') {
      if (isOpen(transmission)) return false
    } else if (kind === 'replayed') {
      if (behind < counterWindow + windowMargin) {
        delivery.fate = behind < counterWindow - windowMargin ? 'duplicate' : 'duplicateOrReplayed'
      }
    } else if (delivery.fate === 'accepted') {
      const lastEnd = plan.slots.start + (transmission.firstSlot + transmission.slots) * plan.slots.intervalMs
      if (lastEnd > receivedAt) delivery.fate = 'acceptedOrFuture'
      else if (removed) delivery.fate = 'acceptedOrMismatch'
      else if (behind >= counterWindow - windowMargin) delivery.fate = 'acceptedOrReplayed'
      if (delivery.fate !== 'accepted') open.add(transmission.firstSlot)
    }
    if (kind === 'duplicate' && removed) delivery.fate = 'uncertain'
    if ((kind === 'duplicate' || kind === 'replayed') && isOpen(transmission)) delivery.fate = 'uncertain'
    highest[generation] = Math.max(highest[generation] as number, transmission.counter)
    return true
  })
}

function exchangedAt(plan: Plan): EpochMs {
  return plan.slots.start + plan.meters.exchangeSlot * plan.slots.intervalMs
}
