import type { Fleet, Span } from '../../bench/fleet/index.ts'
import type { LedgerRecord } from '../../schemas/ledger-record.ts'
import type { LoadPublic } from '../../schemas/load-public.ts'
import { levels } from '../../schemas/register-entry.ts'
import { topics } from '../../schemas/topics.ts'
import type { Scenario } from './demo-scenario.ts'
import type { Terminal } from './terminal.ts'
import { percent } from './text.ts'

/** What became of every frame; the parts add up to what came in. */
export function showOutcome({ fates, sent }: Scenario, terminal: Terminal): void {
  const rows = [...fates].map(([fate, frames]) => ({ ...split(fate), frames }))
  const of = (kind: string) => rows.filter((row) => row.kind === kind).sort((a, b) => b.frames - a.frames)
  const sum = rows.reduce((total, { frames }) => total + frames, 0)
  const line = ({ reason, frames }: (typeof rows)[number]) => [`  ${reason}`, frames]
  const total = (kind: string) => of(kind).reduce((all, { frames }) => all + frames, 0)
  const seldom = (['forwarded', 'absorbed'] as const).flatMap((kind) => (total(kind) > 0 ? [[kind, total(kind)]] : []))
  terminal.title('What became of the frames')
  terminal.table(
    ['', 'frames', { head: '', align: 'left' }],
    [
      ['accepted', total('emitted'), 'with an interval in household.readings'],
      ['dropped', total('dropped'), 'on purpose'],
      ...of('dropped').map(line),
      ['rejected', total('rejected'), 'sealed in meter.rejected with the reason'],
      ...of('rejected').map(line),
      ...seldom,
      'line',
      ['in', sum, sum === sent ? 'the sum closes: as many as were sent' : `but ${sent} were sent`],
    ],
  )
  terminal.line(terminal.paint.dim('npm run meterveil -- explain REASON tells what a reason means and what to do.'))
  terminal.record({ kind: 'outcome', sent, closes: sum === sent, fates: Object.fromEntries(fates) })
}

function split(fate: string): { readonly kind: string; readonly reason: string } {
  const [kind, reason = ''] = fate.split(':') as [string, string?]
  return { kind, reason }
}

/** Per level: what was released, how far it is from the truth that only the simulator knows, and what it cost. */
export async function showLevels(scenario: Scenario, truth: Fleet, day: Span, terminal: Terminal): Promise<void> {
  const released = (await scenario.read(topics.loadPublic)).filter(
    ({ window }) => window >= day.start && window < day.end,
  )
  const charges = (await scenario.read(topics.releaseLedger)).filter(isCharge)
  const rows = levels.map((level) => {
    const mine = released.filter((record) => record.level === level && record.channel === 'import')
    const shown = mine.filter((record) => record.rawWh !== null)
    const final = shown.filter(({ phase }) => phase === 'final')
    const errors = final.map((record) => (record.rawWh as number) - trueWh(truth, record))
    const errorOf = (of: (record: LoadPublic) => number | null): number =>
      rootMeanSquare(final.map((record) => (of(record) ?? Number.NaN) - trueWh(truth, record)))
    const mean = average(final.map((record) => trueWh(truth, record)))
    const inside = final.filter((record, i) => Math.abs(errors[i] as number) <= (record.half95Wh as number)).length
    const rho = charges[0]?.charges.find((one) => one.level === level)?.rho ?? '0'
    return {
      level,
      groups: new Set(mine.map(({ group }) => group)).size,
      released: shown.length,
      withheld: mine.length - shown.length,
      rmse: rootMeanSquare(errors),
      consistent: errorOf(({ consistentWh }) => consistentWh),
      smoothed: errorOf(({ smoothedWh }) => smoothedWh),
      mean,
      inside: inside / final.length,
      rho,
    }
  })
  terminal.title('What was released of the day, import')
  terminal.table(
    ['level', 'groups', 'released', 'withheld', 'raw', 'consistent', 'smoothed', 'in 95 %', 'rho spent'],
    rows.map((row) => [
      row.level,
      row.groups,
      row.released,
      row.withheld,
      ...[row.rmse, row.consistent, row.smoothed].map((error) =>
        Number.isNaN(error) ? '' : percent(error / row.mean),
      ),
      Number.isNaN(row.inside) ? '' : percent(row.inside),
      fraction(row.rho).toFixed(6),
    ]),
  )
  const spent = rows.reduce((sum, { rho }) => sum + fraction(rho), 0)
  const statement = released[0]?.privacy
  if (statement) {
    terminal.line(
      'Error of raw, consistent and smoothed values in % of the mean load: root mean square against the true sums, which only the',
    )
    terminal.line(
      'simulator knows; noise and clipping together. All three are released. Smoothing has no more than this day to learn from.',
    )
    terminal.line(
      `Each household-day spends rho ${spent.toFixed(8)} over all levels: the whole cap. Epsilon ${statement.epsilonDay.toFixed(4)} at delta ${statement.delta.toExponential(0)}`,
    )
    terminal.line(
      `per day, ${statement.epsilonWeek.toFixed(2)} per week, ${statement.epsilonYear.toFixed(1)} per year.`,
    )
  }
  terminal.record({ kind: 'levels', levels: rows, privacy: statement })
}

const isCharge = (record: LedgerRecord) => record.kind === 'charge'

function trueWh(truth: Fleet, { level, group, window, windowSeconds, channel }: LoadPublic): number {
  return truth.trueLoad(level, group, { start: window, end: window + windowSeconds * 1_000 }, channel)
}

const rootMeanSquare = (errors: readonly number[]): number => Math.sqrt(average(errors.map((error) => error * error)))

const average = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

function fraction(text: string): number {
  const [over, under = '1'] = text.split('/') as [string, string?]
  return Number(over) / Number(under)
}

const stepMs = 1_800_000

/** The utility's day as it was and as it was released, and the next day as it was forecast. */
export async function showCurves(scenario: Scenario, truth: Fleet, day: Span, terminal: Terminal): Promise<void> {
  const steps = (2 * (day.end - day.start)) / stepMs
  const at = (window: number) => (window - day.start) / stepMs
  const real = Array.from({ length: steps }, (_, i) => {
    const start = day.start + i * stepMs
    const wh = truth.trueLoad('utility', 'utility', { start, end: start + stepMs })
    return wh > 0 ? wh / 1_000 : undefined
  })
  const released = new Array<number | undefined>(steps)
  for (const { level, channel, phase, window, rawWh } of await scenario.read(topics.loadPublic)) {
    if (level === 'utility' && channel === 'import' && phase === 'final' && window < day.end && rawWh !== null) {
      released[at(window)] = rawWh / 1_000
    }
  }
  const forecasts = (await scenario.read(topics.forecastPublic)).filter(
    ({ level, channel, start }) => level === 'utility' && channel === 'import' && start <= day.end,
  )
  const newest = forecasts.sort((a, b) => b.start - a.start)[0]
  const [lower, middle, upper] = [1, 2, 3].map((quantile) => {
    const values = new Array<number | undefined>(steps)
    newest?.quantilesWh.forEach((step, i) => {
      values[at(newest.start) + i] = (step[quantile] as number) / 1_000
    })
    return values.slice(0, steps)
  }) as [(number | undefined)[], (number | undefined)[], (number | undefined)[]]
  terminal.title('Load of the utility, kWh per half hour: one day released, the next one forecast')
  terminal.plot({
    series: [
      { name: 'true', values: real },
      { name: 'released', values: released },
      { name: 'forecast (median)', values: middle },
    ],
    band: { name: 'forecast 25 to 75 %', lower, upper },
    unit: 'kWh',
    ticks: [0, 12, 24, 36, 48, 60, 72, 84].map((step) => ({
      at: step,
      label: `${String((step / 2) % 24).padStart(2, '0')}:00`,
    })),
  })
  if (newest) {
    const errors = middle.flatMap((value, i) =>
      value === undefined || real[i] === undefined ? [] : [Math.abs(value - (real[i] as number)) / (real[i] as number)],
    )
    if (errors.length > 0)
      terminal.line(
        `Forecast by ${newest.model} from released values alone; mean absolute error ${percent(average(errors))} over ${errors.length} half hours.`,
      )
    terminal.record({
      kind: 'forecast',
      model: newest.model,
      steps: errors.length,
      mape: errors.length > 0 ? average(errors) : null,
    })
  }
  terminal.record({
    kind: 'curves',
    group: 'utility',
    stepSeconds: 1_800,
    start: day.start,
    true: real,
    released,
    forecast: middle,
  })
}

/** The checker's word on the run. */
export function showVerdict({ verdict }: Scenario, terminal: Terminal): void {
  const { lost, duplicate, wrong, unexpected, misjudged, closure, required, found } = verdict
  terminal.title('The checker, from the journal of what was truly sent')
  terminal.table(
    ['', 'count'],
    [
      ['intervals that had to arrive', required],
      ['intervals found', found],
      ['lost', lost.count],
      ['more than once', duplicate.count],
      ['with another value, date or pseudonym', wrong.count],
      ['never sent', unexpected.count],
      ['refused for a reason that its fault does not explain', misjudged.count],
    ],
  )
  const good = verdict.ok && closure.closes
  terminal.line(
    good
      ? terminal.paint.green('Verdict: every interval is there exactly once, and every frame is accounted for.')
      : terminal.paint.red('Verdict: NOT as it was sent.'),
  )
  terminal.record({ kind: 'verdict', ...verdict, ok: good })
}
