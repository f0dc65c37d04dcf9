import { z } from 'zod'
import { capOf, isDate } from '../../operators/contract/policy-epoch.ts'
import { levels } from '../../schemas/register-entry.ts'
import type { SettingSpec } from './settings-kinds.ts'

const clip = z.number().int().min(100).max(1_000_000).optional()

const epoch = z.strictObject({
  from: z.string().refine(isDate),
  clipWhPerHalfHour: z.strictObject(Object.fromEntries(levels.map((level) => [level, clip]))).optional(),
  capRule: z
    .string()
    .refine((rule) => capOf(rule) !== undefined)
    .optional(),
})

/** The dated bounds of a policy: a list in the file, and the same list as JSON in the environment. */
export const epochsSpec: SettingSpec = {
  key: 'policy.epochs',
  variable: 'METERVEIL_POLICY_EPOCHS',
  schema: z.array(epoch).refine((list) => list.every(({ from }, i) => i === 0 || (list[i - 1]?.from ?? '') < from)),
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
