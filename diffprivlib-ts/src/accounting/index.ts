export {
  advancedEpsilon,
  basicEpsilon,
  kairouzOhViswanathEpsilon,
  optimalComposition,
} from './approximate.ts'
export {
  type Budget,
  type BudgetAccountant,
  type BudgetAccountantOptions,
  type BudgetFigure,
  budgetAccountant,
  loadDefault,
  popDefault,
} from './budget-accountant.ts'
export type { PrivacyCap } from './cap.ts'
export {
  type CompositionName,
  deltaBy,
  epsilonBy,
  type TightestEpsilon,
  tallyRho,
  tightestEpsilon,
} from './composition.ts'
export { type DisjointLosses, disjointLosses, type LossPart } from './disjoint.ts'
export { analyticGaussianSigma2, approxDpToMuSquared, gaussianToDelta, gaussianToEpsilon } from './gaussian.ts'
export { type Odometer, openOdometer } from './odometer.ts'
export { pldToDelta, pldToEpsilon } from './pld.ts'
export {
  openPrivacyAccount,
  type PrivacyAccount,
  type PrivacyAccountOptions,
  type UnitAccount,
} from './privacy-account.ts'
export {
  boundedRangeKl,
  boundedRangeRho,
  defaultOrders,
  gaussianRenyi,
  laplaceRenyi,
  type RenyiCurve,
  type RenyiEpsilon,
  renyiToDelta,
  renyiToEpsilon,
  tallyRenyi,
} from './renyi.ts'
export { addLoss, emptyTally, type LaplaceTally, type LossTally, tallyOf } from './tally.ts'
export { type BudgetDistribution, budgetDistribution, windowSpent } from './w-event.ts'
