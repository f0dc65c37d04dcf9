import { minutes } from '../../../operators/contract/clock.ts'
import { load } from '../../../pipelines/load.ts'
import type { AuditParts } from '../../../pipelines/simulation/audit-pipelines.ts'
import {
  type AuditReading,
  type AuditWorld,
  auditedHome,
  exampleWorld,
} from '../../../pipelines/simulation/audit-world.ts'

/** A home that is a member of its groups on the second day alone, or on the first alone. */
export type Change = 'joins' | 'leaves'

const hour = minutes(60)
const day = 24 * hour

/** The first instant of the second day, on which the member has come or gone. */
export const changeAt: number = exampleWorld({ present: true }).from + day

/** Windows of each day in which anybody reports, from local midnight on. */
export const hoursOfDay = 12

/**
 * Two days of the example's homes, of whom nineteen use the same in every hour of both. The twentieth is registered on one
 * of the days alone: everybody may know that. `present` says whether it used anything on that day: then its use reaches S
 * at every level. Time runs until the twelfth window of the second day is public.
 */
export function membersWorld(change: Change, present: boolean): AuditWorld {
  const example = exampleWorld({ present: true, phases: 'preliminary' })
  const others = example.readings.filter(({ home }) => home !== auditedHome)
  const own = example.readings.filter(({ home }) => home === auditedHome)
  const nextDay = ({ start, receivedAt, ...reading }: AuditReading): AuditReading => ({
    ...reading,
    start: start + day,
    receivedAt: receivedAt + day,
  })
  const there = present ? (change === 'joins' ? own.map(nextDay) : own) : []
  return {
    ...example,
    name: present ? 'with' : 'without',
    until: example.until + day,
    readings: [...others, ...others.map(nextDay), ...there].sort((a, b) => a.receivedAt - b.receivedAt),
  }
}

/** [load] over the register of each day: one point more where the home is a member. */
export const memberRegistered = (change: Change): Required<Pick<AuditParts, 'load'>> => ({
  load: (options) =>
    load({
      ...options,
      register: {
        groups: (level, local) => {
          const isMember = change === 'joins' ? local.start >= changeAt : local.start < changeAt
          const groups = options.register.groups(level, local)
          return isMember ? groups.map((group) => ({ ...group, residential: group.residential + 1 })) : groups
        },
      },
    }),
})
