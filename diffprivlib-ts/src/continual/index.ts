export { type ExpectedError, expectedError } from './expected-error.ts'
export {
  type ContinualFacts,
  type ContinualOptions,
  type ContinualRelease,
  type ContinualSnapshot,
  type ContinualStep,
  continualRelease,
  restoreContinualRelease,
} from './release.ts'
export { oneStep, type Participation, strategySensitivity } from './sensitivity.ts'
export {
  binaryTree,
  independentSteps,
  type OptimisedOptions,
  optimisedToeplitz,
  refinedTree,
  type Strategy,
  squareRootToeplitz,
  type ToeplitzOptions,
  type ToeplitzStrategy,
  type TreeOptions,
  type TreeStrategy,
  toeplitz,
} from './strategy.ts'
export { prefixErrorBound, type Workload } from './workload.ts'
