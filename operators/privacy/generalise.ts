import type { RegisterEntry } from '../../schemas/register-entry.ts'
import type { GeneralAttributes } from './pseudonymize.ts'

/** Stands for a value that is not told. */
export const suppressed = '*'

/** What is still told at each step, finest first. */
const steps: readonly ((entry: RegisterEntry) => GeneralAttributes)[] = [
  ({ area, tariff, heating, dwelling }) => ({ area, tariff, heating, dwelling }),
  ({ area, tariff }) => ({ area, tariff, heating: suppressed, dwelling: suppressed }),
  ({ area }) => ({ area, tariff: suppressed, heating: suppressed, dwelling: suppressed }),
  () => ({ area: suppressed, tariff: suppressed, heating: suppressed, dwelling: suppressed }),
]

const last = steps.length - 1
const nameOf = (attributes: GeneralAttributes): string => JSON.stringify(Object.values(attributes))

/**
 * Coarsens what travels with a household until at least `k` registered connection points share it, from the register
 * alone. Households that no step makes common enough are told nothing of; if they are fewer than `k` even together, the
 * smallest other combination joins them, so that telling nothing does not stand out either.
 */
export function generalise(entries: Iterable<RegisterEntry>, k: number): (entry: RegisterEntry) => GeneralAttributes {
  const homes = new Map<string, RegisterEntry>()
  for (const entry of entries) homes.set(entry.connection, entry)
  const told = new Map<string, GeneralAttributes>()
  let left = [...homes.values()]
  const classes: { readonly attributes: GeneralAttributes; readonly members: readonly RegisterEntry[] }[] = []
  for (const step of steps.slice(0, last)) {
    const groups = Map.groupBy(left, (entry) => nameOf(step(entry)))
    left = []
    for (const members of groups.values()) {
      if (members.length >= k) classes.push({ attributes: step(members[0]!), members })
      else left.push(...members)
    }
  }
  classes.sort((a, b) => b.members.length - a.members.length)
  while (left.length > 0 && left.length < k && classes.length > 0) left.push(...classes.pop()!.members)
  for (const { attributes, members } of classes) for (const { connection } of members) told.set(connection, attributes)
  const nothing = steps[last]!
  return (entry) => told.get(entry.connection) ?? nothing(entry)
}
