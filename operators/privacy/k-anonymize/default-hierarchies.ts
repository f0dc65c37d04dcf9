import area from './hierarchies/area.json' with { type: 'json' }
import customerClass from './hierarchies/customer-class.json' with { type: 'json' }
import dwelling from './hierarchies/dwelling.json' with { type: 'json' }
import heating from './hierarchies/heating.json' with { type: 'json' }
import tariff from './hierarchies/tariff.json' with { type: 'json' }
import { type Attribute, compileHierarchy, type Generalisation } from './hierarchy.ts'

/** Neutral hierarchies of what travels with a household, from the data files. */
export const defaultHierarchies: readonly Generalisation[] = [area, tariff, heating, dwelling].map(compileHierarchy)

/** Beside `defaultHierarchies` where a record of one's own also carries the customer class. */
export const customerClassHierarchy: Generalisation = compileHierarchy(customerClass)

const partsAway = (count: number): string => (count === 1 ? 'without the last part' : `without the last ${count} parts`)

/** What the steps of each of `defaultHierarchies` are called, from the registered value to nothing. */
export const defaultSteps: ReadonlyMap<Attribute, readonly string[]> = new Map(
  [area, tariff, heating, dwelling].map((data): [Attribute, readonly string[]] => {
    const between = 'drop' in data ? data.drop.map(partsAway) : data.steps
    return [data.attribute as Attribute, ['as registered', ...between, 'nothing']]
  }),
)
