import type { Workload } from './workload.ts'

/** What an engine keeps, as decimal integers. */
export interface EngineState {
  /** True values: as secret as the data. */
  readonly secret: readonly (readonly string[])[]
  /** Made from noisy measurements alone: may be published. */
  readonly measured: readonly (readonly string[])[]
}

/** The arithmetic of one strategy, all in integers: rows of the strategy go out with noise, estimates are made from those alone. */
export interface Engine {
  /** How many rows the next step measures, `width` integers each. */
  readonly rows: () => number
  /** Takes the step's true values and the noise of its rows, and returns the rows with noise. */
  readonly absorb: (value: readonly bigint[], noise: readonly (readonly bigint[])[]) => readonly (readonly bigint[])[]
  /** The estimate of a workload after the latest step, to the nearest integer, from measurements alone. */
  readonly estimate: (workload: Workload) => readonly bigint[]
  readonly save: () => EngineState
}

/** Estimates are held in integers of 2^-64. */
export const fractionBits = 64n

/** A held estimate to the nearest integer, halves up. */
export const nearest = (value: bigint): bigint => (value + (1n << (fractionBits - 1n))) >> fractionBits

/** Integers as text. */
export const texts = (values: readonly bigint[]): readonly string[] => values.map(String)

/** Text as integers. */
export const integers = (values: readonly string[]): readonly bigint[] => values.map((text) => BigInt(text))
