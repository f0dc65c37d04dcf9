import type { Score } from './scores.ts'

const mostBins = 64

/** A score cut into bins, with the counts of both halves of both worlds. Bin 0 holds absent figures. */
export interface BinnedScore {
  readonly name: string
  /** Bin i holds values up to edges[i - 1], the last bin those above all edges. */
  readonly edges: readonly number[]
  readonly chosenOn: readonly [readonly number[], readonly number[]]
  readonly heldOut: readonly [readonly number[], readonly number[]]
}

const binOf = (edges: readonly number[], value: number): number => {
  if (Number.isNaN(value)) return 0
  let [low, high] = [0, edges.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (value <= edges[middle]!) high = middle
    else low = middle + 1
  }
  return low + 1
}

/** Edges between distinct values where there are few, else at even shares of the runs, finer towards both ends. */
const edgesOf = (values: readonly number[]): readonly number[] => {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b)
  const distinct = sorted.filter((value, i) => i === 0 || value !== sorted[i - 1])
  if (distinct.length <= mostBins) return distinct.slice(0, -1)
  const shares = [0.001, 0.002, 0.005, 0.01, 0.02]
  const even = Array.from({ length: mostBins - 12 }, (_, i) => (i + 1) / (mostBins - 11))
  const all = [...shares, ...even, ...shares.map((share) => 1 - share)].sort((a, b) => a - b)
  const edges = all.map((share) => sorted[Math.floor(share * (sorted.length - 1))]!)
  return edges.filter((edge, i) => i === 0 || edge > edges[i - 1]!)
}

const histogram = (score: Score, edges: readonly number[], rows: readonly (readonly number[])[]): readonly number[] => {
  const counts = new Array<number>(edges.length + 2).fill(0)
  for (const row of rows) {
    const bin = binOf(edges, score.of(row))
    counts[bin] = counts[bin]! + 1
  }
  return counts
}

/** Cuts a score into at most 65 bins, from the first halves alone, and counts all four halves. */
export const binScore = (
  score: Score,
  chosenOn: readonly [readonly (readonly number[])[], readonly (readonly number[])[]],
  heldOut: readonly [readonly (readonly number[])[], readonly (readonly number[])[]],
): BinnedScore => {
  const edges = edgesOf(chosenOn.flatMap((rows) => rows.map(score.of)))
  const count = (rows: readonly (readonly number[])[]) => histogram(score, edges, rows)
  return {
    name: score.name,
    edges,
    chosenOn: [count(chosenOn[0]), count(chosenOn[1])],
    heldOut: [count(heldOut[0]), count(heldOut[1])],
  }
}
