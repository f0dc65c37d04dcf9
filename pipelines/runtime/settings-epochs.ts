import { z } from 'zod'
import { capOf, isDate } from '../../operators/contract/policy-epoch.ts'
import { levels } from '../../schemas/register-entry.ts'
import { type SettingSpec, shown } from './settings-kinds.ts'

const clipRange = 'must be a whole number of Wh from 100 to 1,000,000'
const clip = z.number({ error: clipRange }).int(clipRange).min(100, clipRange).max(1_000_000, clipRange).optional()

const dateRange = 'must be a day of the calendar, YYYY-MM-DD'
const ruleRange =
  'must be "fuse", with ", at most <n> Wh per hour" and then ", at most half of what is left" after it or not'

const epoch = z.strictObject(
  {
    from: z.string({ error: dateRange }).refine(isDate, dateRange),
    clipWhPerHalfHour: z
      .strictObject(Object.fromEntries(levels.map((level) => [level, clip])), {
        error: `must be an object of bounds by level: ${levels.join(', ')}`,
      })
      .optional(),
    capRule: z
      .string({ error: ruleRange })
      .refine((rule) => capOf(rule) !== undefined, ruleRange)
      .optional(),
  },
  { error: 'must be an object of from, clipWhPerHalfHour and capRule' },
)

const epochs = z.array(epoch).superRefine((list, context) => {
  list.forEach(({ from }, i) => {
    const before = list[i - 1]?.from
    if (before === undefined || before < from) return
    context.addIssue({ code: 'custom', path: [i, 'from'], message: `must come after ${before}, the one before it` })
  })
})

/** What is wrong in a list of epochs, by field; nothing for what is no list. */
function epochProblems(value: unknown): readonly string[] {
  const parsed = epochs.safeParse(value)
  if (parsed.success || !Array.isArray(value)) return []
  return parsed.error.issues.map((issue) => {
    const [at, ...path] = issue.path
    const name = [`[${String(at)}]`, ...path.map(String)].join('.')
    if (issue.code === 'unrecognized_keys') {
      const known = path.length === 0 ? 'from, clipWhPerHalfHour and capRule' : levels.join(', ')
      return `${name} may hold ${known} only, and holds ${issue.keys.join(', ')}`
    }
    const found = issue.path.reduce<unknown>((held, key) => (held as Record<PropertyKey, unknown>)?.[key], value)
    return found === undefined
      ? `${name} is missing: it ${issue.message}`
      : `${name} ${issue.message}, and is ${shown(found)}`
  })
}

/** The dated bounds of a policy: a list in the file, and the same list as JSON in the environment. */
export const epochsSpec: SettingSpec = {
  key: 'policy.epochs',
  variable: 'METERVEIL_POLICY_EPOCHS',
  schema: epochs,
  problems: epochProblems,
  range: 'a JSON list of {from, clipWhPerHalfHour, capRule}, dates ascending',
  fallback: 'the bounds above hold on every day',
  help: 'Bounds from a local date on. What an epoch leaves out stays; `policy show` prints what holds when.',
  parse: (text) => {
    try {
      return JSON.parse(text)
    } catch {
      return text
    }
  },
}
