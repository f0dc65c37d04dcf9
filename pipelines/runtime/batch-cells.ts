import type { CellAddress, CellValue } from '../../connectors/contract.ts'
import { HaltError } from '../../operators/contract/halt.ts'
import type { CellKey, StateTable } from '../../operators/contract/operator.ts'
import type { ChangedCell, ChangedCells } from '../../schemas/accepted-batch.ts'
import type { CellAccess } from './chain.ts'

/** Days since 1970 stay below this until the year 2328; index times it stays below 2^53 for 2^36 measuring points. */
const dayRadix = 131_072
const code = ({ index, day }: CellKey): number => index * dayRadix + day

interface Cell {
  readonly key: CellKey
  value: unknown
  changed: boolean
}

interface Opened {
  readonly table: StateTable<unknown>
  readonly cells: Map<number, Cell>
  /** The same cells in the order in which they were asked for. */
  readonly inOrder: Cell[]
}

const isOf = (cell: Cell | undefined, { index, day }: CellKey): boolean =>
  cell !== undefined && cell.key.index === index && cell.key.day === day

/** Looks cells up in the view: one call for all that are asked for. */
export type LookUp = (addresses: readonly CellAddress[]) => Promise<readonly (Uint8Array | undefined)[]>

export interface BatchCells extends CellAccess {
  /** Absolute values of what the batch changed, per table. */
  readonly changes: () => ChangedCells[]
}

/**
 * The cells of one batch: looked up once per cell, however many operators ask, and kept apart from the view until the
 * batch is committed.
 */
export function batchCells(lookUp: LookUp): BatchCells {
  const tables = new Map<string, Opened>()
  const open = (table: StateTable<unknown>) => {
    let entry = tables.get(table.name)
    if (!entry) {
      entry = { table, cells: new Map(), inOrder: [] }
      tables.set(table.name, entry)
    }
    if (entry.table !== table) {
      throw new HaltError(
        `two operators name their state ${table.name}`,
        'Give each keyed operator a table of its own.',
      )
    }
    return entry
  }
  return {
    require: (table, keys) => {
      const { cells, inOrder } = open(table)
      const missing: Cell[] = []
      const addresses: CellAddress[] = []
      for (const key of keys) {
        const at = code(key)
        if (cells.has(at)) continue
        const cell = { key, value: undefined, changed: false }
        cells.set(at, cell)
        inOrder.push(cell)
        missing.push(cell)
        addresses.push({ table: table.name, index: key.index, day: key.day })
      }
      if (missing.length === 0) return undefined
      return lookUp(addresses).then((found) => {
        missing.forEach((cell, i) => {
          const bytes = found[i]
          if (bytes) cell.value = table.codec.decode(bytes)
        })
      })
    },
    cells: <S>(table: StateTable<S>) => {
      const { cells, inOrder } = open(table as StateTable<unknown>)
      let at = 0
      const find = (key: CellKey): Cell => {
        // Operators come to their cells in the order in which they named them, and back to each: a glance, not a hash.
        if (isOf(inOrder[at], key)) return inOrder[at]!
        if (isOf(inOrder[at + 1], key)) {
          at += 1
          return inOrder[at]!
        }
        const cell = cells.get(code(key))
        if (!cell) {
          throw new HaltError(
            `an operator asked for a cell of ${table.name} that its keys did not name`,
            'This is a fault in the operator: keys(batch) must name every cell that process touches.',
          )
        }
        return cell
      }
      return {
        get: (key) => find(key).value as S | undefined,
        set: (key, next) => {
          const cell = find(key)
          cell.value = next
          cell.changed = true
        },
      }
    },
    changes: () =>
      [...tables.values()].flatMap(({ table, inOrder }) => {
        const written: ChangedCell[] = []
        for (const { key, value, changed } of inOrder) {
          if (changed) written.push({ index: key.index, day: key.day, value: table.codec.encode(value) })
        }
        return written.length > 0 ? [{ table: table.name, cells: written }] : []
      }),
  }
}

/** The changes of a batch as the view takes them. */
export function toCellValues(tables: readonly ChangedCells[]): CellValue[] {
  return tables.flatMap(({ table, cells }) => cells.map(({ index, day, value }) => ({ table, index, day, value })))
}
