import { simulationHash } from './random.ts'

/** Weather of one local day, the same for all homes of a fleet. */
export interface DayWeather {
  /** Mean outdoor temperature in °C. */
  readonly temperature: number
  /** Share of the clear-sky radiation that gets through, 0–1. */
  readonly clearness: number
  /** Hours between sunrise and sunset. */
  readonly daylightHours: number
}

const signed = (seed: number, a: number, b: number): number => simulationHash(seed, 'weather', a, b) / 2_147_483_648 - 1

/** Smooth noise in [-1, 1]: anchors every `span` days, a straight line between them. */
function drift(seed: number, localDay: number, span: number, which: number): number {
  const anchor = Math.floor(localDay / span)
  const share = localDay / span - anchor
  return signed(seed, anchor, which) * (1 - share) + signed(seed, anchor + 1, which) * share
}

/**
 * Weather of a temperate maritime place near 51.5° north: 5 °C in January to 18 °C in July, spells of some days, a
 * little change from day to day. A function of seed and date alone.
 */
export function weatherOf(seed: number, localDay: number): DayWeather {
  const dayOfYear = (((localDay - 10) % 365.2425) + 365.2425) % 365.2425
  // warmest about 20 July, 30 days after the solstice
  const season = -Math.cos((2 * Math.PI * (dayOfYear - 22)) / 365.2425)
  const spell = 4 * drift(seed, localDay, 6, 1) + 2 * drift(seed, localDay, 2, 2) + 0.8 * signed(seed, localDay, 3)
  const sun = -Math.cos((2 * Math.PI * (dayOfYear + 8.5)) / 365.2425)
  const clearness = Math.min(1, Math.max(0.12, 0.5 + 0.12 * sun + 0.45 * drift(seed, localDay, 2, 4)))
  return { temperature: 11.2 + 6.8 * season + spell, clearness, daylightHours: 12.2 + 4.3 * sun }
}
