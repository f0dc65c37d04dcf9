import type { Neighbours } from '../bounding.ts'
import {
  type ContinualOptions,
  type ContinualRelease,
  type ContinualSnapshot,
  continualReleaseOver,
} from '../continual/release.ts'
import {
  type PartitionSelection,
  type PartitionSelectionOptions,
  partitionSelectionOver,
} from '../selection/partition-selection.ts'
import {
  type ThresholdedCounts,
  type ThresholdedCountsOptions,
  thresholdedCountsOver,
} from '../selection/thresholded-counts.ts'
import { refuseProduction, type SeededBits } from './seeded-bits.ts'

/** `continualRelease`, or `restoreContinualRelease` from a snapshot, over reproducible bits. Throws ParameterError where NODE_ENV is production. */
export const seededContinualRelease = <N extends Neighbours>(
  options: ContinualOptions<N>,
  bits: SeededBits,
  snapshot?: ContinualSnapshot,
): ContinualRelease<N> => {
  refuseProduction('a seeded release')
  return continualReleaseOver(options, snapshot, bits)
}

/** `partitionSelection` over reproducible bits. Throws ParameterError where NODE_ENV is production. */
export const seededPartitionSelection = <N extends Neighbours>(
  options: PartitionSelectionOptions<N>,
  bits: SeededBits,
): PartitionSelection<N> => {
  refuseProduction('a seeded selection')
  return partitionSelectionOver(options, bits)
}

/** `thresholdedCounts` over reproducible bits. Throws ParameterError where NODE_ENV is production. */
export const seededThresholdedCounts = <N extends Neighbours>(
  options: ThresholdedCountsOptions<N>,
  bits: SeededBits,
): ThresholdedCounts<N> => {
  refuseProduction('a seeded release')
  return thresholdedCountsOver(options, bits)
}
