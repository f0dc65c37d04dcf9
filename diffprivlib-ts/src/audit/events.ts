import type { BinnedScore } from './bins.ts'

/** How often an event came, in so many runs, where its world is the one that it points to and where it is the other. */
export interface EventCounts {
  readonly for: number
  readonly forRuns: number
  readonly against: number
  readonly againstRuns: number
}

/** A set of outputs that is likelier in one world. */
export interface AuditEvent {
  readonly describe: string
  /** The world that it points to. */
  readonly world: 0 | 1
  readonly chosenOn: EventCounts
  readonly heldOut: EventCounts
}

const total = (counts: readonly number[], bins: readonly number[]): number =>
  bins.reduce((sum, bin) => sum + counts[bin]!, 0)

const all = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0)

/** The values of a set of bins in words: runs of neighbouring bins as intervals. */
const inWords = (edges: readonly number[], bins: readonly number[]): string => {
  const sorted = [...bins].sort((a, b) => a - b)
  const parts: string[] = []
  for (let i = 0; i < sorted.length; ) {
    const first = sorted[i]!
    let last = first
    while (first !== 0 && sorted[i + 1] === last + 1) {
      last += 1
      i += 1
    }
    i += 1
    if (first === 0) parts.push('absent')
    else parts.push(`(${first === 1 ? '-inf' : edges[first - 2]}, ${last > edges.length ? 'inf' : edges[last - 1]}]`)
  }
  return parts.length > 6 ? `${parts.slice(0, 6).join(' or ')} or ${parts.length - 6} more` : parts.join(' or ')
}

/**
 * The events of one score: for each world the bins where it is likelier, most telling first, one more at a time (likelihood bins), and all
 * values above or below an edge (thresholds).
 */
export const eventsOf = (score: BinnedScore): readonly AuditEvent[] => {
  const bins = score.edges.length + 2
  const event = (world: 0 | 1, members: readonly number[]): AuditEvent => {
    const other = world === 0 ? 1 : 0
    const counts = (half: BinnedScore['chosenOn']): EventCounts => ({
      for: total(half[world], members),
      forRuns: all(half[world]),
      against: total(half[other], members),
      againstRuns: all(half[other]),
    })
    return {
      get describe() {
        return `${score.name} in ${inWords(score.edges, members)}`
      },
      world,
      chosenOn: counts(score.chosenOn),
      heldOut: counts(score.heldOut),
    }
  }
  const order = (world: 0 | 1): readonly number[] => {
    const [mine, others] = [score.chosenOn[world], score.chosenOn[world === 0 ? 1 : 0]]
    const telling = (bin: number) => (mine[bin]! + 0.5) / (others[bin]! + 0.5)
    return Array.from({ length: bins }, (_, bin) => bin)
      .filter((bin) => mine[bin]! + others[bin]! > 0)
      .sort((a, b) => telling(b) - telling(a))
  }
  const rising = Array.from({ length: bins - 1 }, (_, i) => i + 1)
  const falling = rising.toReversed()
  return ([0, 1] as const).flatMap((world) =>
    [order(world), rising, falling].flatMap((ranked) => ranked.map((_, i) => event(world, ranked.slice(0, i + 1)))),
  )
}
