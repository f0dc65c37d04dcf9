import { type IntervalCap, isDate } from '../../operators/contract/policy-epoch.ts'
import { policyEpochs } from '../../operators/privacy/release/policy-epochs.ts'
import { levels } from '../../schemas/register-entry.ts'
import { readSettings } from '../runtime/settings.ts'
import { policyOf } from './deploy-policy.ts'
import { usageError } from './errors.ts'
import type { Terminal } from './terminal.ts'
import { count } from './text.ts'

const left = (head: string) => ({ head, align: 'left' }) as const

/**
 * `meterveil policy show`: the bounds of the settings, epoch by epoch, or those of one local date with the noise they give.
 * What is frozen for a day that has begun may differ; each public record states the S of its day.
 */
export function showPolicy(terminal: Terminal, options: { readonly on?: string; readonly settings?: string }): void {
  const { on, settings } = options
  if (on !== undefined && !isDate(on)) throw usageError(`${on} is no date.`, 'Write it as YYYY-MM-DD.')
  const policy = policyOf(readSettings({ env: process.env, file: settings ?? process.env['METERVEIL_SETTINGS'] }))
  const epochs = policyEpochs(policy)
  if (on === undefined) listEpochs(terminal, epochs.all)
  else showDay(terminal, on, epochs.on(on))
}

type Epochs = ReturnType<typeof policyEpochs>

function listEpochs(terminal: Terminal, all: Epochs['all']): void {
  terminal.line(
    'S of a household-day in Wh, for half-hour windows, and C, from each local date on: what an interval counts at',
  )
  terminal.line(
    'most in Wh per hour where that is less than the fuse, and which part it may take of what is left of the day.',
  )
  for (const { from, resolved } of all) {
    const { clipWhPerHalfHour, capRule } = resolved.policy
    terminal.record({ kind: 'epoch', from, clipWhPerHalfHour, capRule })
  }
  terminal.table(
    ['from', ...levels, 'C', left('of the rest')],
    all.map(({ from, resolved: { policy, interval } }) => [
      from ?? 'the start',
      ...levels.map((level) => policy.clipWhPerHalfHour[level]),
      ...capCells(interval),
    ]),
  )
}

const capCells = ({ whPerHour, half }: IntervalCap): readonly string[] => [
  Number.isFinite(whPerHour) ? count(whPerHour) : 'fuse',
  half ? 'half' : 'all',
]

function showDay(terminal: Terminal, date: string, { policy, levels: terms }: ReturnType<Epochs['on']>): void {
  const { windowSeconds, capRule } = policy
  terminal.line(
    `On ${date}, for windows of ${windowSeconds} s, in Wh; C: ${capRule}. Of a value as drawn, the noise lies within:`,
  )
  const rows = levels.map((level) => {
    const { clipWh, half } = terms[level]
    const { half50Wh, half95Wh } = half[1]
    terminal.record({ kind: 'bound', date, level, windowSeconds, clipWh, half50Wh, half95Wh, capRule })
    return [level, clipWh, half50Wh, half95Wh] as const
  })
  terminal.table(['level', 'S', '50 % within', '95 % within'], rows)
}
