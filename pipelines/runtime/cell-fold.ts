import type { CellValue } from '../../connectors/contract.ts'
import { type Floors, floorOf } from './floors.ts'

/** The cells of a view after a number of links: what their applies, one after the other, would have left in it. */
export interface CellFold {
  /** Days below are dropped, and what comes for them is ignored; some tables have a higher floor. Floors only ever rise. */
  readonly dropBelow: (floors: Floors) => void
  /** The table of the cells that follow. */
  readonly table: (name: string) => void
  /** Puts a cell of that table: bytes [from, to) of `bytes`, copied. */
  readonly put: (index: number, day: number, bytes: Uint8Array, from: number, to: number) => void
  /**
   * Every cell, each once: by table, then day, then runs of 1,024 neighbours. Values are views, good until the next put; until
   * then it can be gone through again.
   */
  readonly cells: () => Iterable<CellValue>
}

const pageBits = 10
const pageSize = 1 << pageBits
/** Values longer than this are kept one by one, so that one of them cannot blow up its page. */
const longest = 256
const isLong = longest + 2

/** Neighbouring cells of one table and day, in slots of one width. */
interface Page {
  width: number
  bytes: Uint8Array
  /** Length of each value plus one; 0 means that there is none, `isLong` that it is kept apart. */
  readonly lengths: Uint16Array
}

interface Day {
  /** By index / 1,024. */
  readonly pages: Map<number, Page>
  readonly long: Map<number, Uint8Array>
}

/**
 * Folds links into the newest value of each cell, in about the bytes of those values: some 10 MB for 100,000 meters over 48
 * hours, where their links take 1 GB.
 */
export function cellFold(): CellFold {
  const tables = new Map<string, Map<number, Day>>()
  let days = new Map<number, Day>()
  let floors: Floors = { floorDay: Number.NEGATIVE_INFINITY, tableFloors: new Map() }
  /** That of the table at hand. */
  let floor = Number.NEGATIVE_INFINITY
  let current = ''
  let lastDay = Number.NaN
  let day: Day | undefined
  let lastPage = -1
  let page: Page | undefined

  const forget = () => {
    lastDay = Number.NaN
    lastPage = -1
  }
  const openDay = (number: number): Day => {
    let found = days.get(number)
    if (found === undefined) {
      found = { pages: new Map(), long: new Map() }
      days.set(number, found)
    }
    return found
  }
  const openPage = ({ pages }: Day, number: number): Page => {
    let found = pages.get(number)
    if (found === undefined) {
      found = { width: 0, bytes: none, lengths: new Uint16Array(pageSize) }
      pages.set(number, found)
    }
    return found
  }
  return {
    dropBelow: (risen) => {
      if (sameFloors(floors, risen)) return
      floors = risen
      floor = floorOf(floors, current)
      forget()
      for (const [name, table] of tables) {
        const lowest = floorOf(floors, name)
        for (const number of table.keys()) if (number !== 0 && number < lowest) table.delete(number)
      }
    },
    table: (name) => {
      forget()
      current = name
      floor = floorOf(floors, name)
      days = tables.get(name) ?? new Map()
      tables.set(name, days)
    },
    put: (index, number, bytes, from, to) => {
      // Day 0 is for cells that do not age.
      if (number < floor && number !== 0) return
      if (number !== lastDay) {
        day = openDay(number)
        lastDay = number
        lastPage = -1
      }
      const which = index >>> pageBits
      if (which !== lastPage) {
        page = openPage(day!, which)
        lastPage = which
      }
      const slot = index & (pageSize - 1)
      const { lengths } = page!
      if (lengths[slot] === isLong) day!.long.delete(index)
      const length = to - from
      if (length > longest) {
        lengths[slot] = isLong
        day!.long.set(index, new Uint8Array(bytes.subarray(from, to)))
        return
      }
      if (length > page!.width) widen(page!, length)
      lengths[slot] = length + 1
      // Most values are a dozen bytes: calling anything to copy them costs more.
      const into = page!.bytes
      for (let at = slot * page!.width; from < to; ) into[at++] = bytes[from++]!
    },
    cells: () => ({ [Symbol.iterator]: () => cellsOf(tables) }),
  }
}

function* cellsOf(tables: ReadonlyMap<string, ReadonlyMap<number, Day>>): Generator<CellValue> {
  for (const [table, ofTable] of tables) {
    for (const [number, { pages, long }] of ofTable) {
      for (const [which, { width, bytes, lengths }] of pages) {
        for (let slot = 0; slot < pageSize; slot++) {
          const length = lengths[slot]!
          if (length === 0) continue
          const index = (which << pageBits) | slot
          const start = slot * width
          const value = length === isLong ? long.get(index)! : bytes.subarray(start, start + length - 1)
          yield { table, index, day: number, value }
        }
      }
    }
  }
}

function sameFloors(a: Floors, b: Floors): boolean {
  if (a.floorDay !== b.floorDay || a.tableFloors.size !== b.tableFloors.size) return false
  for (const [table, floor] of b.tableFloors) if (a.tableFloors.get(table) !== floor) return false
  return true
}

const none = new Uint8Array(0)

function widen(page: Page, length: number): void {
  const width = Math.ceil(length / 4) * 4
  const bytes = new Uint8Array(pageSize * width)
  for (let slot = 0; slot < pageSize; slot++) {
    const start = slot * page.width
    bytes.set(page.bytes.subarray(start, start + page.width), slot * width)
  }
  page.width = width
  page.bytes = bytes
}
