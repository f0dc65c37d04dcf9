import { defaultPolicy, type ResolvedPolicy, resolvePolicy } from '../../operators/privacy/release/policy.ts'
import { type StepRules, stepRules, twoClasses } from '../../operators/privacy/release/rules/count-rules.ts'
import { type ClassCounts, ruleClasses } from '../../operators/privacy/release/rules/rule-set.ts'
import { shippedRules } from '../../operators/privacy/release/rules/shipped.ts'
import { levels } from '../../schemas/register-entry.ts'
import { defaultRules, ruleSetOf } from './rules-of.ts'
import type { Terminal } from './terminal.ts'
import { count } from './text.ts'

const left = (head: string) => ({ head, align: 'left' }) as const

/** `meterveil rules show [RULES]`: the sets there are, or what one asks for, worked out with the default policy. */
export function showRules(terminal: Terminal, name: string | undefined): void {
  if (name === undefined) listRules(terminal)
  else showOne(terminal, name)
}

function listRules(terminal: Terminal): void {
  const sets = [...shippedRules.values()]
  for (const { name, version, jurisdiction, describes } of sets) {
    terminal.record({ kind: 'rules', name, version, jurisdiction, describes, default: name === defaultRules })
  }
  terminal.table(
    [left('rules'), left('jurisdiction')],
    sets.map(({ name, jurisdiction }) => [name === defaultRules ? `${name} (default)` : name, jurisdiction]),
  )
  terminal.line(sets[0]!.notice)
}

function showOne(terminal: Terminal, name: string): void {
  const set = ruleSetOf(name)
  const resolved = resolvePolicy({ ...defaultPolicy, ruleSet: set })
  const steps = stepRules(resolved)
  terminal.line(terminal.paint.bold(`${set.name}, version ${set.version}`))
  terminal.line(set.describes)
  terminal.line(`Jurisdiction: ${set.jurisdiction}`)
  terminal.line(`Source: ${set.source}`)
  terminal.line(set.notice)
  terminal.title('Fewest registered points of a group of one class: by count, and by the largest share')
  const told = ruleClasses.flatMap((each) => {
    const rule = set.classes[each]
    return rule ? [[each, rule] as const] : []
  })
  const counts = told.map(([each, { minCount, maxShare, meanWhPerDay }]) => {
    const needed = steps.map((step) => fewest((n) => step.keeps(ofClass(each, n))))
    terminal.record({
      kind: 'class',
      class: each,
      minCount,
      maxShare,
      meanWhPerDay,
      fewest: steps.map(({ seconds }, i) => ({ seconds, points: needed[i] })),
    })
    return [each, maxShare ?? 'none', count(minCount), ...needed.map(count)]
  })
  terminal.table([left('class'), left('largest share'), 'count', ...steps.map(lengthOf)], counts)
  terminal.title(`Fewest registered points for noise of at most ${set.maxRelativeNoise} of the mean load`)
  const useful = levels.map((level) => {
    const needed = steps.map((step) => fewest((n) => step.isUseful(level, n)))
    terminal.record({
      kind: 'useful',
      level,
      onMergePath: set.mergePath.includes(level),
      fewest: steps.map(({ seconds }, i) => ({ seconds, points: needed[i] })),
    })
    return [set.mergePath.includes(level) ? level : `${level} (never released)`, ...needed.map(count)]
  })
  terminal.table([left('level'), ...steps.map(lengthOf)], useful)
  terminal.title('How')
  terminal.line(
    `Points that may draw more than ${count(set.largeAboveWhPerHour)} Wh in an hour by contract are in groups of their own.`,
  )
  terminal.line(`What is too small is told as part of the next group up: ${set.mergePath.join(', ')}.`)
  const batched = `A group whose members changed by fewer than ${fewestChange(resolved)} is withheld until changes add up.`
  terminal.line(set.membership === 'batched' ? batched : 'Members may change one by one: the noise covers it.')
  terminal.record({ kind: 'rules', ...set })
}

const lengthOf = ({ seconds }: StepRules): string =>
  seconds === 86_400 ? 'a day' : seconds === 3_600 ? 'an hour' : `${seconds / 60} min`

const ofClass = (name: keyof ClassCounts, points: number): ClassCounts => ({ ...twoClasses(0, 0), [name]: points })

const fewestChange = ({ policy }: ResolvedPolicy): number =>
  Math.max(...ruleClasses.map((each) => policy.ruleSet?.classes[each]?.minCount ?? 0))

/** The least number that will do, of those where more always does. */
function fewest(willDo: (points: number) => boolean): number {
  let most = 1
  while (!willDo(most) && most < 2 ** 40) most *= 2
  let least = Math.floor(most / 2)
  while (most - least > 1) {
    const middle = Math.floor((most + least) / 2)
    if (willDo(middle)) most = middle
    else least = middle
  }
  return most
}
