import type { L2Sensitivity, Neighbours } from '../bounding.ts'
import { AlreadyReleasedError, ParameterError } from '../errors.ts'
import type { PrivacyLoss } from '../loss.ts'
import { squareRoot } from '../numeric/double.ts'
import type { BitSource, SecureBits } from '../random/bit-source.ts'
import { requireSecure, secureBits } from '../random/secure.ts'
import { div, format, integer, mul, type Rational, toNumber } from '../rational.ts'
import { gaussianSampler } from '../samplers/discrete-gaussian.ts'
import { gaussianSigma2 } from '../zcdp.ts'
import type { Engine, EngineState } from './engine.ts'
import { variancesOf } from './expected-error.ts'
import { type Participation, strategySensitivity } from './sensitivity.ts'
import { describeStrategy, type Strategy } from './strategy.ts'
import { toeplitzEngine } from './toeplitz-engine.ts'
import { treeEngine } from './tree-engine.ts'
import { describeWorkload, type Workload } from './workload.ts'

/** Options of `continualRelease`. */
export interface ContinualOptions<N extends Neighbours> {
  /** The neighbour relation that the guarantee is about; must be the one of the sensitivity. Required. */
  readonly neighbours: N
  /** How far one privacy unit moves one step's vector, from a bounding step. Required. */
  readonly sensitivity: L2Sensitivity<NoInfer<N>>
  /** In how many steps one privacy unit has data. Required: `oneStep` for a unit of one step. */
  readonly participation: Participation
  readonly strategy: Strategy
  /** The zCDP cost of the whole horizon, charged once, before the first step. */
  readonly rho: Rational
  /** How many integers each step has; 1 when left out. */
  readonly width?: number
}

/** What a continual release may say about its noise: everything here is public. Fractions are exact, as `"num/den"`. */
export interface ContinualFacts {
  readonly mechanism: 'continual-discrete-gaussian'
  readonly version: 1
  readonly neighbours: Neighbours
  /** The bound that makes one step's sensitivity, in one sentence. */
  readonly bound: string
  readonly participation: Participation
  readonly strategy: string
  readonly width: number
  /** One step's squared L2 sensitivity, in squared units of the query. */
  readonly l2Squared: string
  /** The squared sensitivity of all measurements, in units of the one before. */
  readonly strategySquared: string
  /** The discrete Gaussian's parameter, in squared units of the grid of the measurements. */
  readonly sigma2: string
  /** Measurements are integers of 2^-gridBits of the query's unit. */
  readonly gridBits: number
  /** The zCDP cost of the whole horizon. */
  readonly rho: string
}

/** What one step gives out. All of it may be published. */
export interface ContinualStep {
  readonly step: number
  /** The rows measured with noise, in units of 2^-gridBits: everything that this mechanism tells about the data. */
  readonly measured: readonly (readonly bigint[])[]
  /** The estimate of the strategy's own workload, in integers of the query's unit. */
  readonly estimate: readonly bigint[]
}

/** A continual release between two steps, as plain data that survives JSON. */
export interface ContinualSnapshot {
  readonly version: 1
  readonly facts: ContinualFacts
  /** The next step to come. */
  readonly step: number
  /** True values of past steps. Whoever reads them reads the data, and with the published figures the noise. */
  readonly secret: readonly (readonly string[])[]
  /** Made from published measurements alone. */
  readonly measured: readonly (readonly string[])[]
}

/** Sums over time, released step by step with noise that is correlated between steps. */
export interface ContinualRelease<N extends Neighbours> {
  readonly facts: ContinualFacts
  /** What the whole horizon costs, to be charged once, before step 0. */
  readonly loss: PrivacyLoss<N>
  /** The next step to come, from 0. */
  readonly nextStep: () => number
  /**
   * Measures one step, once: a step already measured throws AlreadyReleasedError, one not yet due, past the horizon or of another width
   * throws ParameterError, and nothing is drawn.
   */
  readonly release: (step: number, value: readonly bigint[]) => ContinualStep
  /** The estimate of any workload after the latest step, free of charge. Throws ParameterError before step 0, and for a window larger than a tree was built for. */
  readonly estimate: (workload: Workload) => readonly bigint[]
  /** The standard deviation of an estimate after a step, known in advance, in units of the query; its rounding to an integer not included. */
  readonly deviation: (step: number, workload?: Workload) => number
  /** Everything needed to go on after this step. Holds true values: see `ContinualSnapshot`. */
  readonly snapshot: () => ContinualSnapshot
}

/**
 * Releases sums over time, step by step, at one cost for the whole horizon.
 *
 * What is released are the rows of the strategy with noise: y = C x + z, where C holds integers over 2^gridBits, x the integers of the steps,
 * and z independent discrete Gaussians on the grid of 2^-gridBits. 2^gridBits y is thus an integer query with integer noise, of squared L2
 * sensitivity 2^(2 gridBits) |C|^2 S^2 with |C|^2 from `strategySensitivity`, computed exactly from the rounded coefficients; it is
 * rho-zCDP for sigma^2 = that / (2 rho), exactly (Canonne, Kamath and Steinke, 2020, theorem 14). No real coefficient ever multiplies the
 * noise, and no rounding happens before or while it is added. Estimates are computed from y alone: whatever they round is
 * post-processing. As each row has fresh noise and what a unit can add to all rows together is bounded whatever was published before, the
 * guarantee also holds when later data depend on earlier releases.
 *
 * Nothing is ever redrawn: a step is measured once, and the snapshot after it must be stored durably before anything of the step is
 * published. Restoring an older snapshot and measuring a published step again would be a second, uncharged release of it. The snapshot
 * holds true sums (the last band - 1 steps, or one node for each level of a tree): keep it where the data are kept, encrypted, and delete
 * it when the horizon ends. Noise is not stored: y and the true rows give it away together.
 *
 * Throws ParameterError for a sensitivity of the other relation, parameters that are not positive, or a width that is not from 1 to 65,536.
 */
export const continualRelease = <N extends Neighbours>(
  options: ContinualOptions<N>,
  bits: SecureBits = secureBits(),
): ContinualRelease<N> => continualReleaseOver(options, undefined, requireSecure(bits))

/**
 * Goes on from a stored snapshot. `options` must be those that it was made with; ParameterError is thrown when any fact differs or the state
 * does not fit.
 */
export const restoreContinualRelease = <N extends Neighbours>(
  options: ContinualOptions<N>,
  snapshot: ContinualSnapshot,
  bits: SecureBits = secureBits(),
): ContinualRelease<N> => continualReleaseOver(options, snapshot, requireSecure(bits))

/** The release over any bits; only the secure doors above and the test door export it. */
export const continualReleaseOver = <N extends Neighbours>(
  options: ContinualOptions<N>,
  snapshot: ContinualSnapshot | undefined,
  bits: BitSource,
): ContinualRelease<N> => {
  const { neighbours, sensitivity, participation, strategy, rho, width = 1 } = options
  if (sensitivity.neighbours !== neighbours)
    throw new ParameterError(
      `the sensitivity was bounded for ${sensitivity.neighbours} neighbours, not for ${neighbours}`,
    )
  if (!Number.isInteger(width) || width < 1 || width > 65_536)
    throw new ParameterError(`the width of a step is an integer from 1 to 65536, got ${width}`)
  const gridBits = strategy.kind === 'tree' ? 0 : strategy.gridBits
  const strategySquared = strategySensitivity(strategy, participation)
  const cells = integer(1n << BigInt(2 * gridBits))
  const sigma2 = gaussianSigma2(mul(mul(sensitivity.l2Squared, strategySquared), cells), rho)
  const facts: ContinualFacts = Object.freeze({
    mechanism: 'continual-discrete-gaussian',
    version: 1,
    neighbours,
    bound: sensitivity.because,
    participation: Object.freeze({ most: participation.most, apart: participation.apart }),
    strategy: describeStrategy(strategy),
    width,
    l2Squared: format(sensitivity.l2Squared),
    strategySquared: format(strategySquared),
    sigma2: format(sigma2),
    gridBits,
    rho: format(rho),
  })
  if (snapshot) requireSame(facts, snapshot, strategy.steps)
  let step = snapshot?.step ?? 0
  const engine = engineOf(strategy, width, step, snapshot)
  const sampler = gaussianSampler(sigma2, bits)
  const own: Workload = strategy.kind === 'tree' ? 'prefix' : strategy.workload
  const unitNoise = toNumber(div(sigma2, cells), 'up')
  const known = new Map<string, Float64Array>()
  const variances = (workload: Workload): Float64Array => {
    const name = describeWorkload(workload)
    const found = known.get(name) ?? variancesOf(strategy, workload)
    known.set(name, found)
    return found
  }

  return Object.freeze({
    facts,
    loss: Object.freeze({ kind: 'zcdp' as const, neighbours, rho }),
    nextStep: () => step,
    release: (wanted: number, value: readonly bigint[]): ContinualStep => {
      if (!Number.isInteger(wanted) || wanted < 0) throw new ParameterError('a step is an integer from 0')
      if (wanted < step) throw new AlreadyReleasedError(`step ${wanted} was measured: its noise is never drawn again`)
      if (wanted >= strategy.steps)
        throw new ParameterError(`the horizon of ${strategy.steps} steps is over: charge and open another`)
      if (wanted > step)
        throw new ParameterError(`step ${step} comes before step ${wanted}: pass zeros for a step without data`)
      if (value.length !== width) throw new ParameterError(`a step has ${width} values, got ${value.length}`)
      // All noise is drawn before anything changes: without randomness the step stays unmeasured.
      const noise = Array.from({ length: engine.rows() }, () => Array.from({ length: width }, () => sampler.next()))
      const measured = engine.absorb(value, noise)
      step += 1
      return Object.freeze({ step: wanted, measured, estimate: engine.estimate(own) })
    },
    estimate: (workload: Workload) => {
      if (step === 0) throw new ParameterError('nothing was measured yet')
      return engine.estimate(workload)
    },
    deviation: (after: number, workload: Workload = own) => {
      const variance = variances(workload)[after]
      if (variance === undefined) throw new ParameterError(`the horizon has the steps 0 to ${strategy.steps - 1}`)
      return squareRoot(unitNoise * variance)
    },
    snapshot: (): ContinualSnapshot => ({ version: 1, facts, step, ...engine.save() }),
  })
}

const engineOf = (strategy: Strategy, width: number, step: number, state: EngineState | undefined): Engine =>
  strategy.kind === 'tree' ? treeEngine(strategy, width, step, state) : toeplitzEngine(strategy, width, step, state)

const requireSame = (facts: ContinualFacts, snapshot: ContinualSnapshot, steps: number): void => {
  if (snapshot.version !== 1)
    throw new ParameterError(`this version reads snapshots of version 1, got ${snapshot.version}`)
  const plain = (value: ContinualFacts) =>
    JSON.stringify([...Object.entries(value)].sort(([a], [b]) => (a < b ? -1 : 1)))
  if (plain(facts) !== plain(snapshot.facts))
    throw new ParameterError('the snapshot was made with other options: its noise would not be the one that is claimed')
  if (!Number.isInteger(snapshot.step) || snapshot.step < 0 || snapshot.step > steps)
    throw new ParameterError('the step of the snapshot lies outside the horizon')
  const rows = [...snapshot.secret, ...snapshot.measured]
  if (!rows.every((row) => row.length === facts.width && row.every((text) => /^-?\d+$/.test(text))))
    throw new ParameterError('the stored state does not fit: every row holds as many decimal integers as a step')
}
