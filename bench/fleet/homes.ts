import { type SimulationRandom, simulationRandom } from './random.ts'

/** How homes are heated; all but gas by electricity. */
export const heatings = ['gas', 'storage', 'direct', 'heat-pump'] as const
/** One of `heatings`. */
export type Heating = (typeof heatings)[number]
/** Kinds of dwelling, smallest first. */
export const dwellings = ['flat', 'terrace', 'semi', 'detached'] as const
/** One of `dwellings`. */
export type Dwelling = (typeof dwellings)[number]
/** Kinds of tariff. */
export const tariffs = ['flat', 'night', 'dynamic'] as const
/** One of `tariffs`. */
export type Tariff = (typeof tariffs)[number]

/** What makes one home's load its own, drawn once. Power in W, energy in Wh. */
export interface HomeTraits {
  readonly home: number
  readonly people: number
  readonly dwelling: Dwelling
  readonly heating: Heating
  readonly tariff: Tariff
  /** Hardly anybody lives there. */
  readonly vacant: boolean
  /** Standby and fridge. */
  readonly basePower: number
  /** Level of appliance use; 1 is the typical home of its size. */
  readonly activity: number
  /** Light and electronics while somebody is up. */
  readonly awakePower: number
  /** When the home gets up and goes to bed on a weekday, and comes home, in hours. */
  readonly risesAt: number
  readonly sleepsAt: number
  readonly returnsAt: number
  /** Somebody is in on weekdays. */
  readonly homeByDay: boolean
  readonly electricShower: boolean
  /** Electric water heating by a night or morning immersion heater. */
  readonly immersion: boolean
  /** Heat need per degree below the heating limit, in W/K. */
  readonly heatLoss: number
  /** Charging power of the electric car, 0 without one. */
  readonly chargerPower: number
  /** Rated power of the solar panels, 0 without. */
  readonly solarPower: number
  /** Fuse of the connection: A at 230 V. */
  readonly fuseAmpere: 60 | 80 | 100
}

/** Shares of homes with a trait that changes the load's shape. */
export interface HomeMix {
  readonly vacant: number
  readonly storageHeating: number
  readonly directHeating: number
  readonly heatPump: number
  readonly electricCar: number
  readonly solar: number
}

/** Close to a European town of today, except that cars, heat pumps and panels are a few per cent each. */
export const defaultMix: HomeMix = {
  vacant: 0.015,
  storageHeating: 0.07,
  directHeating: 0.06,
  heatPump: 0.02,
  electricCar: 0.03,
  solar: 0.04,
}

/** The home number `home` of a fleet: a function of seed, number and mix alone. */
export function homeTraits(seed: number, home: number, mix: HomeMix = defaultMix): HomeTraits {
  const random = simulationRandom(seed, 'home', home)
  const vacant = random.chance(mix.vacant)
  const people = pick(random, [0.3, 0.35, 0.16, 0.13, 0.06]) + 1
  const heating = heatings[pickHeating(random.unit(), mix)] as Heating
  const dwelling = dwellings[pick(random, people > 2 ? [0.2, 0.35, 0.3, 0.15] : [0.5, 0.28, 0.16, 0.06])] as Dwelling
  const size = { flat: 0.7, terrace: 1, semi: 1.15, detached: 1.5 }[dwelling]
  const chargerPower = random.chance(mix.electricCar) ? (random.chance(0.75) ? 7_200 : 3_600) : 0
  const solarPower = random.chance(mix.solar) ? random.between(2_000, 4_500) : 0
  const night = heating === 'storage' || (chargerPower > 0 && random.chance(0.4))
  const risesAt = 7 + 0.9 * random.normal()
  return {
    home,
    people,
    dwelling,
    heating,
    tariff: night ? 'night' : random.chance(0.08) ? 'dynamic' : 'flat',
    vacant,
    basePower: vacant ? random.between(0, 30) : 108 * size * Math.exp(0.6 * random.normal()),
    activity: Math.exp(0.5 * random.normal() - 0.08),
    awakePower: 135 * Math.sqrt(people) * Math.exp(0.55 * random.normal()),
    risesAt,
    sleepsAt: 23 + 1.1 * random.normal(),
    returnsAt: 17 + 1.3 * random.normal(),
    homeByDay: random.chance(0.6),
    electricShower: random.chance(0.4),
    immersion: random.chance(heating === 'gas' ? 0.03 : 0.5),
    heatLoss: 118 * size * Math.exp(0.35 * random.normal()),
    chargerPower,
    solarPower,
    fuseAmpere: chargerPower > 0 || heating !== 'gas' ? 100 : random.chance(0.3) ? 60 : random.chance(0.5) ? 80 : 100,
  }
}

function pick(random: SimulationRandom, weights: readonly number[]): number {
  let left = random.unit()
  for (let i = 0; i < weights.length - 1; i++) {
    left -= weights[i] as number
    if (left < 0) return i
  }
  return weights.length - 1
}

function pickHeating(u: number, mix: HomeMix): number {
  if (u < mix.storageHeating) return 1
  if (u < mix.storageHeating + mix.directHeating) return 2
  return u < mix.storageHeating + mix.directHeating + mix.heatPump ? 3 : 0
}

/** The most energy the connection's fuse lets through in an hour, in Wh: the public cap of a contract. */
export function fuseWhPerHour(traits: HomeTraits): number {
  return traits.fuseAmpere * 230
}
