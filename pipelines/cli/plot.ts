import { pad } from './text.ts'

/** A line of a plot. `undefined` and non-finite values leave a gap. */
export interface Series {
  readonly name: string
  readonly values: readonly (number | undefined)[]
}

/** A filled range, for instance an interval of a forecast; drawn behind the lines. */
export interface Band {
  readonly name: string
  readonly lower: readonly (number | undefined)[]
  readonly upper: readonly (number | undefined)[]
}

export interface PlotOptions {
  readonly series: readonly Series[]
  readonly band?: Band
  /** Columns of the whole plot, axis included. Default 80. */
  readonly width?: number
  /** Lines of the plot area. Default 12. */
  readonly height?: number
  /** Written above the value axis, for instance `kWh`. */
  readonly unit?: string
  /** Texts under the time axis by index of the values. */
  readonly ticks?: readonly { readonly at: number; readonly label: string }[]
  /** One per series; with them lines are drawn in braille dots, without in one mark per series. */
  readonly paints?: readonly ((text: string) => string)[]
}

const marks = ['●', '×', '○', '+', '◆', '#']
const shade = '░'
/** Bits of a braille cell by row and column of its 4 x 2 dots (Unicode 2800 block). */
const dots = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const

/** Lines of a plot of several series over one axis. Fits `width` columns and tells the series apart without colours too. */
export function linePlot(options: PlotOptions): readonly string[] {
  const { series, band, width = 80, height = 12, unit = '', ticks = [], paints } = options
  const all = [...series.flatMap(({ values }) => values), ...(band ? [...band.lower, ...band.upper] : [])]
  const known = all.filter(isNumber)
  if (known.length === 0) return ['(nothing to plot)']
  const axis = niceAxis(Math.min(...known), Math.max(...known), height)
  const labels = axis.ticks.map((tick) => axis.text(tick))
  const margin = Math.max(...labels.map((label) => label.length)) + 1
  const area = { width: Math.max(10, width - margin - 1), height, low: axis.low, high: axis.high }
  const length = Math.max(...series.map(({ values }) => values.length), band?.lower.length ?? 0)

  const cells = blank(area)
  if (band) fill(cells, band, area, length)
  const draw = paints ? drawDots : drawMarks
  // The first series is drawn last, so that it stays on top.
  for (let at = series.length - 1; at >= 0; at -= 1) draw(cells, series[at] as Series, at, area, length, paints?.[at])

  const rowOf = (value: number) => Math.round(((area.high - value) / (area.high - area.low)) * (height - 1))
  const labelled = new Map(axis.ticks.map((tick, at) => [rowOf(tick), labels[at] as string]))
  const body = cells.map((row, at) => {
    const label = labelled.get(at)
    return `${pad(label ?? '', margin - 1, 'right')} ${label === undefined ? '│' : '┤'}${row.join('').trimEnd()}`
  })
  return [
    ...(unit === '' ? [] : [`${pad(unit, margin - 1, 'right')}`]),
    ...body,
    ...timeAxis(ticks, margin, area.width, length),
    legend(series, band, paints, margin),
  ]
}

const isNumber = (value: number | undefined): value is number => value !== undefined && Number.isFinite(value)

interface Area {
  readonly width: number
  readonly height: number
  readonly low: number
  readonly high: number
}

const blank = ({ width, height }: Area): string[][] =>
  Array.from({ length: height }, () => Array.from({ length: width }, () => ' '))

/** The value of a series at a column: linear between its two neighbours, a gap where one is missing. */
function valueAt(values: readonly (number | undefined)[], at: number): number | undefined {
  const [left, right] = [values[Math.floor(at)], values[Math.ceil(at)]]
  if (!isNumber(left)) return undefined
  if (!isNumber(right)) return at === Math.floor(at) ? left : undefined
  return left + (right - left) * (at - Math.floor(at))
}

const indexAt = (column: number, steps: number, length: number) =>
  steps <= 1 ? 0 : (column / (steps - 1)) * (length - 1)

/** Row of a value on `rows` rows, clamped to the area. */
const rowAt = (value: number, rows: number, { low, high }: Area) =>
  Math.min(rows - 1, Math.max(0, Math.round(((high - value) / (high - low)) * (rows - 1))))

function fill(cells: string[][], { lower, upper }: Band, area: Area, length: number): void {
  for (let column = 0; column < area.width; column += 1) {
    const at = indexAt(column, area.width, length)
    const [low, high] = [valueAt(lower, at), valueAt(upper, at)]
    if (low === undefined || high === undefined) continue
    for (let row = rowAt(high, area.height, area); row <= rowAt(low, area.height, area); row += 1) {
      put(cells, row, column, shade)
    }
  }
}

function drawMarks(cells: string[][], { values }: Series, order: number, area: Area, length: number): void {
  for (let column = 0; column < area.width; column += 1) {
    const value = valueAt(values, indexAt(column, area.width, length))
    if (value !== undefined) put(cells, rowAt(value, area.height, area), column, marks[order % marks.length] as string)
  }
}

function drawDots(
  cells: string[][],
  { values }: Series,
  _order: number,
  area: Area,
  length: number,
  paint: ((text: string) => string) | undefined,
): void {
  const bits = Array.from({ length: area.height }, () => new Uint8Array(area.width))
  const set = (x: number, y: number) => {
    const row = bits[y >> 2] as Uint8Array
    row[x >> 1] = (row[x >> 1] as number) | (dots[y & 3]?.[(x & 1) as 0 | 1] ?? 0)
  }
  let before: number | undefined
  for (let x = 0; x < area.width * 2; x += 1) {
    const value = valueAt(values, indexAt(x, area.width * 2, length))
    const y = value === undefined ? undefined : rowAt(value, area.height * 4, area)
    if (y !== undefined) {
      const from = before ?? y
      for (let step = Math.min(from, y); step <= Math.max(from, y); step += 1) set(x, step)
    }
    before = y
  }
  bits.forEach((row, at) => {
    row.forEach((pattern, column) => {
      const glyph = String.fromCodePoint(0x2800 + pattern)
      if (pattern !== 0) put(cells, at, column, paint ? paint(glyph) : glyph)
    })
  })
}

function put(cells: string[][], row: number, column: number, text: string): void {
  const line = cells[row]
  if (line && column < line.length) line[column] = text
}

/** Round ticks around the data: 1, 2 or 5 times a power of ten apart. */
function niceAxis(min: number, max: number, height: number) {
  const low = min > 0 && min < max / 2 ? 0 : min
  const span = max - low || Math.abs(max) || 1
  const wanted = Math.max(2, Math.floor(height / 3))
  const rough = span / wanted
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power
  const first = Math.floor(low / step) * step
  const last = Math.max(Math.ceil(max / step) * step, first + step)
  const steps = Math.round((last - first) / step)
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9))
  return {
    low: first,
    high: last,
    ticks: Array.from({ length: steps + 1 }, (_, at) => first + at * step),
    text: (value: number) =>
      value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits }),
  }
}

function timeAxis(
  ticks: readonly { readonly at: number; readonly label: string }[],
  margin: number,
  width: number,
  length: number,
): readonly string[] {
  const line = Array.from({ length: width }, () => '─')
  const text = Array.from({ length: width }, () => ' ')
  let free = 0
  for (const { at, label } of ticks) {
    const column = length <= 1 ? 0 : Math.round((at / (length - 1)) * (width - 1))
    if (column >= width) continue
    line[column] = '┬'
    const start = Math.min(width - label.length, Math.max(0, column - Math.floor(label.length / 2)))
    if (start < free) continue
    for (const [offset, letter] of [...label].entries()) text[start + offset] = letter
    free = start + label.length + 1
  }
  const indent = ' '.repeat(margin)
  return [`${indent}└${line.join('')}`, ...(ticks.length > 0 ? [`${indent} ${text.join('').trimEnd()}`] : [])]
}

function legend(
  series: readonly Series[],
  band: Band | undefined,
  paints: PlotOptions['paints'],
  margin: number,
): string {
  const entries = series.flatMap(({ name, values }, at) => {
    const paint = paints?.[at]
    return values.some(isNumber) ? [`${paint ? paint('━━') : marks[at % marks.length]} ${name}`] : []
  })
  return `${' '.repeat(margin + 1)}${[...entries, ...(band?.lower.some(isNumber) ? [`${shade} ${band.name}`] : [])].join('   ')}`
}
