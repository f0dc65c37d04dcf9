import type { Neighbours } from '../bounding.ts'
import { ParameterError } from '../errors.ts'
import type { PrivacyLoss } from '../loss.ts'
import { boundInSteps, exactValue, requireGrid, stepsOf } from '../mechanisms/grid.ts'
import type { ReleaseFacts } from '../mechanisms/release.ts'
import { compare, integer, type Rational, sign } from '../rational.ts'
import type { ChargeFirst } from './charge.ts'

/** What every tool is told. */
export interface ToolOptions<N extends Neighbours> {
  /** The neighbour relation that the guarantee is about; each value is one unit's. Required. */
  readonly neighbours: N
  /** Charged before the noise is drawn. Required. */
  readonly account: ChargeFirst<NoInfer<N>>
  /** The name of the charge. Required. */
  readonly label: string
}

/** What a tool may spend: a pure epsilon, with Laplace noise, or a rho under zero-concentrated privacy, with Gaussian noise. */
export type Spend =
  | { readonly epsilon: Rational; readonly rho?: never }
  | { readonly rho: Rational; readonly epsilon?: never }

/**
 * What happens to a value that is not a number: `refuse` throws ParameterError before anything is charged, `drop` leaves the value out. A refusal
 * is seen by whoever sees the error, and tells that such a value was there.
 */
export interface NanOption {
  readonly nan: 'refuse' | 'drop'
}

/** Bounds for real values, fixed without looking at the data: values outside are moved to the nearer one. */
export interface BoundsOptions extends NanOption {
  /** Both multiples of the grid. Required. */
  readonly lower: Rational
  readonly upper: Rational
  /** Values are rounded to its multiples before anything is summed, so that sums are exact. Required. */
  readonly grid: Rational
}

/** A released figure with what may be published about it. */
export interface Released<out N extends Neighbours, out T> {
  readonly value: T
  readonly loss: PrivacyLoss<N>
  readonly facts: ReleaseFacts
}

/** A released figure whose error has a known law. */
export interface ReleasedWithInterval<out N extends Neighbours, out T> extends Released<N, T> {
  /** The half-width around the value that holds the truth after clamping and rounding with at least this probability. */
  readonly interval: (confidence: Rational) => Rational
}

/** Values as whole steps inside the bounds. */
export interface BoundedSteps {
  readonly lower: bigint
  readonly upper: bigint
  readonly steps: readonly bigint[]
}

/** Refuses a spend that is not positive. */
export const requireSpend = ({ epsilon, rho }: Spend): void => {
  const given = epsilon ?? rho
  if (!given || sign(given) <= 0) throw new ParameterError('what is spent, epsilon or rho, must be greater than 0')
}

/** Whether the value is kept. Throws ParameterError for NaN where it is refused. */
export const keepNumber = (value: number, nan: NanOption['nan']): boolean => {
  if (!Number.isNaN(value)) return true
  if (nan === 'refuse') throw new ParameterError('a value is not a number: clean the data, or say nan: "drop"')
  if (nan !== 'drop') throw new ParameterError('nan must be "refuse" or "drop"')
  return false
}

/** Reads, clamps and rounds all values; infinities go to the bounds. Throws ParameterError for bounds or values that are refused. */
export const boundedSteps = (values: Iterable<number | bigint>, options: BoundsOptions): BoundedSteps => {
  const { grid, nan } = options
  requireGrid(grid)
  if (compare(options.lower, options.upper) >= 0)
    throw new ParameterError('the lower bound must lie below the upper bound')
  const lower = boundInSteps(options.lower, grid, 'lower')
  const upper = boundInSteps(options.upper, grid, 'upper')
  const unit = grid.num === 1n && grid.den === 1n
  const steps: bigint[] = []
  for (const value of values) {
    if (typeof value === 'number' && !keepNumber(value, nan)) continue
    if (value === Infinity || value === -Infinity) {
      steps.push(value === Infinity ? upper : lower)
      continue
    }
    const whole =
      typeof value === 'bigint'
        ? unit
          ? value
          : stepsOf(integer(value), grid)
        : unit && Number.isSafeInteger(value)
          ? BigInt(value)
          : stepsOf(exactValue(value), grid)
    steps.push(whole < lower ? lower : whole > upper ? upper : whole)
  }
  return { lower, upper, steps }
}

/** Refuses what would make the public number of units depend on the data. */
export const requirePublicCount = (neighbours: Neighbours, nan: NanOption['nan']): void => {
  if (neighbours === 'replace-one' && nan === 'drop')
    throw new ParameterError(
      'under replace-one the number of values is public: dropping some would tell which, refuse them',
    )
}
