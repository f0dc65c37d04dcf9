import { ParameterError } from '../errors.ts'

/** Draws independent integers of one law, exactly. */
export interface IntegerSampler {
  /** One draw, whatever its size. */
  readonly next: () => bigint
  /**
   * One draw as a safe integer: the fast form. Throws ParameterError, at every call, for a scale above 2^36, where a draw might not be
   * a safe integer; below it the chance of one is less than exp(-100000).
   */
  readonly nextNumber: () => number
  /** Whether the scale allows `nextNumber`. */
  readonly numbers: boolean
}

/** The largest scale whose draws are handed out as numbers. */
export const numberScaleLimit = 2 ** 36

/** The sampler over bigint draws, with numbers where the scale allows them. */
export const fromBigints = (next: () => bigint, numbers: boolean): IntegerSampler =>
  Object.freeze({
    next,
    nextNumber: () => {
      if (!numbers) throw new ParameterError('the scale is above 2^36: use next(), which returns a bigint')
      return toSafe(next())
    },
    numbers,
  })

/** The number, for a sum or a product that may have left the safe integers. Throws ParameterError when it has. */
export const requireSafe = (value: number): number => {
  if (!Number.isSafeInteger(value))
    throw new ParameterError('the draw is not a safe integer: use next(), which returns a bigint')
  return value
}

/** A bigint as a number. Throws ParameterError when it is not a safe integer. */
export const toSafe = (value: bigint): number => requireSafe(Number(value))

/** The sampler over draws that are safe integers by their scale. */
export const fromNumbers = (nextNumber: () => number): IntegerSampler =>
  Object.freeze({ next: () => BigInt(nextNumber()), nextNumber, numbers: true })
