import { byLevel, type Level, levels } from '../../../schemas/register-entry.ts'
import { type IntervalCap, isDate, type PolicyEpoch } from '../../contract/policy-epoch.ts'
import { clipFor, PolicyError, type ReleasePolicy, type ResolvedPolicy, resolvePolicy } from './policy.ts'
import { settledDays } from './smooth-model.ts'

/** A policy whose bounds change on the dates that it lists, in their order. Before the first one its own hold. */
export interface DatedPolicy extends ReleasePolicy {
  readonly epochs?: readonly PolicyEpoch[]
}

/** The bounds of every local date: a function of the date alone, so that [readings] and [load] agree on them. */
export interface PolicyEpochs {
  /** The checked policy of a local date, `YYYY-MM-DD`: the same object for days of the same terms. */
  readonly on: (date: string) => ResolvedPolicy
  /** S by level for the policy's windows, in Wh. */
  readonly clipOn: (date: string) => Readonly<Record<Level, number>>
  /** What C is beside the fuse. */
  readonly capOn: (date: string) => IntervalCap
  /** The rule that says so, as policies write it. */
  readonly capRuleOn: (date: string) => string
  /** The epochs with what holds in each, first that of the policy itself, which begins with no date. */
  readonly all: readonly { readonly from: string | null; readonly resolved: ResolvedPolicy }[]
}

interface Epoch {
  readonly from: string | null
  readonly resolved: ResolvedPolicy
  readonly clip: Readonly<Record<Level, number>>
}

/**
 * Works out what holds on which local date: the policy's own bounds with those of the last epoch that began on or before
 * it. Throws PolicyError for dates that are none or not in order, and for bounds that a policy may not have.
 */
export function policyEpochs({ epochs = [], ...base }: DatedPolicy): PolicyEpochs {
  const all = [epochOf(null, base)]
  for (const { from, clipWhPerHalfHour, capRule } of epochs) {
    const { policy } = all.at(-1)!.resolved
    if (!isDate(from)) throw new PolicyError(`epochs: ${from} must be a date, YYYY-MM-DD`)
    const last = all.at(-1)!.from
    if (last !== null && from <= last) throw new PolicyError(`epochs: ${from} must come after ${last}`)
    const clip = { ...policy.clipWhPerHalfHour, ...clipWhPerHalfHour }
    all.push(epochOf(from, { ...policy, clipWhPerHalfHour: clip, capRule: capRule ?? policy.capRule }))
  }
  const at = (date: string): number => {
    let found = all.length - 1
    while (found > 0 && all[found]!.from! > date) found -= 1
    return found
  }
  const known = new Map<string, ResolvedPolicy>()
  const on = (date: string): ResolvedPolicy => {
    const own = at(date)
    const { resolved } = all[own]!
    const wider = widerBefore(all.slice(at(daysBefore(date, settledDays)), own + 1))
    if (wider === undefined) return resolved
    const name = JSON.stringify([own, wider])
    const made = known.get(name) ?? resolvePolicy({ ...resolved.policy, smoothedClipWhPerHalfHour: wider })
    known.set(name, made)
    return made
  }
  return {
    on,
    clipOn: (date) => all[at(date)]!.clip,
    capOn: (date) => all[at(date)]!.resolved.interval,
    capRuleOn: (date) => all[at(date)]!.resolved.policy.capRule,
    all,
  }
}

function epochOf(from: string | null, policy: ReleasePolicy): Epoch {
  for (const level of Object.keys(policy.clipWhPerHalfHour)) {
    if (!levels.includes(level as Level)) throw new PolicyError(`clipWhPerHalfHour.${level} is of no level`)
  }
  const clip = byLevel((level) => clipFor(policy, level))
  return { from, resolved: resolvePolicy(policy), clip: Object.freeze(clip) }
}

/** What the widest bounds of these epochs were where they were above those of the last one; undefined if nowhere. */
function widerBefore(epochs: readonly Epoch[]): Readonly<Record<Level, number>> | undefined {
  const bounds = epochs.map(({ resolved }) => resolved.policy.clipWhPerHalfHour)
  const own = bounds.at(-1)!
  const widest = levels.map((level) => [level, Math.max(...bounds.map((each) => each[level]))] as const)
  if (widest.every(([level, wh]) => wh === own[level])) return undefined
  return Object.fromEntries(widest) as Record<Level, number>
}

function daysBefore(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) - days * 86_400_000).toISOString().slice(0, 10)
}
