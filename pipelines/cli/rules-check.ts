import { systemClock } from '../../operators/contract/clock.ts'
import { isDate } from '../../operators/contract/policy-epoch.ts'
import { releaseReasons } from '../../operators/privacy/ledger/reasons.ts'
import { dayNamed } from '../../operators/privacy/release/day-grid.ts'
import { type DayPlan, type PlannedGroup, planDay } from '../../operators/privacy/release/day-plan.ts'
import { type DatedPolicy, policyEpochs } from '../../operators/privacy/release/policy-epochs.ts'
import { groupName } from '../../operators/privacy/release/restricted/group-name.ts'
import { membershipHistory } from '../../operators/privacy/release/restricted/membership.ts'
import { rulesInForce } from '../../operators/privacy/release/rules/count-rules.ts'
import { groupsOfDay } from '../../operators/privacy/release/rules/groups.ts'
import { type LocalDay, localDay } from '../../operators/window/local-day.ts'
import type { PublicFlag } from '../../schemas/load-public.ts'
import { levels, type RegisterEntry } from '../../schemas/register-entry.ts'
import { readSettings } from '../runtime/settings.ts'
import { policyOf } from './deploy-policy.ts'
import { usageError } from './errors.ts'
import { readRegister, timeZoneOf } from './register-file.ts'
import { placedByRules, ruleSetOf } from './rules-of.ts'
import type { Terminal } from './terminal.ts'
import { count } from './text.ts'

export interface RulesCheck {
  readonly register?: string
  readonly settings?: string
  readonly date?: string
  readonly since?: string
  readonly groups?: boolean
}

/**
 * `meterveil rules check`: the plan that [load] would freeze for a day, from the register and the rules alone. Prints counts
 * and names of public groups, and nothing of a single point.
 */
export function checkRules(terminal: Terminal, rules: string | undefined, options: RulesCheck): void {
  const settings = readSettings({ env: process.env, file: options.settings ?? process.env['METERVEIL_SETTINGS'] })
  const file = options.register ?? settings.registerFile
  if (file === undefined) {
    throw usageError('rules check needs a meter register.', 'Name its file with --register, or in registerFile.')
  }
  const base = policyOf(settings)
  const policy = rules === undefined ? base : { ...base, ruleSet: ruleSetOf(rules) }
  const entries = placedByRules(readRegister(file, { profiles: 'any' }), policy)
  const timeZone = timeZoneOf(entries, settings.zone, settings.timeZone)
  const day =
    options.date === undefined ? localDay(timeZone, systemClock.now()) : dayNamed(timeZone, checkedDate(options.date))
  const since = options.since === undefined ? day : dayNamed(timeZone, checkedDate(options.since))
  const plan = planOf(entries, policy, { zone: settings.zone, timeZone, day, since })
  const { name = 'of the policy', version = 1 } = policy.ruleSet ?? {}
  terminal.line(`Rules ${name}, version ${version}, on ${day.date}, from the register alone.`)
  if (policy.ruleSet) terminal.line(policy.ruleSet.notice)
  const digest = Buffer.from(plan.digest).toString('hex')
  terminal.record({ kind: 'plan', rules: name, version, date: day.date, digest })
  showCounts(terminal, plan)
  if (options.groups) listGroups(terminal, plan)
  terminal.line()
  terminal.line(`Digest of the plan, as the charge of the day carries it: ${digest}`)
}

function checkedDate(text: string): string {
  if (isDate(text)) return text
  throw usageError(`${text} is no date.`, 'Name a day of the calendar, as YYYY-MM-DD.')
}

interface Day {
  readonly zone: string
  readonly timeZone: string
  readonly day: LocalDay
  readonly since: LocalDay
}

function planOf(entries: readonly RegisterEntry[], policy: DatedPolicy, { zone, timeZone, day, since }: Day): DayPlan {
  const groupsAt = groupsOfDay(entries, policy.ruleSet)
  const groups = levels.flatMap((level) => groupsAt(level, day)).filter((group) => group.zone === zone)
  const { fewest } = rulesInForce(policy)
  const membership = membershipHistory({ entries, timeZone, zone, k: fewest, cutOffHour: policy.cutOffHour })
  // Who reported is seen by [load] alone: here the register decides.
  const selected = new Set(groups.map(({ level, group }) => groupName(level, group)))
  return planDay(policyEpochs(policy).on(day.date), groups, membership(since, day, 'plan'), selected)
}

const left = (head: string) => ({ head, align: 'left' }) as const

/** What becomes of a group: released, in longer windows, or the reason why it is withheld. */
function fateOf({ withheld, coarserSeconds }: PlannedGroup): string {
  if (withheld === null) return 'released'
  if (coarserSeconds !== null) return coarserSeconds === 3_600 ? 'released by the hour' : 'released by the day'
  return withheld
}

function showCounts(terminal: Terminal, { groups }: DayPlan): void {
  const rows = levels.flatMap((level) => {
    const fates = Map.groupBy(
      groups.filter((group) => group.level === level),
      fateOf,
    )
    return [...fates].map(([fate, members]) => {
      const points = members.reduce((sum, { registered }) => sum + registered, 0)
      const merged = members.filter(({ mergedInto }) => mergedInto !== null).length
      terminal.record({ kind: 'groups', level, fate, groups: members.length, points, merged })
      return [level, fate, count(members.length), count(points), count(merged)]
    })
  })
  terminal.title('Groups')
  terminal.table([left('level'), left('what becomes of them'), 'groups', 'points', 'merged upward'], rows)
  const reasons = new Set(groups.flatMap(({ withheld }) => (withheld === null ? [] : [withheld])))
  for (const reason of reasons) terminal.line(`${reason}: ${sentenceOf(reason)}`)
}

const sentenceOf = (reason: PublicFlag): string => releaseReasons[reason].sentence

function listGroups(terminal: Terminal, { groups }: DayPlan): void {
  terminal.title('Every group')
  for (const group of groups) {
    const { level, registered, classes, withheld, coarserSeconds, mergedInto } = group
    const into = mergedInto === null ? null : groupName(groups[mergedInto]!.level, groups[mergedInto]!.group)
    const name = groupName(level, group.group)
    terminal.record({ kind: 'group', group: name, registered, classes, withheld, coarserSeconds, mergedInto: into })
    const others = registered - classes.residential
    const merged = into === null ? '' : `, merged into ${into}`
    terminal.line(
      `${name}: ${fateOf(group)}, ${count(classes.residential)} points of homes, ${count(others)} others${merged}`,
    )
  }
}
