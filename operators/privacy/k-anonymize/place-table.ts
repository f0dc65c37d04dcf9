import type { RegisterEntry } from '../../../schemas/register-entry.ts'

/** What is asked of a household's entry: its connection point; its zone and the place of its measuring point if known. */
export type Placed = Pick<RegisterEntry, 'connection'> & Partial<Pick<RegisterEntry, 'partition' | 'index' | 'zone'>>

/** Homes by the places that entries of them have, one row after the other. */
export interface PlaceRows {
  readonly partitions: readonly number[]
  readonly indices: readonly number[]
  readonly homes: readonly number[]
}

/**
 * The number of an entry's household, found by its place. In a register of a million entries that touches one line of
 * memory, where a Map by connection point touches five. A place proves nothing by itself: the number counts only where the
 * very connection point is that of the row. Of all others, and of places far beyond the dense ones, `otherwise` answers.
 */
export function placeTable(
  { partitions, indices, homes }: PlaceRows,
  connections: readonly string[],
  numberOf: (home: number) => number,
  otherwise: (connection: string) => number | undefined,
): (entry: Placed) => number | undefined {
  const lengths = denseLengths(partitions, indices)
  // Connection point and number lie side by side, so that they share a line.
  const slots: ((string | number | undefined)[] | undefined)[] = lengths.map((length) =>
    new Array<string | number | undefined>(2 * length).fill(undefined),
  )
  for (let row = 0; row < homes.length; row++) {
    const index = indices[row]!
    const own = slots[partitions[row]!]
    if (own === undefined || 2 * index >= own.length) continue
    const home = homes[row]!
    own[2 * index] = connections[home]!
    own[2 * index + 1] = numberOf(home)
  }
  return ({ connection, partition, index }) => {
    const own = partition === undefined ? undefined : slots[partition]
    if (own !== undefined && index !== undefined && own[2 * index] === connection) return own[2 * index + 1] as number
    return otherwise(connection)
  }
}

/** Most partitions that have a table of their own. */
const mostPartitions = 4_096

/** How long the table of each partition must be for the places that are dense: one far out would cost the room of many. */
function denseLengths(partitions: readonly number[], indices: readonly number[]): number[] {
  const counts: number[] = []
  for (const partition of partitions) {
    if (partition >= mostPartitions) continue
    while (counts.length <= partition) counts.push(0)
    counts[partition]! += 1
  }
  const lengths = counts.map(() => 0)
  for (let row = 0; row < partitions.length; row++) {
    const partition = partitions[row]!
    const index = indices[row]!
    const count = counts[partition]
    if (count === undefined || index < lengths[partition]! || index >= 4 * count + 1_024) continue
    lengths[partition] = index + 1
  }
  return lengths
}
