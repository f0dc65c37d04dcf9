import type { EpochMs } from '../../schemas/codec.ts'
import type { RegisterEntry } from '../../schemas/register-entry.ts'
import { fuseWhPerHour, type HomeMix, type HomeTraits, homeTraits } from './homes.ts'
import { keyReference } from './keys.ts'
import { simulationHash, simulationRandom } from './random.ts'
import type { Topology } from './topology.ts'

/** How a meter packs and sends its messages. */
export type Carriage = 'wrapper' | 'hdlc' | 'hdlc-segmented' | 'blocks'

/** Shares of meters by make. What is left of 1 is the plain kind: suite 0, described list, wrapper. */
export interface MeterMix {
  readonly suite2: number
  /** Push object list and values instead of a described list. */
  readonly objectLists: number
  /** Of the described lists, those whose notification carries the meter's time of sending; object lists always do. */
  readonly timed: number
  readonly hdlc: number
  /** HDLC in several transport units per message. */
  readonly hdlcSegmented: number
  /** general-block-transfer over the wrapper, several transport units per message. */
  readonly blocks: number
}

/** Mostly short wrapper messages, with a share of everything else. */
export const defaultMeterMix: MeterMix = {
  suite2: 0.2,
  objectLists: 0.3,
  timed: 0.3,
  hdlc: 0.25,
  hdlcSegmented: 0.03,
  blocks: 0.02,
}

/** One physical meter: generation 0 is there from the start, 1 replaced it. */
export interface Meter {
  readonly home: number
  readonly generation: number
  readonly systemTitle: string
  readonly keyRef: string
  readonly suite: 0 | 2
  readonly layout: 'described' | 'objects'
  readonly carriage: Carriage
  /** Its notifications carry the time of sending by its own clock. */
  readonly timed: boolean
  readonly firstCounter: number
}

/** The decoding profiles that the register names for the two makes. */
export interface ProfileNames {
  readonly described: string
  readonly objects: string
}

/** Names for layouts that describe themselves, but for the unit of a push object list, which the profile has to know. */
export const defaultProfileNames: ProfileNames = { described: 'described-list', objects: 'push-object-list' }

const twenty = 0xfffff

/**
 * A number below 2^40 that is different for every `n` below 2^40 and looks unordered: four Feistel rounds over halves of
 * 20 bits, so that no two meters of a fleet share an identifier.
 */
export function scattered(seed: number, n: number, which: number): number {
  let left = Math.floor(n / (twenty + 1)) & twenty
  let right = n & twenty
  for (let round = 0; round < 4; round++) {
    const next = left ^ (simulationHash(seed, 'identity', right, which * 8 + round) & twenty)
    left = right
    right = next
  }
  return left * (twenty + 1) + right
}

/** The `n` whose `scattered` number this is. */
export function gathered(seed: number, number: number, which: number): number {
  let left = Math.floor(number / (twenty + 1)) & twenty
  let right = number & twenty
  for (let round = 3; round >= 0; round--) {
    const before = right ^ (simulationHash(seed, 'identity', left, which * 8 + round) & twenty)
    right = left
    left = before
  }
  return left * (twenty + 1) + right
}

const hex10 = (n: number): string => n.toString(16).padStart(10, '0').toUpperCase()

/** "MVS", the invented maker's letters, as hex. */
const maker = '4D5653'

/** The meter of a home, a function of the seed alone. */
export function meterOf(seed: number, home: number, generation: number, mix: MeterMix): Meter {
  const random = simulationRandom(seed, 'meter', home, generation)
  const systemTitle = maker + hex10(scattered(seed, home + generation * 2 ** 32, 0))
  const suite = random.chance(mix.suite2) ? 2 : 0
  const layout = random.chance(mix.objectLists) ? 'objects' : 'described'
  const timed = random.chance(mix.timed) || layout === 'objects'
  const u = random.unit()
  const carriage =
    u < mix.hdlc
      ? 'hdlc'
      : u < mix.hdlc + mix.hdlcSegmented
        ? 'hdlc-segmented'
        : u < mix.hdlc + mix.hdlcSegmented + mix.blocks
          ? 'blocks'
          : 'wrapper'
  const firstCounter = generation === 0 ? 1_000 + random.below(400_000) : 1 + random.below(100)
  return {
    home,
    generation,
    systemTitle,
    keyRef: keyReference(suite, systemTitle),
    suite,
    layout,
    carriage,
    timed,
    firstCounter,
  }
}

/** Connection point of a home. Identifying, as in a real register. */
export function connectionOf(seed: number, home: number): string {
  return `CP${hex10(scattered(seed, home, 1))}`
}

/** The home of a connection point; `undefined` if it is written in another form. May lie outside the fleet. */
export function homeOfConnection(seed: number, connection: string): number | undefined {
  const digits = /^CP([0-9A-F]{10})$/.exec(connection)?.[1]
  return digits === undefined ? undefined : gathered(seed, Number.parseInt(digits, 16), 1)
}

/** The home whose first meter has this system title. */
export function homeOfTitle(seed: number, systemTitle: string): number | undefined {
  const digits = new RegExp(`^${maker}([0-9A-F]{10})$`).exec(systemTitle)?.[1]
  return digits === undefined ? undefined : gathered(seed, Number.parseInt(digits, 16), 0)
}

/** Measuring point of a home: 13 digits. */
export function pointOf(seed: number, home: number): string {
  return `MP${String(scattered(seed, home, 2)).padStart(13, '0')}`
}

/** Where a home's readings go: its partition and its number there, counted from 1. */
export function placeOf(home: number, partitions: number): { readonly partition: number; readonly index: number } {
  return { partition: home % partitions, index: Math.floor(home / partitions) + 1 }
}

/** What register entries have in common. */
export interface RegisterOptions {
  readonly seed: number
  readonly topology: Topology
  readonly partitions: number
  readonly timeZone: string
  readonly zone: string
  readonly homeMix: HomeMix
  readonly profileNames: ProfileNames
}

/** The register entry of one meter for its validity [validFrom, validTo). */
export function registerEntry(
  options: RegisterOptions,
  meter: Meter,
  validFrom: EpochMs,
  validTo: EpochMs | null,
  traits: HomeTraits = homeTraits(options.seed, meter.home, options.homeMix),
): RegisterEntry {
  const { seed, topology, partitions, timeZone, zone, profileNames } = options
  const groups = topology.groupsOf(meter.home)
  return {
    point: pointOf(seed, meter.home),
    connection: connectionOf(seed, meter.home),
    systemTitle: meter.systemTitle,
    validFrom,
    validTo,
    direction: traits.solarPower > 0 ? 'both' : 'import',
    ...placeOf(meter.home, partitions),
    groups,
    customerClass: 'residential',
    area: groups.substation.replace('substation', 'area'),
    tariff: traits.tariff,
    heating: traits.heating,
    dwelling: traits.dwelling,
    timeZone,
    zone,
    profile: profileNames[meter.layout],
    protection: 'authenticated-encrypted',
    keyRef: meter.keyRef,
    fuseWhPerHour: fuseWhPerHour(traits),
    pointsAtConnection: 1,
  }
}
