import type { Neighbours } from '../bounding.ts'
import type { BitSource } from '../random/bit-source.ts'
import { flipSampler } from '../samplers/selection.ts'
import { type SelectionOptions, selectionParts } from './exponential.ts'
import { once, type PrivateMechanism, securely } from './release.ts'

/** `permuteAndFlip` over any bits; only the secure door and the test door export it. */
export const permuteAndFlipOver = <N extends Neighbours, T = number>(
  options: SelectionOptions<N, T>,
  bits: BitSource,
): PrivateMechanism<N, void, T> => {
  const { exponents, release, loss, facts } = selectionParts('permute-and-flip', options)
  const spend = once()
  const sample = flipSampler(exponents, bits)
  return Object.freeze({
    facts,
    loss,
    randomise: () => {
      spend()
      return release(sample())
    },
  })
}

/**
 * Releases one candidate by permute-and-flip (McKenna and Sheldon, 2020, arXiv 2010.12603): candidates in random order, each taken with
 * probability exp(-epsilon (best - utility_i) / (2 sensitivity)). Same guarantee as `exponential` and never a worse expected utility. Exact.
 * Throws ParameterError for parameters outside their range.
 */
export const permuteAndFlip = securely(permuteAndFlipOver)
