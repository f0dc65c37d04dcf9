import fourFifty from './four-fifty.json' with { type: 'json' }
import neutral from './neutral.json' with { type: 'json' }
import { parseRuleSet, type RuleSet } from './rule-set.ts'
import fifteenFifteen from './us-15-15.json' with { type: 'json' }
import california from './us-ca-d1405016.json' with { type: 'json' }

/** The rule sets that come with this version, by name. None is signed: each says who has to. */
export const shippedRules: ReadonlyMap<string, RuleSet> = new Map(
  [neutral, california, fifteenFifteen, fourFifty].map(parseRuleSet).map((set) => [set.name, set]),
)
