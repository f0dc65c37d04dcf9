import { dayNamed, gridSeals } from '../../../operators/privacy/release/day-grid.ts'
import { type DayPlan, minimumCount, planDay } from '../../../operators/privacy/release/day-plan.ts'
import { resolvePolicy } from '../../../operators/privacy/release/policy.ts'
import { groupsOfDay } from '../../../operators/privacy/release/rules/groups.ts'
import { sealedDigest } from '../../../operators/privacy/release/seal.ts'
import { emptySum, type GroupSum } from '../../../operators/privacy/release/sums.ts'
import type { HouseholdReading } from '../../../schemas/household-reading.ts'
import type { LedgerRecord } from '../../../schemas/ledger-record.ts'
import type { LoadPartial } from '../../../schemas/load-partial.ts'
import type { LoadPublic } from '../../../schemas/load-public.ts'
import type { LoadRestricted } from '../../../schemas/load-restricted.ts'
import { levels } from '../../../schemas/register-entry.ts'
import { topics } from '../../../schemas/topics.ts'
import { sealName } from '../../helpers/release-checker.ts'
import type { Scan } from './canaries.ts'
import type { Stage } from './stage.ts'
import { stream } from './stream.ts'

/** The sums of a stage, added up once more from what [readings] committed. */
export interface Sums {
  readonly reading: (reading: HouseholdReading) => void
  /** Reads load.partials: one record per link, in order, and no more energy than the readings have. */
  readonly partials: (faults: string[]) => Promise<void>
  /** Reads load.restricted: once each, exactly the sums of the partials, and nothing below the rule. */
  readonly restricted: (faults: string[], scan: Scan) => Promise<void>
  /** Digest of what each seal must hold, by `sealName`. */
  readonly digests: (ledger: readonly LedgerRecord[]) => ReadonlyMap<string, Uint8Array>
  /** Seals that are due on the staged days. */
  readonly expectedSeals: number
  readonly dates: readonly string[]
  /** Released values of groups that the register makes too small. */
  readonly groupsTooSmall: (published: readonly LoadPublic[]) => readonly string[]
}

type Sum = { -readonly [K in keyof GroupSum]: GroupSum[K] }

export function openSums(stage: Stage): Sums {
  const { fleet, policy, wire, log, start, options } = stage
  const { days = 1 } = options
  const { timeZone, zone } = fleet.entries[0]!
  const domain = { name: 'utility', zone, timeZone, partitions: stage.partitions }
  const resolved = resolvePolicy(policy)
  const groupsAt = groupsOfDay(fleet.entries, policy.ruleSet)
  const plans = new Map<string, DayPlan>()
  const planOf = (date: string): DayPlan => {
    const day = dayNamed(timeZone, date)
    const groups = () => levels.flatMap((level) => groupsAt(level, day))
    const made = plans.get(date) ?? planDay(resolved, groups())
    plans.set(date, made)
    return made
  }
  // Groups are the same on every day, and so are their positions.
  const plan = planOf(new Date(start).toISOString().slice(0, 10))
  /** Energy of the readings by channel and window. */
  const energy = new Map<string, number>()
  /** By seal, then by group. */
  const sums = new Map<string, Map<number, Sum>>()
  const dates = Array.from({ length: days }, (_, day) => new Date(start + day * 86_400_000).toISOString().slice(0, 10))

  return {
    dates,
    expectedSeals: dates
      .flatMap((date) => {
        const day = dayNamed(timeZone, date)
        return (['preliminary', 'late'] as const).map((phase) => gridSeals(timeZone, day, policy, phase).length)
      })
      .reduce((sum, count) => sum + count, 0),
    reading: ({ intervals }) => {
      for (const { channel, start: window, energyWh } of intervals) {
        const name = `${channel} ${window}`
        energy.set(name, (energy.get(name) ?? 0) + energyWh)
      }
    },
    partials: async (faults) => {
      const topic = topics.loadPartials
      const last = new Map<number, number>()
      const total = new Map<string, number>()
      for await (const { value } of stream(stage, topic.name, 0, 'read_committed')) {
        const { sourcePartition, seq, cells } = wire.decode(topic as never, value!) as LoadPartial
        const before = last.get(sourcePartition) ?? 0
        if (seq !== before + 1) faults.push(`I2: partial ${seq} follows partial ${before}`)
        last.set(sourcePartition, seq)
        for (const cell of cells) {
          const {
            level,
            group,
            channel,
            phase,
            window,
            boundedWh,
            exactWh,
            count,
            shared,
            largestWh,
            secondWh,
            thirdWh,
          } = cell
          const name = sealName({ window, channel, phase })
          const own = sums.get(name) ?? new Map<number, Sum>()
          sums.set(name, own)
          const at = plan.indexOf(level, group)!
          const sum = own.get(at) ?? { ...emptySum }
          own.set(at, sum)
          sum.boundedWh += boundedWh
          sum.exactWh += exactWh
          sum.count += count
          sum.shared += shared
          const all = [sum.largestWh, sum.secondWh, sum.thirdWh, largestWh, secondWh, thirdWh]
          const [first = 0, second = 0, third = 0] = all.sort((a, b) => b - a)
          sum.largestWh = first
          sum.secondWh = second
          sum.thirdWh = third
          if (level !== 'utility') continue
          const place = `${channel} ${window}`
          total.set(place, (total.get(place) ?? 0) + exactWh)
        }
      }
      for (const [place, exact] of total) {
        if (exact > (energy.get(place) ?? 0)) faults.push(`I1: load.partials hold more than the readings of ${place}`)
      }
    },
    restricted: async (faults, scan) => {
      const topic = topics.loadRestricted
      const seen = new Set<string>()
      for (let partition = 0; partition < (await log.partitions(topic.name)); partition++) {
        for await (const { value } of stream(stage, topic.name, partition, 'read_committed')) {
          const found = scan(value!)
          if (found) faults.push(`I6: load.restricted holds ${found}`)
          const record = wire.decode(topic as never, value!) as LoadRestricted
          const { level, group, energyWh, count } = record
          const name = `${level}/${group} ${sealName(record)}`
          if (seen.has(name)) faults.push(`I3: ${name} is in load.restricted twice`)
          seen.add(name)
          if (energyWh === null || count === null) continue
          const at = plan.indexOf(level, group)!
          const sum = sums.get(sealName(record))?.get(at)
          if (energyWh !== (sum?.exactWh ?? 0) || count !== (sum?.count ?? 0)) {
            faults.push(`I1: ${name} has other sums in load.restricted than in load.partials`)
          }
          if (count < minimumCount(resolved, plan.groups[at]!)) faults.push(`I5: ${name} counts ${count} points only`)
        }
      }
    },
    digests: (ledger) => {
      const digests = new Map<string, Uint8Array>()
      for (const link of ledger) {
        if (link.kind !== 'seal') continue
        const grid = dayNamed(timeZone, link.date)
        const open = {
          grid,
          plan: planOf(link.date),
          seals: { preliminary: [], late: [] },
          charge: 'open' as const,
          sealed: { preliminary: 0, late: 0 },
        }
        const seal = gridSeals(timeZone, grid, policy, link.phase).find(
          ({ window, channel }) => window === link.window && channel === link.channel,
        )
        if (!seal) continue
        const key = fleet.keyring.derived('ledger_digest', link.date)!
        digests.set(sealName(link), sealedDigest(key, open, seal, sums.get(sealName(link)) ?? new Map(), { domain }))
      }
      return digests
    },
    groupsTooSmall: (published) => {
      const small = new Set<string>()
      for (const { level, group, rawWh } of published) {
        if (rawWh === null) continue
        const planned = plan.groups[plan.indexOf(level, group)!]
        if (!planned || planned.registered < minimumCount(resolved, planned)) small.add(`${level}/${group}`)
      }
      return [...small]
    },
  }
}
