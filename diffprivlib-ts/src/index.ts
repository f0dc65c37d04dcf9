export {
  type Account,
  type AccountSnapshot,
  type ChargeRecord,
  type DisjointParts,
  disjointParts,
  openAccount,
  restoreAccount,
} from './account.ts'
export * from './accounting/index.ts'
export {
  type ClampedSum,
  type ClippedVectorSum,
  type ClippedVectorSumL1,
  clampedSum,
  clippedVectorSum,
  clippedVectorSumL1,
  countOnce,
  type L1Sensitivity,
  type L2Sensitivity,
  type Neighbours,
  statedL1,
  statedL2,
  statedUtility,
  type UtilitySensitivity,
} from './bounding.ts'
export { clipL1, clipL2 } from './clipping.ts'
export { type ConsistencyTree, consistencyTree, type MeasuredNode, treeSums } from './consistency/index.ts'
export * from './continual/index.ts'
export {
  AlreadyReleasedError,
  BudgetExceededError,
  DuplicateChargeError,
  LedgerError,
  ParameterError,
  RandomnessError,
  UnchargedReleaseError,
} from './errors.ts'
export { discreteGaussianLaw } from './laws/discrete-gaussian-law.ts'
export { discreteLaplaceLaw } from './laws/discrete-laplace-law.ts'
export type { Bounds, NoiseLaw } from './laws/law.ts'
export * from './ledger/index.ts'
export type { PrivacyLoss } from './loss.ts'
export { type DiscreteGaussianOptions, discreteGaussianMechanism } from './mechanisms/discrete-gaussian.ts'
export { type DiscreteLaplaceOptions, discreteLaplaceMechanism } from './mechanisms/discrete-laplace.ts'
export * as mechanisms from './mechanisms/index.ts'
export type { Mechanism, MechanismFacts } from './mechanisms/mechanism.ts'
export type { BitSource, SecureBits } from './random/bit-source.ts'
export { secureBits } from './random/secure.ts'
export type { Rational, Rounding } from './rational.ts'
export * as rational from './rational.ts'
export {
  bernoulli,
  bernoulliExp,
  discreteGaussian,
  discreteLaplace,
  discreteStaircase,
  geometric,
  type IntegerSampler,
  roundedGaussian,
  type Staircase,
  selectByFlip,
  selectByWeight,
  uniformInteger,
  type Weighted,
} from './samplers/index.ts'
export * from './selection/index.ts'
export type { ChargeFirst } from './tools/charge.ts'
export * as tools from './tools/index.ts'
export { approxDpToRho, gaussianRho, gaussianSigma2, pureDpToRho, zcdpToDelta, zcdpToEpsilon } from './zcdp.ts'
