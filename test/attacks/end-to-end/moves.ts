import { type Rational, rational } from 'diffprivlib-ts'
import type { SeenRecord } from '../../../pipelines/simulation/audit-stage.ts'

/**
 * From what is published without noise: the exact sum over every draw of (what the household-day adds to it)^2 / variance,
 * which is mu^2 of the whole release.
 */
export function squareOf(there: readonly SeenRecord[], not: readonly SeenRecord[]): Rational {
  const preliminary = new Map<string, number>()
  let sum = rational.zero
  there.forEach(({ record }, i) => {
    const { level, group, channel, window, privacy, phase } = record
    const name = `${level}/${group}/${channel}/${window}`
    const wh = record.rawWh! - not[i]!.record.rawWh!
    const late = phase === 'final'
    const adds = BigInt(late ? wh - preliminary.get(name)! : wh)
    preliminary.set(name, wh)
    // A final value states the variance of two equal draws.
    const draws = rational.integer(late ? 2 : 1)
    const square = rational.mul(draws, rational.integer(adds * adds))
    sum = rational.add(sum, rational.div(square, rational.parse(privacy.sigma2)))
  })
  return sum
}
