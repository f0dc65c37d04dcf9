import { type Attribute, attributes, type Generalisation, suppressed } from './hierarchy.ts'
import type { Steps } from './search.ts'

/** What is told of a household: a name per attribute, `*` where nothing. */
export type Told = Readonly<Record<Attribute, string>>

/** Nothing of any attribute. */
export const nothing: Told = Object.freeze(
  Object.fromEntries(attributes.map((attribute) => [attribute, suppressed])) as Record<Attribute, string>,
)

/** Registered values, one per hierarchy, as they are told at these steps. */
export function tell(hierarchies: readonly Generalisation[], steps: Steps, values: readonly string[]): Told {
  const named = hierarchies.map(({ attribute, told }, i) => [attribute, told(values[i]!, steps[i]!)] as const)
  return Object.freeze({ ...nothing, ...Object.fromEntries(named) })
}

/** Name of those in a zone who are told alike. */
export const classNamed = (zone: string, told: Told): string =>
  JSON.stringify([zone, ...attributes.map((attribute) => told[attribute])])

/** Those in a zone who are told alike. */
export interface ToldClass {
  readonly zone: string
  readonly name: string
  readonly told: Told
}

export const toldClass = (zone: string, told: Told): ToldClass => ({ zone, name: classNamed(zone, told), told })
