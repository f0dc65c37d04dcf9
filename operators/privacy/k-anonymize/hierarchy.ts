/** Stands for a value that is not told: the last step of every hierarchy. */
export const suppressed = '*'

/** What of a register entry can be generalised. */
export const attributes = ['area', 'tariff', 'heating', 'dwelling', 'customerClass'] as const
export type Attribute = (typeof attributes)[number]

interface HierarchyHead {
  readonly attribute: Attribute
  readonly version: number
  /** One sentence for whoever signs the rules. */
  readonly describes: string
}

/**
 * How the values of an attribute are told ever more coarsely, as its data file holds it. Step 0 is the value as
 * registered and the last step tells nothing; a file gives what lies between. A `table` lists for each value what it is
 * called at each step; values that are not listed are called `otherwise`. `parts` are names of the form a-b-c, of which a
 * step leaves away the last `drop` ones.
 */
export type Hierarchy =
  | (HierarchyHead & {
      readonly kind: 'table'
      /** Names of the steps between the registered value and nothing. */
      readonly steps: readonly string[]
      readonly values: Readonly<Record<string, readonly string[]>>
      readonly otherwise: readonly string[]
    })
  | (HierarchyHead & { readonly kind: 'parts'; readonly separator: string; readonly drop: readonly number[] })

/** A hierarchy that is no hierarchy. The message names the attribute and what is wrong. */
export class HierarchyError extends Error {
  override readonly name = 'HierarchyError'
}

/** A checked hierarchy. */
export interface Generalisation {
  readonly attribute: Attribute
  /** How many steps there are, the registered value and `*` included. */
  readonly steps: number
  /** What a registered value is called at a step, from 0. */
  readonly told: (value: string, step: number) => string
}

/**
 * Checks what a data file holds and makes it usable. Whoever is told apart at one step is told apart at every finer step:
 * a table where two values meet and part again is refused. Throws HierarchyError.
 */
export function compileHierarchy(data: unknown): Generalisation {
  const hierarchy = checked(data)
  const { attribute } = hierarchy
  if (hierarchy.kind === 'parts') {
    const { separator, drop } = hierarchy
    const cut = (value: string, count: number): string => {
      const parts = value.split(separator)
      return parts.length > count ? [...parts.slice(0, -count), suppressed].join(separator) : suppressed
    }
    return { attribute, steps: drop.length + 2, told: telling(drop.length + 2, (v, step) => cut(v, drop[step - 1]!)) }
  }
  const { steps, values, otherwise } = hierarchy
  const known = new Map(Object.entries(values))
  const path = (value: string): readonly string[] => known.get(value) ?? otherwise
  return { attribute, steps: steps.length + 2, told: telling(steps.length + 2, (v, step) => path(v)[step - 1]!) }
}

/** First and last step are the same for every hierarchy. */
const telling =
  (steps: number, between: (value: string, step: number) => string) =>
  (value: string, step: number): string => {
    if (step === 0) return value
    return step >= steps - 1 ? suppressed : between(value, step)
  }

type Fields = Readonly<Record<string, unknown>>

const isFields = (data: unknown): data is Fields => typeof data === 'object' && data !== null && !Array.isArray(data)
const isText = (data: unknown): data is string => typeof data === 'string' && data !== ''
const isTexts = (data: unknown): data is readonly string[] => Array.isArray(data) && data.every(isText)

function checked(data: unknown): Hierarchy {
  if (!isFields(data)) throw new HierarchyError('a hierarchy is an object with attribute, version, describes and kind')
  const { attribute, version, describes, kind } = data
  if (!attributes.some((known) => known === attribute)) {
    throw new HierarchyError(`attribute must be one of ${attributes.join(', ')}, not ${JSON.stringify(attribute)}`)
  }
  const refuse: (what: string) => never = (what) => {
    throw new HierarchyError(`the hierarchy of ${attribute}: ${what}`)
  }
  if (!Number.isSafeInteger(version) || (version as number) < 1) refuse('version must be a whole number from 1')
  if (!isText(describes)) refuse('describes must be a sentence')
  const own = { table: ['steps', 'values', 'otherwise'], parts: ['separator', 'drop'] }
  if (kind !== 'table' && kind !== 'parts') refuse('kind must be "table" or "parts"')
  const allowed = ['attribute', 'version', 'describes', 'kind', ...own[kind]]
  const unknown = Object.keys(data).find((key) => !allowed.includes(key))
  if (unknown !== undefined) refuse(`${unknown} is not a field of kind "${kind}"; it has ${allowed.join(', ')}`)
  if (kind === 'parts') checkParts(data, refuse)
  else checkTable(data, refuse)
  return data as unknown as Hierarchy
}

function checkParts({ separator, drop }: Fields, refuse: (what: string) => never): void {
  if (!isText(separator)) refuse('separator must be a text of at least one character')
  const sound =
    Array.isArray(drop) &&
    drop.every((count, i) => Number.isSafeInteger(count) && count > (i === 0 ? 0 : (drop[i - 1] as number)))
  if (!sound) refuse('drop must be rising whole numbers from 1')
}

function checkTable({ steps, values, otherwise }: Fields, refuse: (what: string) => never): void {
  if (!isTexts(steps)) refuse('steps must be a list of names')
  const isPath = (path: unknown): path is readonly string[] => isTexts(path) && path.length === steps.length
  if (!isFields(values)) refuse('values must be an object from registered values to a name per step')
  for (const [value, path] of Object.entries(values)) {
    if (!isPath(path)) refuse(`the value "${value}" must have ${steps.length} names, one per step`)
  }
  if (!isPath(otherwise)) refuse(`otherwise must have ${steps.length} names, one per step`)
  const paths = [...Object.values(values), otherwise] as readonly (readonly string[])[]
  for (let step = 0; step + 1 < steps.length; step++) {
    const coarser = new Map<string, string>()
    for (const path of paths) {
      const [name, next] = [path[step]!, path[step + 1]!]
      if ((coarser.get(name) ?? next) !== next) {
        refuse(`"${name}" becomes both "${coarser.get(name)}" and "${next}" at step "${steps[step + 1]}"`)
      }
      coarser.set(name, next)
    }
  }
}
