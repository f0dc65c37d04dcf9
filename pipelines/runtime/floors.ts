import type { LinkHead } from '../../schemas/accepted-link.ts'
import { type Pipeline, walk } from './stream.ts'

export const dayMs = 86_400_000

/** First local days (days since 1970) whose cells are still kept. */
export interface Floors {
  readonly floorDay: number
  /** Of tables whose cells are needed less long. */
  readonly tableFloors: ReadonlyMap<string, number>
}

/** First local day that may have ended less than half a day before an instant, in some time zone. */
export function floorDay(instant: number): number {
  return Math.floor(instant / dayMs) - 1
}

export const floorOf = ({ floorDay: lowest, tableFloors }: Floors, table: string): number =>
  Math.max(lowest, tableFloors.get(table) ?? lowest)

/** Which tables of a pipeline hold the cells of a local day until noon of the next one. */
export function briefTables({ nodes }: Pipeline): readonly string[] {
  return [...walk(nodes)].flatMap((node) =>
    node.kind === 'keyed' && node.step.state.aged === 'nextNoon' ? [node.step.state.name] : [],
  )
}

/**
 * What a link says of the cells that may be dropped once it is applied. Both floors come from the link, so that everyone
 * who applies it drops the same ones, under any settings: a floor by how long settings keep things would lose cells in
 * use when they keep them longer.
 */
export function floorsAfter(
  { floor, progress }: Pick<LinkHead, 'floor' | 'progress'>,
  brief: readonly string[],
): Floors {
  return { floorDay: floorDay(floor), tableFloors: new Map(brief.map((table) => [table, floorDay(progress)])) }
}
