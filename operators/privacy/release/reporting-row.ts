import { type Rational, rational } from 'diffprivlib-ts'

/**
 * Who reported on a local day, and what its charge pays for the one selection that may be made from it. Exact: never
 * leaves load.state.
 */
export interface Reporting {
  readonly epsilon: Rational
  readonly delta: Rational
  /** Most measuring points that one household could have in the counts. */
  readonly pointsAtConnection: number
  /** Values of the window at midday by group, as `groupName` names it: a measuring point counts once. */
  readonly counts: Map<string, number>
}

/** The same as data that survives JSON. */
export interface ReportingBody {
  readonly epsilon: string
  readonly delta: string
  readonly pointsAtConnection: number
  readonly counts: readonly (readonly [name: string, count: number])[]
}

export function reportingBody({ epsilon, delta, pointsAtConnection, counts }: Reporting): ReportingBody {
  const texts = { epsilon: rational.format(epsilon), delta: rational.format(delta) }
  return { ...texts, pointsAtConnection, counts: [...counts] }
}

export function reportingFrom({ epsilon, delta, pointsAtConnection, counts }: ReportingBody): Reporting {
  const parsed = { epsilon: rational.parse(epsilon), delta: rational.parse(delta) }
  return { ...parsed, pointsAtConnection, counts: new Map(counts) }
}
