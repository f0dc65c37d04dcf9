// One of each mechanism, built the same way for every test that must hold for all.
import { statedL1, statedL2, statedUtility } from '../../src/bounding.ts'
import type { Bounds } from '../../src/laws/law.ts'
import type { PrivacyLoss } from '../../src/loss.ts'
import * as mechanisms from '../../src/mechanisms/index.ts'
import type { SecureBits } from '../../src/random/bit-source.ts'
import { secureBits } from '../../src/random/secure.ts'
import { decimal, integer, type Rational } from '../../src/rational.ts'

/** What all mechanisms have. */
export interface AnyMechanism {
  readonly facts: mechanisms.ReleaseFacts
  readonly loss: PrivacyLoss
  readonly release: () => unknown
  readonly variance?: Bounds
  readonly interval?: (confidence: Rational) => bigint | Rational
}

const neighbours = 'add-remove'
const because = 'the test says so'

/** Sensitivity 1 in every form. */
export const sensitivities = {
  l1: statedL1({ neighbours, l1: integer(1), because }),
  l2: statedL2({ neighbours, l2Squared: integer(1), because }),
  utility: statedUtility({ neighbours, sensitivity: integer(1), monotonic: false, because }),
}

const { l1, l2, utility } = sensitivities
const grid = decimal('0.01')
const epsilon = integer(1)
const delta = decimal('1e-5')
const ends = { lower: integer(0), upper: integer(10) }

/** A secret that no message or fact may show. */
export const secret = 7.25
const secretInteger = 7n

/** One builder of each, under its name. */
export const catalogue: Readonly<Record<string, (bits?: SecureBits) => AnyMechanism>> = {
  laplace: (bits = secureBits()) => {
    const it = mechanisms.laplace({ neighbours, sensitivity: l1, epsilon, grid }, bits)
    return { ...it, variance: it.variance(), release: () => it.randomise(secret) }
  },
  laplaceTruncated: (bits = secureBits()) => {
    const it = mechanisms.laplaceTruncated({ neighbours, sensitivity: l1, epsilon, grid, ...ends }, bits)
    return { ...it, variance: it.variance(integer(3)), release: () => it.randomise(secret) }
  },
  laplaceFolded: (bits = secureBits()) => {
    const it = mechanisms.laplaceFolded({ neighbours, sensitivity: l1, epsilon, grid, ...ends }, bits)
    return { ...it, variance: it.variance(integer(3)), release: () => it.randomise(secret) }
  },
  laplaceBoundedDomain: (bits = secureBits()) => {
    const it = mechanisms.laplaceBoundedDomain({ neighbours, sensitivity: l1, epsilon, grid, ...ends }, bits)
    return { ...it, variance: it.variance(integer(3)), release: () => it.randomise(secret) }
  },
  laplaceBoundedNoise: (bits = secureBits()) => {
    const it = mechanisms.laplaceBoundedNoise({ neighbours, sensitivity: l1, epsilon, delta, grid }, bits)
    return { ...it, variance: it.variance(), release: () => it.randomise(secret) }
  },
  uniform: (bits = secureBits()) => {
    const it = mechanisms.uniform({ neighbours, sensitivity: l1, delta: decimal('0.1'), grid }, bits)
    return { ...it, variance: it.variance(), release: () => it.randomise(secret) }
  },
  staircase: (bits = secureBits()) => {
    const it = mechanisms.staircase({ neighbours, sensitivity: l1, epsilon, grid }, bits)
    return { ...it, variance: it.variance(), release: () => it.randomise(secret) }
  },
  snapping: (bits = secureBits()) => {
    const it = mechanisms.snapping({ neighbours, sensitivity: l1, epsilon, ...ends }, bits)
    return { ...it, variance: it.variance(integer(3)), release: () => it.randomise(secret) }
  },
  gaussian: (bits = secureBits()) => {
    const it = mechanisms.gaussian({ neighbours, sensitivity: l2, epsilon, delta, grid }, bits)
    return { ...it, variance: it.variance(), release: () => it.randomise(secret) }
  },
  gaussianAnalytic: (bits = secureBits()) => {
    const it = mechanisms.gaussianAnalytic({ neighbours, sensitivity: l2, epsilon, delta, grid }, bits)
    return { ...it, variance: it.variance(), release: () => it.randomise(secret) }
  },
  gaussianDiscrete: (bits = secureBits()) => {
    const it = mechanisms.gaussianDiscrete({ neighbours, sensitivity: l2, epsilon, delta }, bits)
    return { ...it, variance: it.variance(), release: () => it.randomise(secretInteger) }
  },
  geometric: (bits = secureBits()) => {
    const it = mechanisms.geometric({ neighbours, sensitivity: l1, epsilon }, bits)
    return { ...it, variance: it.variance(), release: () => it.randomise(secretInteger) }
  },
  geometricTruncated: (bits = secureBits()) => {
    const it = mechanisms.geometricTruncated({ neighbours, sensitivity: l1, epsilon, lower: 0n, upper: 10n }, bits)
    return { ...it, variance: it.variance(3n), release: () => it.randomise(secretInteger) }
  },
  geometricFolded: (bits = secureBits()) => {
    const bounds = { lower: decimal('-0.5'), upper: integer(10) }
    const it = mechanisms.geometricFolded({ neighbours, sensitivity: l1, epsilon, ...bounds }, bits)
    return { ...it, variance: it.variance(3n), release: () => it.randomise(secretInteger) }
  },
  exponential: (bits = secureBits()) => {
    const utilities = [1, 2, 3].map(integer)
    const it = mechanisms.exponential({ neighbours, sensitivity: utility, epsilon, utility: utilities }, bits)
    return { ...it, release: () => it.randomise() }
  },
  permuteAndFlip: (bits = secureBits()) => {
    const utilities = [1, 2, 3].map(integer)
    const it = mechanisms.permuteAndFlip({ neighbours, sensitivity: utility, epsilon, utility: utilities }, bits)
    return { ...it, release: () => it.randomise() }
  },
  binary: (bits = secureBits()) => {
    const it = mechanisms.binary({ neighbours: 'replace-one', epsilon, value0: 'no', value1: 'yes' }, bits)
    return { ...it, release: () => it.randomise('yes') }
  },
  exponentialCategorical: (bits = secureBits()) => {
    const utilityList = [
      ['A', 'B', integer(1)],
      ['A', 'C', integer(2)],
      ['B', 'C', integer(2)],
    ] as const
    const it = mechanisms.exponentialCategorical({ neighbours: 'replace-one', epsilon, utilityList }, bits)
    return { ...it, release: () => it.randomise('A') }
  },
  exponentialHierarchical: (bits = secureBits()) => {
    const hierarchy = [
      ['A', 'B'],
      ['C', 'D'],
    ] as const
    const it = mechanisms.exponentialHierarchical({ neighbours: 'replace-one', epsilon, hierarchy }, bits)
    return { ...it, release: () => it.randomise('A') }
  },
  vector: (bits = secureBits()) => {
    const it = mechanisms.vector({ neighbours, sensitivity: l2, epsilon, dimension: 2, grid }, bits)
    return { ...it, release: () => it.randomise([secret, secret]) }
  },
}
