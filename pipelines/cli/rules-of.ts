import { readFileSync } from 'node:fs'
import type { ReleasePolicy } from '../../operators/privacy/release/policy.ts'
import { placeLargeUsers } from '../../operators/privacy/release/rules/groups.ts'
import { parseRuleSet, type RuleSet, RuleSetError } from '../../operators/privacy/release/rules/rule-set.ts'
import { shippedRules } from '../../operators/privacy/release/rules/shipped.ts'
import type { RegisterEntry } from '../../schemas/register-entry.ts'
import { notJson } from '../runtime/json-fault.ts'
import { nearest } from '../runtime/nearest.ts'
import { usageError } from './errors.ts'

/** The rule set that holds where the settings name none. */
export const defaultRules = 'neutral'

/** A shipped rule set by its name, or the one of a JSON file. Throws a usage error that names everything that is wrong. */
export function ruleSetOf(nameOrPath: string): RuleSet {
  const shipped = shippedRules.get(nameOrPath)
  if (shipped) return shipped
  let text: string
  try {
    text = readFileSync(nameOrPath, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    const names = [...shippedRules.keys()]
    const [close] = nearest(nameOrPath, names, 1)
    throw usageError(
      `There are no rules ${nameOrPath}: neither a set that comes with this version nor a file.`,
      `${close ? `Did you mean ${close}? ` : ''}Name one of ${names.join(', ')}, or a JSON file.`,
    )
  }
  try {
    return parseRuleSet(JSON.parse(text))
  } catch (error) {
    if (!(error instanceof RuleSetError || error instanceof SyntaxError)) throw error
    const problems = error instanceof RuleSetError ? error.problems : [`the file ${notJson(text)}`]
    throw usageError(
      `The rules ${nameOrPath} are wrong:${problems.map((problem) => `\n  ${problem}`).join('')}`,
      'Correct them; meterveil rules show FILE checks again.',
    )
  }
}

/** The register as the rules of a policy place it: large users apart. Throws a usage error where it cannot be. */
export function placedByRules<T extends RegisterEntry>(
  entries: readonly T[],
  { ruleSet }: ReleasePolicy,
): readonly T[] {
  try {
    return placeLargeUsers(entries, ruleSet)
  } catch (error) {
    if (!(error instanceof RuleSetError)) throw error
    throw usageError(
      `The register does not fit the rules ${ruleSet?.name}: ${error.problems.join('; ')}.`,
      'Correct the register, or name other rules in policy.rules.',
    )
  }
}
