import { z } from 'zod'
import { type CustomerClass, customerClasses, type Level, levels } from '../../../../schemas/register-entry.ts'

/** The classes that rules tell apart: those of the register, and whoever may draw more than a public constant by contract. */
export const ruleClasses = [...customerClasses, 'large'] as const
export type RuleClass = CustomerClass | 'large'

/** Registered points by class. */
export interface ClassCounts extends Readonly<Record<RuleClass, number>> {
  /** By how much the homes that they are at least are fewer than the points: see `partOfHome`. Default 0. */
  readonly shared?: number
}

/** What the rules ask of a group that holds a class. */
export interface RuleOfClass {
  /** Fewest registered homes of such a group; each of n points at one home counts as 1/n of it, or less. */
  readonly minCount: number
  /** Largest part of a sum that one point may have; `null` for no rule. */
  readonly maxShare: string | null
  /** Public mean load of a point: turns the share into a count. */
  readonly meanWhPerDay: number
}

/** Longer windows for groups that are too small for the policy's. */
export interface CoarserStep {
  /** 3,600 or 86,400; the latter stands for the local day, of whatever length. */
  readonly seconds: 3_600 | 86_400
  /** Counts by class that suffice in such windows, at most those of the class. Default: those of the class. */
  readonly minCounts?: Readonly<Partial<Record<RuleClass, number | undefined>>> | undefined
}

/**
 * A regulator's rules of publication as data. Everything in it is decided on the register and on public constants, never
 * on what meters measured. Whoever answers for a release has a lawyer sign the set that it names.
 */
export interface RuleSet {
  readonly name: string
  readonly version: number
  readonly describes: string
  readonly jurisdiction: string
  /** Where the figures come from, and which of them are assumptions. */
  readonly source: string
  /** Who has to sign it. */
  readonly notice: string
  /** Without figures for agricultural points those of commercial ones hold for them. */
  readonly classes: Readonly<Record<Exclude<RuleClass, 'agricultural'>, RuleOfClass>> & {
    readonly agricultural?: RuleOfClass | undefined
  }
  /** Points that may draw more by contract are of class `large` and in groups of their own; the rest draw at most this. */
  readonly largeAboveWhPerHour: number
  /** The most that any point of class `large` may draw by contract. */
  readonly largestWhPerHour: number
  /** Levels of which groups are released, narrowest first: what is too small is told as part of the next one. */
  readonly mergePath: readonly Level[]
  /** Release only where sigma is at most this part of registered points times the policy's public mean load. */
  readonly maxRelativeNoise: string
  /** Finest first. */
  readonly coarser: readonly CoarserStep[]
  /** `batched`: a group whose members changed by fewer than the largest count is withheld until the changes add up. */
  readonly membership: 'batched' | 'free'
}

/** The rules of every class. */
export function rulesByClass({ classes }: Pick<RuleSet, 'classes'>): Readonly<Record<RuleClass, RuleOfClass>> {
  return { ...classes, agricultural: classes.agricultural ?? classes.commercial }
}

/** A rule set that is none. `problems` names every field that is wrong and what it may be. */
export class RuleSetError extends Error {
  override readonly name = 'RuleSetError'
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(`the rule set is wrong: ${problems.join('; ')}`)
    this.problems = problems
  }
}

const whole = (from: number, to: number) => {
  const error = `must be a whole number from ${from.toLocaleString('en-US')} to ${to.toLocaleString('en-US')}`
  return z.number({ error }).int({ error }).min(from, { error }).max(to, { error })
}
const sentence = z.string({ error: 'must be a text' }).min(1, { error: 'must be a text' }).max(1_000, {
  error: 'must be a text of at most 1,000 characters',
})
const isPart = (text: string): boolean => {
  const [, n = '0', d = '0'] = /^(\d{1,9})\/(\d{1,9})$/.exec(text) ?? []
  return Number(n) > 0 && Number(n) <= Number(d)
}
const part = z.string({ error: 'must be a fraction such as "3/20"' }).refine(isPart, {
  error: 'must be a fraction above 0 and at most 1, such as "3/20"',
})
const count = whole(1, 1_000_000)

const ruleOfClass = z.strictObject(
  { minCount: count, maxShare: part.nullable(), meanWhPerDay: whole(1, 1_000_000_000) },
  { error: 'must be an object of minCount, maxShare and meanWhPerDay' },
)
const byClass = <T extends z.ZodType>(of: T) =>
  Object.fromEntries(ruleClasses.map((each) => [each, of])) as Record<RuleClass, T>

const schema = z
  .strictObject({
    name: z.string({ error: 'must be a name' }).regex(/^[a-z0-9][a-z0-9-]{0,47}$/, {
      error: 'must be up to 48 lower-case letters, digits and hyphens',
    }),
    version: whole(1, 1_000_000),
    describes: sentence,
    jurisdiction: sentence,
    source: sentence,
    notice: sentence,
    classes: z.strictObject(
      { ...byClass(ruleOfClass), agricultural: ruleOfClass.optional() },
      { error: `must be an object of rules by class: ${ruleClasses.join(', ')}` },
    ),
    largeAboveWhPerHour: whole(1, 1_000_000_000),
    largestWhPerHour: whole(1, 1_000_000_000),
    mergePath: z
      .array(z.enum(levels, { error: `must be one of ${levels.join(', ')}` }), { error: 'must be a list of levels' })
      .min(1, { error: 'must name a level' })
      .refine(isPath, { error: 'must name each level once, the narrowest first' }),
    maxRelativeNoise: part,
    coarser: z
      .array(
        z.strictObject(
          {
            seconds: z.literal([3_600, 86_400], { error: 'must be 3600 or 86400' }),
            minCounts: z
              .strictObject(byClass(count.optional()), { error: 'must be an object of counts by class' })
              .optional(),
          },
          { error: 'must be an object of seconds and minCounts' },
        ),
        { error: 'must be a list of longer windows' },
      )
      .refine((steps) => steps.every(({ seconds }, i) => i === 0 || seconds > steps[i - 1]!.seconds), {
        error: 'must name each length once, the shortest first',
      }),
    membership: z.enum(['batched', 'free'], { error: 'must be "batched" or "free"' }),
  })
  .superRefine((set, context) => {
    const refuse = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message })
    if (set.largestWhPerHour < set.largeAboveWhPerHour) {
      refuse(['largestWhPerHour'], 'must be at least largeAboveWhPerHour')
    }
    // What is shown in short windows can be added up to longer ones, so those may not ask for more.
    const rules = rulesByClass(set)
    let most = Object.fromEntries(ruleClasses.map((each) => [each, rules[each].minCount])) as Record<RuleClass, number>
    set.coarser.forEach(({ minCounts = {} }, i) => {
      if (minCounts.agricultural !== undefined && !set.classes.agricultural) {
        refuse(['coarser', i, 'minCounts', 'agricultural'], 'must stand in classes too')
      }
      for (const each of ruleClasses) {
        if ((minCounts[each] ?? 0) > most[each]) {
          refuse(['coarser', i, 'minCounts', each], `must be at most ${most[each]}, which shorter windows ask for`)
        }
      }
      most = { ...most, ...present(minCounts) }
    })
  })

function isPath(path: readonly Level[]): boolean {
  return path.every((level, i) => i === 0 || levels.indexOf(level) < levels.indexOf(path[i - 1]!))
}

/** Counts that are given. */
export function present(counts: Readonly<Partial<Record<RuleClass, number | undefined>>>): Partial<ClassCounts> {
  return Object.fromEntries(Object.entries(counts).filter(([, value]) => value !== undefined))
}

const heldAt = (data: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((held, key) => (held as Record<PropertyKey, unknown> | null)?.[key], data)

/** Reads what a rules file holds. Throws RuleSetError with everything that is wrong: unknown fields too. */
export function parseRuleSet(data: unknown): RuleSet {
  const parsed = schema.safeParse(data)
  if (parsed.success) return parsed.data
  throw new RuleSetError(
    parsed.error.issues.map(({ code, path, message, ...issue }) => {
      const where = path.map(String).join('.')
      if (code !== 'unrecognized_keys') {
        if (where === '') return 'it must be one JSON object'
        return heldAt(data, path) === undefined ? `${where} is missing: it ${message}` : `${where} ${message}`
      }
      const names = (issue as { readonly keys: readonly string[] }).keys
      return `${[...path.map(String), ''].join('.')}${names.join(', ')} is no field of a rule set`
    }),
  )
}
