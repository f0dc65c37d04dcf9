import { linePlot, type PlotOptions } from './plot.ts'
import { type Progress, type ProgressOptions, showProgress } from './progress.ts'
import { type Column, formatTable, type Row } from './table.ts'

/** What a command writes to: standard output for results, standard error for progress and remarks. */
export interface Terminal {
  /** Whether results go out as JSON lines; then `line`, `table` and `plot` print nothing. */
  readonly json: boolean
  /** Colours of results: each gives its text back unchanged where colours are off. */
  readonly paint: Paint
  /** Columns of standard output; 80 where it is no terminal. */
  readonly width: number
  /** A line of text for a reader. */
  readonly line: (text?: string) => void
  /** A heading with an empty line before it. */
  readonly title: (text: string) => void
  readonly table: (heads: readonly (Column | string)[], rows: readonly Row[]) => void
  readonly plot: (options: Omit<PlotOptions, 'width' | 'paints'>) => void
  /** One fact for a script: a JSON line, printed in JSON mode only. Bigints become text, maps objects, bytes hex. */
  readonly record: (value: object) => void
  /** A remark on standard error, in both modes. */
  readonly note: (text: string) => void
  readonly progress: (options: ProgressOptions) => Progress
}

export type Colour = 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan' | 'bold' | 'dim'
export type Paint = Readonly<Record<Colour, (text: string) => string>>

const codes: Readonly<Record<Colour, readonly [number, number]>> = {
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  magenta: [35, 39],
  cyan: [36, 39],
  bold: [1, 22],
  dim: [2, 22],
}
/** Told apart also by people who see red and green alike. */
const seriesColours: readonly Colour[] = ['cyan', 'yellow', 'magenta', 'blue', 'green', 'red']

/** The part of a writable stream that a terminal needs. */
export interface Output {
  readonly write: (text: string) => unknown
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}

export interface TerminalOptions {
  readonly json?: boolean
  readonly stdout?: Output
  readonly stderr?: Output
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Milliseconds of a clock that only moves forward. */
  readonly now?: () => number
}

/**
 * Opens the terminal of a command. Colours and rewritten lines only where the stream is a terminal, NO_COLOR is not set and
 * TERM is not `dumb`.
 */
export function openTerminal(options: TerminalOptions = {}): Terminal {
  const { json = false, stdout = process.stdout, stderr = process.stderr, env = process.env } = options
  const now = options.now ?? (() => performance.now())
  const coloured = stdout.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb'
  const paint = paintOf(coloured)
  const width = Math.max(40, stdout.isTTY === true ? (stdout.columns ?? 80) : 80)
  const line = (text = '') => {
    if (!json) stdout.write(`${text}\n`)
  }
  const lines = (all: readonly string[]) => {
    for (const one of all) line(one)
  }
  return {
    json,
    paint,
    width,
    line,
    title: (text) => lines(['', paint.bold(text)]),
    table: (heads, rows) => lines(formatTable(heads, rows, { width, headPaint: paint.dim })),
    plot: (plot) =>
      lines(linePlot({ ...plot, width, ...(coloured ? { paints: seriesColours.map((c) => paint[c]) } : {}) })),
    record: (value) => {
      if (json) stdout.write(`${JSON.stringify(value, plain)}\n`)
    },
    note: (text) => void stderr.write(`${text}\n`),
    progress: (what) =>
      showProgress(what, {
        write: (text) => void stderr.write(text),
        rewrite: stderr.isTTY === true && env['TERM'] !== 'dumb',
        width: () => stderr.columns ?? 80,
        now,
      }),
  }
}

function paintOf(on: boolean): Paint {
  const one = ([open, close]: readonly [number, number]) =>
    on ? (text: string) => `\u001b[${open}m${text}\u001b[${close}m` : (text: string) => text
  return Object.fromEntries(Object.entries(codes).map(([name, pair]) => [name, one(pair)])) as Paint
}

/** What JSON cannot hold, as the nearest thing that it can. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Map) return Object.fromEntries(value)
  if (value instanceof Set) return [...value]
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  return value
}
