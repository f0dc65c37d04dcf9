export {
  type Account,
  type AccountSnapshot,
  type ChargeRecord,
  type DisjointParts,
  disjointParts,
  openAccount,
  restoreAccount,
} from './account.ts'
export {
  AlreadyReleasedError,
  BudgetExceededError,
  DuplicateChargeError,
  ParameterError,
  RandomnessError,
} from './errors.ts'
export type { BitSource, SecureBits } from './random/bit-source.ts'
export { secureBits } from './random/secure.ts'
export type { Rational, Rounding } from './rational.ts'
export * as rational from './rational.ts'
export { discreteGaussian, discreteLaplace, type IntegerSampler } from './samplers/index.ts'
export { approxDpToRho, gaussianRho, gaussianSigma2, pureDpToRho, zcdpToDelta, zcdpToEpsilon } from './zcdp.ts'
