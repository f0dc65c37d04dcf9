import type { EpochMs } from '../../schemas/codec.ts'
import type { ForecastPublic } from '../../schemas/forecast-public.ts'
import type { LoadPublic } from '../../schemas/load-public.ts'
import { type LocalDay, localDay } from '../window/local-day.ts'
import { calibration, choose, newContest, pooledExcess, predictDay, scoreDay } from './contest.ts'
import { type Lineup, lineupOf } from './lineup.ts'
import type { ForecastModel, Prediction } from './model.ts'
import { type Grid, gridOf, gridOfDays, type Moment, type Surroundings, wholeDay } from './moments.ts'
import { type Part, reconcile } from './reconcile.ts'
import type { Seal } from './seals.ts'
import {
  append,
  beginSeries,
  expected,
  finish,
  moveTo,
  outlookOf,
  placeOf,
  type Series,
  type SeriesValue,
} from './series.ts'
import { approximately, isConsistent, type ParentOf, type Tree, type TreeNode, treeOf } from './tree.ts'
import { halfWidths, learn, partOf, stateDay } from './widths.ts'

export interface ForecasterOptions extends Surroundings {
  readonly models: readonly ForecastModel[]
  readonly horizonMs: number
  readonly everyMs: number
  readonly parentOf: ParentOf
}

/** All series of one channel on one grid. */
interface Field {
  readonly lineup: Lineup
  readonly series: Map<string, Series>
  /** Load of the topmost groups over windows that are final: as it was at first, and in the end. */
  early: number
  whole: number
}

/** Takes the seals of a log in order and answers the forecasts that follow from each. */
export interface Forecaster {
  readonly take: (seal: Seal) => readonly ForecastPublic[]
}

const dayMs = 86_400_000

/** What of the late shares of a window is left after another: they are those of the last week or so. */
const remembered = 0.997

/** A final value is the preliminary one and the late increment, each with a draw of the same variance. */
const finalDraws = 2

export function forecaster(options: ForecasterOptions): Forecaster {
  const fields = new Map<string, Field>()
  const recent = new Map<string, { readonly records: readonly LoadPublic[]; readonly tree: Tree }>()

  const treeFor = (name: string, records: readonly LoadPublic[]): Tree => {
    const known = recent.get(name)
    if (known && sameTree(known.records, records, options.parentOf)) return known.tree
    const tree = treeOf(records, options.parentOf)
    recent.set(name, { records, tree })
    return tree
  }
  const takeWindow = (records: readonly LoadPublic[]): readonly ForecastPublic[] => {
    const { channel, windowSeconds, phase, window } = records[0]!
    const daily = wholeDay(options.timeZone, window, windowSeconds)
    const name = `${channel} ${daily === undefined ? windowSeconds : 'day'}`
    const grid = () => (daily === undefined ? gridOf(windowSeconds * 1_000, options) : gridOfDays(options))
    const field = fields.get(name) ?? newField(grid, options)
    fields.set(name, field)
    const tree = treeFor(`${name} ${phase}`, records)
    const values = valuesOf(records, tree, daily === undefined ? undefined : daily * dayMs)
    if (phase === 'final') {
      takeFinal(field, tree, values)
      return []
    }
    takePreliminary(field, tree, values)
    const end = window + windowSeconds * 1_000
    const day = localDay(options.timeZone, end)
    const told = { start: end, windowSeconds: daily === undefined ? windowSeconds : (day.end - day.start) / 1_000 }
    if (daily !== undefined) {
      const next = (daily + 1) * dayMs
      beginDay(field, tree, next + dayMs)
      const nextDay = { start: next, end: next + dayMs }
      return forecastsOf(field, tree, records, { start: next, day: nextDay, horizonMs: options.horizonMs, told })
    }
    if (end === day.start) beginDay(field, tree, day.end)
    const due = (end - day.start) % options.everyMs === 0 || windowSeconds * 1_000 >= options.everyMs
    return due ? forecastsOf(field, tree, records, { start: end, day, horizonMs: options.horizonMs, told }) : []
  }
  return {
    // Groups that are shown with longer windows than others stand in one seal with them.
    take: ({ records }) =>
      [...Map.groupBy(records, ({ windowSeconds, window }) => `${windowSeconds} ${window}`).values()].flatMap(
        takeWindow,
      ),
  }
}

const newField = (grid: () => Grid, options: ForecasterOptions): Field => ({
  lineup: lineupOf(options.models, grid()),
  series: new Map(),
  early: 0,
  whole: 0,
})

/** By how much a preliminary value is to be multiplied on average to stand for the final one. */
const lateFactor = ({ early, whole }: Field): number => (early > 0 ? Math.min(Math.max(whole / early, 1), 1.5) : 1)

function sameTree(before: readonly LoadPublic[], now: readonly LoadPublic[], parentOf: ParentOf): boolean {
  return (
    before.length === now.length &&
    now.every((record, i) => {
      const other = before[i]!
      return (
        record.group === other.group &&
        record.level === other.level &&
        record.registered === other.registered &&
        (record.rawWh === null) === (other.rawWh === null) &&
        (record.consistentWh === null) === (other.consistentWh === null) &&
        record.privacy.sigma2 === other.privacy.sigma2 &&
        parentOf(record) === parentOf(other)
      )
    })
  )
}

/** What is forecast of each node: its load, or the difference from its share of the whole. `at`: its window on the grid. */
function valuesOf(records: readonly LoadPublic[], { nodes }: Tree, at: EpochMs | undefined): readonly SeriesValue[] {
  const consistent = isConsistent(records)
  const loads = nodes.map(({ record }) => {
    const { rawWh, consistentWh } = records[record]!
    return (consistent ? consistentWh : rawWh) as number
  })
  return nodes.map(({ record, whole, share, noise }, i) => ({
    window: at ?? records[record]!.window,
    value: loads[i]! - (whole === undefined ? 0 : share * loads[whole]!),
    noise,
    load: loads[i]!,
    raw: records[record]!.rawWh as number,
  }))
}

function takePreliminary(field: Field, { nodes }: Tree, values: readonly SeriesValue[]): void {
  const { lineup } = field
  const late = lateFactor(field)
  nodes.forEach((node, i) => {
    const value = values[i]!
    const whole = node.whole === undefined ? undefined : nodes[node.whole]!.name
    let series = field.series.get(node.name)
    if (series && whole !== undefined) moveTo(series, whole)
    const place = series?.whole === whole ? series && placeOf(series, value.window, lineup.grid.stepMs) : 'anew'
    if (place === 'beside') return
    if (!series || place !== 'next') {
      series = beginSeries(lineup, value.window, whole, newContest(lineup))
      field.series.set(node.name, series)
    }
    append(series, lineup, value, late)
  })
}

function takeFinal(field: Field, { nodes }: Tree, values: readonly SeriesValue[]): void {
  const late = lateFactor(field)
  field.early *= remembered
  field.whole *= remembered
  nodes.forEach(({ name, whole }, i) => {
    const series = field.series.get(name)
    const before = series && finish(series, field.lineup, values[i]!, late)
    if (!before || whole !== undefined) return
    field.early += before.load
    field.whole += values[i]!.load
  })
}

/**
 * At the start of a local day: scores what was predicted of the day before, and has every contender predict the new one.
 * Its final values are not there yet, so the preliminary ones stand for them: what is to come late adds to the error of all
 * contenders alike, and the noise of either is taken off. How far the quantiles lie apart is learnt from final values alone.
 */
function beginDay({ lineup, series: all, ...field }: Field, { nodes }: Tree, dayEnd: EpochMs): void {
  const late = lateFactor({ lineup, series: all, ...field })
  forget(all, dayEnd)
  const kinds = Map.groupBy(nodes, ({ level, whole }) => `${level} ${whole === undefined}`)
  for (const kind of kinds.values()) {
    const members = kind.map(({ name }) => all.get(name)!)
    for (const series of members) {
      const { contest, tail, current, widths } = series
      const from = contest.pending?.from ?? 0
      const day = tail.filter(({ window }) => window >= from)
      const scored = day.map((each) => ({
        value: expected(each, late),
        noise: each.noise * (each.final ? 1 : late ** 2),
      }))
      scoreDay(contest, scored, series.load)
      learn(widths, lineup.grid)
      const ahead = momentsUntil(lineup, tail.at(-1)!.window, dayEnd)
      // A window of a local day of 25 hours is longer than the next day.
      if (ahead.length === 0) continue
      predictDay(contest, lineup, current, outlookOf(series, ahead), series.whole !== undefined)
    }
    const pooled = pooledExcess(
      members.map(({ contest }) => contest),
      lineup.contenders.length,
    )
    for (const { contest, whole } of members) choose(contest, lineup, pooled, whole !== undefined)
  }
}

/** Drops the series of groups that are gone. */
function forget(all: Map<string, Series>, now: EpochMs): void {
  for (const [name, { tail, born }] of all) {
    if ((tail.at(-1)?.window ?? born) < now - 4 * 86_400_000) all.delete(name)
  }
}

function momentsUntil({ grid }: Lineup, last: EpochMs, end: EpochMs): readonly Moment[] {
  const count = Math.floor((end - last) / grid.stepMs) - 1
  return Array.from({ length: count }, (_, step) => grid.momentAt(last + (step + 1) * grid.stepMs))
}

interface Base extends Prediction {
  readonly model: string
}

interface Horizon {
  /** Start of the first window, on the grid. */
  readonly start: EpochMs
  /** What is told of it. */
  readonly told: Pick<ForecastPublic, 'start' | 'windowSeconds'>
  /** The local day that holds the start, on the grid. */
  readonly day: Pick<LocalDay, 'start' | 'end'>
  readonly horizonMs: number
}

/** The forecasts that follow from the windows up to `start`, wholes before their parts. */
function forecastsOf(
  { lineup, series: all }: Field,
  { nodes, families }: Tree,
  records: readonly LoadPublic[],
  { start, day, horizonMs, told }: Horizon,
): readonly ForecastPublic[] {
  const ahead = momentsUntil(lineup, start - lineup.grid.stepMs, start + horizonMs)
  const wholeDay = start === day.start ? Math.floor((day.end - start) / lineup.grid.stepMs) : 0
  const partsOfDay = ahead.map((moment) => partOf(lineup.grid, moment))
  const pools = poolsOf(lineup, all, nodes)
  const bases = nodes.map((node): Base | undefined => {
    const series = all.get(node.name)!
    const { contest, current } = series
    const chosen = contest.chosen
    const contender = chosen === undefined ? undefined : lineup.contenders[chosen]!
    const prediction = contender?.predict(current, outlookOf(series, ahead))
    if (chosen === undefined || !contender || !prediction) return undefined
    const factor = calibration(contest, chosen, pools(node))
    return { model: contender.model, mean: prediction.mean, variance: prediction.variance.map((v) => v * factor) }
  })
  const steps = ahead.map((_, step) => {
    const parts = nodes.map(
      ({ whole, share }, i): Part => ({
        whole,
        share,
        mean: bases[i]?.mean[step] ?? Number.NaN,
        variance: bases[i]?.variance[step] ?? Number.NaN,
      }),
    )
    return reconcile(parts, families)
  })
  return nodes.flatMap(({ name, record: at }, i): ForecastPublic[] => {
    const base = bases[i]
    if (!base || steps[0]?.[i] === undefined) return []
    const record = records[at]!
    const noise = finalDraws * approximately(record.privacy.sigma2)
    const { seen, widths } = all.get(name)!
    const deviation = new Float64Array(steps.length)
    for (let k = 0; k < steps.length; k++) deviation[k] = Math.sqrt(steps[k]![i]!.variance + noise)
    if (wholeDay > 0) {
      const wh = Float64Array.from(steps.slice(0, wholeDay), (step) => step[i]!.wh)
      stateDay(widths, { from: start, wh, deviation: deviation.slice(0, wholeDay), noise })
    }
    return [
      {
        level: record.level,
        group: record.group,
        channel: record.channel,
        model: base.model,
        ...told,
        quantilesWh: steps.map((step, k) => {
          const { wh } = step[i]!
          const halves = halfWidths(widths, partsOfDay[k]!, deviation[k]!, noise)
          const inner = Math.round(halves[0])
          const outer = Math.round(halves[1])
          return [wh - outer, wh - inner, wh, wh + inner, wh + outer]
        }),
        ledgerSeq: record.ledgerSeq,
        windows: seen,
      },
    ]
  })
}

/** The pooled scores of the series of each kind of node. */
function poolsOf(lineup: Lineup, all: ReadonlyMap<string, Series>, nodes: readonly TreeNode[]) {
  const kindOf = ({ level, whole }: TreeNode): string => `${level} ${whole === undefined}`
  const pools = new Map<string, Float64Array>()
  for (const [kind, members] of Map.groupBy(nodes, kindOf)) {
    const contests = members.map(({ name }) => all.get(name)!.contest)
    pools.set(kind, pooledExcess(contests, lineup.contenders.length))
  }
  return (node: TreeNode): Float64Array => pools.get(kindOf(node))!
}
