import { discreteGaussian, discreteLaplace, gaussianSigma2, rational } from 'diffprivlib-ts'
import type { BoundedSeries } from './bounded-pool.ts'
import type { Mix } from './groups.ts'

/** Root mean square error as a part of the mean load: every interval clipped at the cap, and at the cap that does best. */
export interface NaiveErrors {
  readonly atCap: number
  readonly tuned: number
  /** The cap that did best, in Wh per window. */
  readonly tunedCap: number
}

const caps = [250, 350, 500, 700, 1_000, 1_400, 2_000, 2_800, 4_000, 5_600]

/**
 * What a release without a joint bound would do: each interval clipped on its own and noised as one of all intervals of the
 * day. `laplace`: scale T C / epsilon, pure epsilon. `gaussian`: sigma from the same rho as ours with sensitivity C sqrt(T).
 */
export function naiveErrors(
  mechanism: 'laplace' | 'gaussian',
  pool: readonly BoundedSeries[],
  mixes: readonly Mix[],
  options: {
    readonly capWh: number
    readonly perDay: number
    readonly epsilon: string
    readonly rho: string
    readonly from: number
  },
): NaiveErrors {
  const { capWh, from } = options
  const errors = (cap: number): number => {
    const noise = samplerOf(mechanism, cap, options)
    let squares = 0
    let load = 0
    let count = 0
    for (const mix of mixes) {
      const windows = pool[0]!.exact.length
      const truth = new Float64Array(windows)
      const clipped = new Float64Array(windows)
      for (const [member, times] of mix) {
        const { exact } = pool[member]!
        for (let at = from; at < windows; at++) {
          truth[at]! += times * exact[at]!
          clipped[at]! += times * Math.min(exact[at]!, cap)
        }
      }
      for (let at = from; at < windows; at++) {
        squares += (clipped[at]! + Number(noise.next()) - truth[at]!) ** 2
        load += truth[at]!
        count += 1
      }
    }
    return Math.sqrt(squares / count) / (load / count)
  }
  const tried = [...caps.filter((cap) => cap < capWh), capWh].map((cap) => [cap, errors(cap)] as const)
  const [tunedCap, tuned] = tried.reduce((best, each) => (each[1] < best[1] ? each : best))
  return { atCap: tried.at(-1)![1], tuned, tunedCap }
}

function samplerOf(
  mechanism: 'laplace' | 'gaussian',
  cap: number,
  { perDay, epsilon, rho }: { readonly perDay: number; readonly epsilon: string; readonly rho: string },
) {
  const C = rational.integer(cap)
  const T = rational.integer(perDay)
  if (mechanism === 'laplace') return discreteLaplace(rational.div(rational.mul(C, T), rational.parse(epsilon)))
  return discreteGaussian(gaussianSigma2(rational.mul(rational.mul(C, C), T), rational.parse(rho)))
}
