import { columns, count, pad } from './text.ts'

/** One column of a table. */
export interface Column {
  readonly head: string
  /** Numbers usually `right`. Default: `left` in the first column, `right` in the others. */
  readonly align?: 'left' | 'right'
}

/** A cell as text (colours allowed) or as a number, printed with thousands separators. */
export type Cell = string | number | bigint | undefined
/** A row of cells, or a line between rows, for instance above a total. */
export type Row = readonly Cell[] | 'line'

/**
 * Lines of a table with aligned columns. Where it is wider than `width`, the widest text column is cut, with an ellipsis.
 */
export function formatTable(
  heads: readonly (Column | string)[],
  rows: readonly Row[],
  { width = 80, headPaint = (text: string) => text }: { width?: number; headPaint?: (text: string) => string } = {},
): readonly string[] {
  const specs = heads.map((head, at) => ({
    head: typeof head === 'string' ? head : head.head,
    align: (typeof head === 'string' ? undefined : head.align) ?? (at === 0 ? 'left' : 'right'),
  }))
  const texts = rows.map((row) => (row === 'line' ? row : specs.map((_, at) => cellText(row[at]))))
  const widths = specs.map(({ head }, at) =>
    Math.max(columns(head), ...texts.map((row) => (row === 'line' ? 0 : columns(row[at] as string)))),
  )
  shrink(widths, specs, width)
  const print = (cells: readonly string[]) =>
    cells
      .map((cell, at) => pad(cut(cell, widths[at] as number), widths[at] as number, specs[at]?.align))
      .join('  ')
      .trimEnd()
  const line = widths.map((one) => '─'.repeat(one)).join('──')
  return [
    headPaint(print(specs.map(({ head }) => head))),
    line,
    ...texts.map((row) => (row === 'line' ? line : print(row))),
  ]
}

function cellText(cell: Cell): string {
  if (cell === undefined) return ''
  return typeof cell === 'string' ? cell : count(cell)
}

/** Takes what is too wide from the widest left-aligned column; narrow ones and numbers stay whole. */
function shrink(widths: number[], specs: readonly { readonly align: string }[], width: number): void {
  const excess = widths.reduce((sum, one) => sum + one, 2 * (widths.length - 1)) - width
  if (excess <= 0) return
  const texts = widths.map((one, at) => (specs[at]?.align === 'left' ? one : 0))
  const widest = texts.indexOf(Math.max(...texts))
  widths[widest] = Math.max(8, (widths[widest] as number) - excess)
}

function cut(cell: string, width: number): string {
  if (columns(cell) <= width) return cell
  // A cut in the middle of a colour would colour the rest of the screen, so a cut cell loses its colours.
  return `${[...cell.replaceAll(/\p{Cc}\[[0-9;]*[A-Za-z]/gu, '')].slice(0, width - 1).join('')}…`
}
