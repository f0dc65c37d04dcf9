import { planDay } from '../../../operators/privacy/release/day-plan.ts'
import { groupName } from '../../../operators/privacy/release/restricted/group-name.ts'
import type { ReleaseState } from '../../../operators/privacy/release/state.ts'
import type { Pipeline } from '../../../pipelines/runtime/index.ts'

type Reporting = ReleaseState['reporting']

const twoDaysBefore = (date: string): string =>
  new Date(Date.parse(`${date}T12:00:00Z`) - 2 * 86_400_000).toISOString().slice(0, 10)

const dateOf = (body: Uint8Array | undefined): string =>
  body === undefined ? '' : (JSON.parse(Buffer.from(body).toString('utf8')) as { readonly date: string }).date

/**
 * [load] as somebody would have it who keeps the selection in the process alone, and who reported for as long: whoever
 * starts again draws again, from the same counts.
 */
export function drawsAgain(pipeline: Pipeline): Pipeline {
  const [first, ...rest] = pipeline.nodes
  if (first?.kind !== 'accumulating') throw new Error('the pipeline has no accumulating step')
  const { step } = first
  const reported: Reporting = new Map()
  const keep = ({ reporting }: ReleaseState): void => {
    for (const [date, each] of reporting) reported.set(date, { ...each, counts: new Map(each.counts) })
  }
  const isDrawnFor = (date: string): boolean => reported.has(twoDaysBefore(date))
  const forgetful: typeof step = {
    ...step,
    restore: (rows, history) => {
      // Values of windows before the draw fit the plan after it no more: they are forgotten too.
      const fitting = rows.filter(({ row, body }) => !row.startsWith('noisy ') || !isDrawnFor(dateOf(body)))
      const state = step.restore(fitting, history) as ReleaseState
      for (const [date, day] of state.days) {
        const kept = reported.get(twoDaysBefore(date))
        if (!day.plan.selected || !kept) continue
        const unsteady = day.plan.groups.filter((group) => group.unsteady)
        const groups = day.plan.groups.map((group) => ({ ...group, zone: '', timeZone: '' }))
        const names = new Set(unsteady.map(({ level, group }) => groupName(level, group)))
        state.days.set(date, { ...day, plan: planDay(day.plan.resolved, groups, names) })
        state.reporting.set(twoDaysBefore(date), kept)
      }
      return state
    },
    process: (batch, state, out, context) => {
      keep(state as ReleaseState)
      const answer = step.process(batch, state, out, context)
      keep(state as ReleaseState)
      return answer
    },
  }
  return { ...pipeline, nodes: [{ ...first, step: forgetful }, ...rest] }
}
