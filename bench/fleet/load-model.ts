import type { SlotDay, Slots } from './calendar.ts'
import { fuseWhPerHour, type HomeTraits } from './homes.ts'
import { type SimulationRandom, simulationRandom } from './random.ts'
import { type DayWeather, weatherOf } from './weather.ts'

/** Where the energy of fleets comes from: a model, or real profiles. */
export interface LoadSource {
  /**
   * Writes one home's local day: whole Wh per slot into `importWh` and `exportWh` from index `at` on.
   * A function of (seed, home, day) alone.
   */
  readonly fillDay: (home: HomeTraits, day: SlotDay, importWh: Int32Array, exportWh: Int32Array, at: number) => void
}

/** One kind of appliance use. Times come from a table of 48 weights, one per half hour of the wall clock. */
interface Use {
  readonly weekday: Uint8Array
  readonly weekend: Uint8Array
}

/** 256 half hours such that drawing one of them at random follows the weights. */
function quantiles(weights: readonly number[]): Uint8Array {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const out = new Uint8Array(256)
  let half = 0
  let sum = weights[0] ?? 0
  for (let i = 0; i < 256; i++) {
    while (sum < ((i + 0.5) / 256) * total && half < 47) sum += weights[++half] ?? 0
    out[i] = half
  }
  return out
}

/** 48 weights from bumps {hour, width in hours, height} over a floor. */
function bumps(floor: number, ...list: readonly (readonly [number, number, number])[]): Uint8Array {
  return quantiles(
    Array.from({ length: 48 }, (_, half) => {
      const hour = half / 2 + 0.25
      return list.reduce((sum, [at, width, height]) => {
        const away = Math.min(Math.abs(hour - at), 24 - Math.abs(hour - at))
        return sum + height * Math.exp(-0.5 * (away / width) ** 2)
      }, floor)
    }),
  )
}

const uses = {
  kitchen: {
    weekday: bumps(0.08, [7.3, 0.9, 1.1], [12.8, 1.5, 0.6], [18, 1.8, 1.2], [21.3, 1.2, 0.5]),
    weekend: bumps(0.08, [9, 1.4, 1.1], [13, 1.8, 0.9], [18.2, 2, 1.1], [21.3, 1.3, 0.5]),
  },
  cooking: {
    weekday: bumps(0.02, [12.6, 1, 0.25], [18.4, 1.5, 1.2]),
    weekend: bumps(0.03, [12.9, 1.6, 0.6], [18.3, 1.7, 1.1]),
  },
  laundry: {
    weekday: bumps(0.08, [9.5, 1.8, 0.7], [14, 3, 0.5], [19.8, 2.2, 0.9]),
    weekend: bumps(0.06, [11, 2.2, 1.1], [15.5, 2.8, 0.8], [20, 2, 0.5]),
  },
  shower: {
    weekday: bumps(0.03, [7, 0.8, 1.3], [20.5, 1.8, 0.5]),
    weekend: bumps(0.03, [9.2, 1.4, 1.1], [19.5, 2.2, 0.5]),
  },
} as const satisfies Record<string, Use>

/**
 * The load model: standby and fridge, light and electronics while people are up, kitchen, cooking, laundry and showers
 * as separate uses at times of their own, electric heating by temperature, heat pumps, cars and solar panels.
 * Weeks and days of a home differ by factors of their own; some weeks it is empty. `compare.ts` sets its statistics
 * against a real set.
 */
export function loadModel(seed: number, slots: Slots): LoadSource {
  const perHour = 3_600_000 / slots.intervalMs
  const minutesPerSlot = 60 / perHour
  let weather: DayWeather = weatherOf(seed, 0)
  let weatherDay = 0
  const wattHours = new Float64Array(Math.ceil(25 * perHour))

  const fillDay: LoadSource['fillDay'] = (home, day, importWh, exportWh, at) => {
    if (day.localDay !== weatherDay) {
      weather = weatherOf(seed, day.localDay)
      weatherDay = day.localDay
    }
    const random = simulationRandom(seed, 'homeDay', home.home, day.localDay)
    const energy = wattHours.subarray(0, day.slots).fill(0)
    const add = adder(energy, day, minutesPerSlot)
    const present = occupancy(seed, home, day, weather)
    addBase(random, home, energy, perHour)
    if (present.inUse) {
      addAwake(random, home, weather, present, add)
      addUses(random, home, present, add)
    }
    addHeating(random, home, day, weather, present.inUse, energy, perHour)
    if (home.chargerPower > 0 && present.inUse) addCar(random, home, add)
    const sun = home.solarPower > 0 ? solarShape(random, weather) : undefined
    const most = (fuseWhPerHour(home) / perHour) * 0.98
    for (let i = 0; i < day.slots; i++) {
      const made = sun === undefined ? 0 : (home.solarPower * sun((day.wallMinutes[i] as number) / 60)) / perHour
      const net = Math.min(energy[i] as number, most) - made
      importWh[at + i] = net > 0 ? Math.round(net) : 0
      exportWh[at + i] = net < 0 ? Math.round(-net) : 0
    }
  }
  return { fillDay }
}

/** Adds `total` Wh spread evenly from a wall-clock minute on, over `minutes`; past midnight it wraps to the morning. */
type Add = (wallMinute: number, minutes: number, total: number) => void

function adder(energy: Float64Array, day: SlotDay, minutesPerSlot: number): Add {
  const regular = day.slots * minutesPerSlot === 1_440
  return (wallMinute, minutes, total) => {
    const begin = regular ? wallMinute : elapsed(day, wallMinute, minutesPerSlot)
    let position = begin / minutesPerSlot
    let left = minutes / minutesPerSlot
    const rate = total / left
    while (left > 1e-9) {
      const whole = Math.floor(position)
      const part = Math.min(left, whole + 1 - position)
      const slot = ((whole % day.slots) + day.slots) % day.slots
      energy[slot] = (energy[slot] as number) + part * rate
      position = whole + 1
      left -= part
    }
  }
}

/** Minutes since local midnight at a wall-clock minute on a day with a clock change. */
function elapsed(day: SlotDay, wallMinute: number, minutesPerSlot: number): number {
  const slot = day.wallMinutes.findIndex((wall) => wall + minutesPerSlot / 2 > wallMinute)
  return (slot < 0 ? day.slots - 1 : slot) * minutesPerSlot + (wallMinute % minutesPerSlot)
}

interface Occupancy {
  readonly inUse: boolean
  readonly weekend: boolean
  /** Level of use today. */
  readonly factor: number
}

function occupancy(seed: number, home: HomeTraits, day: SlotDay, weather: DayWeather): Occupancy {
  const week = Math.floor((day.localDay + 3) / 7)
  const weekday = (day.localDay + 3) % 7
  const ofWeek = simulationRandom(seed, 'homeWeek', home.home, week)
  const away = ofWeek.chance(0.025)
  const weekFactor = Math.exp(0.18 * ofWeek.normal())
  const ofDay = simulationRandom(seed, 'homeWeek', home.home, -1 - day.localDay)
  const out = ofDay.chance(0.02)
  return {
    inUse: !home.vacant && !away && !out,
    weekend: weekday >= 5,
    factor: home.activity * weekFactor * (1 + 0.035 * (12.2 - weather.daylightHours)) * Math.exp(0.27 * ofDay.normal()),
  }
}

function addBase(random: SimulationRandom, home: HomeTraits, energy: Float64Array, perHour: number): void {
  const level = (home.basePower * random.between(0.9, 1.1)) / perHour
  for (let i = 0; i < energy.length; i++) energy[i] = level * (0.75 + 0.5 * random.unit())
}

function addAwake(random: SimulationRandom, home: HomeTraits, weather: DayWeather, present: Occupancy, add: Add): void {
  const later = present.weekend ? 1.1 : 0
  const rises = home.risesAt + later + 0.4 * random.normal()
  const sleeps = Math.max(rises + 12, home.sleepsAt + 0.5 * later + 0.5 * random.normal())
  const returns = Math.min(sleeps - 2, home.returnsAt + 0.8 * random.normal())
  const power = home.awakePower * Math.sqrt(present.factor)
  const inByDay = home.homeByDay || present.weekend || random.chance(0.2)
  if (inByDay) {
    add(rises * 60, (returns - rises) * 60, 0.8 * power * (returns - rises))
  } else {
    add(rises * 60, 90, 0.7 * power * 1.5)
  }
  add(returns * 60, (sleeps - returns) * 60, 0.9 * power * (sleeps - returns))
  // lamps from dusk to bed; daylight is centred on 13:00 by the clock in summer, 12:10 in winter
  const dusk = 12.4 + weather.daylightHours / 2
  const dark = sleeps - Math.max(dusk, returns)
  if (dark > 0) add(Math.max(dusk, returns) * 60, dark * 60, 0.75 * power * dark)
}

function addUses(random: SimulationRandom, home: HomeTraits, present: Occupancy, add: Add): void {
  const { factor, weekend } = present
  const draw = (use: Use): number => {
    const half = (weekend ? use.weekend : use.weekday)[random.u32() & 255] as number
    return half * 30 + 30 * random.unit()
  }
  const heads = Math.sqrt(home.people)
  for (let n = random.poisson(4.5 * heads * factor); n > 0; n--) {
    add(draw(uses.kitchen), 6, 40 + random.exponential(70))
  }
  for (let n = random.poisson(0.75 * heads * factor); n > 0; n--) {
    const minutes = random.between(20, 80)
    add(draw(uses.cooking), minutes, minutes * random.between(8, 26))
  }
  for (let n = random.poisson(0.42 * heads * factor); n > 0; n--) {
    const minutes = random.between(50, 120)
    add(draw(uses.laundry), minutes, minutes * random.between(5, 14))
  }
  if (home.electricShower) {
    for (let n = random.poisson(0.6 * home.people * Math.min(factor, 2)); n > 0; n--) {
      const minutes = random.between(3, 10)
      add(draw(uses.shower), minutes, minutes * 140)
    }
  }
  if (home.immersion) {
    const begin = home.tariff === 'night' ? random.between(60, 150) : random.between(330, 420)
    const minutes = random.between(20, 60) * heads
    add(begin, minutes, minutes * 50)
  }
}

function addHeating(
  random: SimulationRandom,
  home: HomeTraits,
  day: SlotDay,
  weather: DayWeather,
  inUse: boolean,
  energy: Float64Array,
  perHour: number,
): void {
  const degrees = Math.max(0, 15.5 - weather.temperature)
  if (home.heating === 'gas' || degrees === 0) return
  const heat = home.heatLoss * degrees * (inUse ? 1 : 0.35) * random.between(0.8, 1.2)
  const efficiency = home.heating === 'heat-pump' ? 2.3 + 0.07 * weather.temperature : 1
  // average electric power over the day, given to the hours by a shape whose mean is one
  const power = (heat * (home.heating === 'direct' ? 0.6 : 1)) / efficiency
  for (let i = 0; i < energy.length; i++) {
    const hour = (day.wallMinutes[i] as number) / 60
    energy[i] = (energy[i] as number) + (power * heatShape(home, hour) * random.between(0.7, 1.3)) / perHour
  }
}

function heatShape(home: HomeTraits, hour: number): number {
  if (home.heating === 'storage') return hour >= 0.5 && hour < 7.5 ? (24 / 7) * (hour < 4 ? 1.15 : 0.85) : 0
  if (home.heating === 'heat-pump') return hour < 5 || hour >= 22 ? 0.7 : hour < 9 ? 1.4 : hour < 16 ? 0.95 : 1.2
  return hour >= home.risesAt - 0.5 && hour < home.risesAt + 2
    ? 3
    : hour >= home.returnsAt && hour < home.sleepsAt - 0.5
      ? 2
      : 0.25
}

function addCar(random: SimulationRandom, home: HomeTraits, add: Add): void {
  if (!random.chance(0.45)) return
  const wanted = Math.min(45_000, 4_000 + random.exponential(10_000))
  const begin = home.tariff === 'night' ? 35 + random.exponential(10) : 60 * (18.5 + 1.7 * random.normal())
  add(begin, (wanted / home.chargerPower) * 60, wanted)
}

/** Share of the rated power by hour of the wall clock. */
function solarShape(random: SimulationRandom, weather: DayWeather): (hour: number) => number {
  const half = weather.daylightHours / 2
  const height = 0.28 + 0.055 * (weather.daylightHours - 8)
  return (hour) => {
    const away = Math.abs(hour - 12.6) / half
    if (away >= 1) return 0
    const clouds = weather.clearness * random.between(0.6, 1.25)
    return Math.min(0.95, height * clouds * 1.6) * Math.cos((Math.PI / 2) * away) ** 1.4
  }
}
