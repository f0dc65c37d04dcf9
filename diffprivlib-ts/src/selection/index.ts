export { type GroupLimit, limitGroups } from './group-limit.ts'
export {
  type PartitionSelection,
  type PartitionSelectionFacts,
  type PartitionSelectionOptions,
  partitionSelection,
} from './partition-selection.ts'
export { type ThresholdNoise, type ThresholdQuestion, thresholdDelta, thresholdFor } from './threshold.ts'
export {
  type ThresholdedCounts,
  type ThresholdedCountsFacts,
  type ThresholdedCountsOptions,
  thresholdedCounts,
} from './thresholded-counts.ts'
