import type { EpochMs } from '../../schemas/codec.ts'
import { simulationRandom } from './random.ts'

/** A span in which a gateway passes nothing on. */
export interface Outage {
  readonly from: EpochMs
  readonly to: EpochMs
}

const hourMs = 3_600_000
const meanOutageMs = 3.5 * hourMs

/**
 * Outages of one gateway over [from, to), in order: 1 to 6 hours each, such that a share `down` of all time is lost.
 * They begin a day earlier than `from`, so that the share holds from the start.
 */
export function outagesOf(seed: number, gateway: number, down: number, from: EpochMs, to: EpochMs): readonly Outage[] {
  const list: Outage[] = []
  if (down <= 0) return list
  const random = simulationRandom(seed, 'gateway', gateway)
  const meanUp = meanOutageMs * (1 / down - 1)
  for (let at = from - 24 * hourMs; ; ) {
    const begins = at + random.exponential(meanUp)
    if (begins >= to) return list
    const ends = begins + random.between(1, 6) * hourMs
    if (ends > from) list.push({ from: Math.floor(begins), to: Math.floor(ends) })
    at = ends
  }
}

/** The outage that covers an instant. */
export function outageAt(outages: readonly Outage[], at: EpochMs): Outage | undefined {
  return outages.find((outage) => outage.from <= at && at < outage.to)
}
