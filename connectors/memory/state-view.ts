import type { CellAddress, CellValue, Exchanged, StateView, ViewPosition } from '../contract.ts'
import { type CellPages, cellPages } from './cell-pages.ts'

interface Scope {
  position: ViewPosition
  /** Table, then day, then the dense index. */
  readonly tables: Map<string, Map<number, CellPages>>
}

type Exchange = Parameters<StateView['exchange']>[1]

/** A view at one moment; opaque. */
export interface ViewSnapshot {
  readonly scope: Scope | undefined
}

/** The in-memory view, with what a lost, restored or late server would do to it, for tests. */
export interface MemoryStateView extends StateView {
  /** Forgets a scope, or everything, as a restart without persistence does. */
  readonly clear: (scope?: string) => void
  readonly snapshot: (scope: string) => ViewSnapshot
  /** Goes back to a snapshot, as a restored backup or a failover to a lagging replica does. */
  readonly restore: (scope: string, snapshot: ViewSnapshot) => void
  /** Delivers the last exchange with an apply once more, as a delayed packet of a zombie does. */
  readonly resend: (scope: string) => Exchanged | undefined
}

/** A state view in this process. Values are copied in and out. */
export function memoryStateView(): MemoryStateView {
  const scopes = new Map<string, Scope>()
  const lastApply = new Map<string, Exchange>()

  const exchange = (name: string, request: Exchange): Exchanged => {
    const scope = scopes.get(name)
    const { expected, apply } = request
    const applied = apply !== undefined && same(scope?.position, { ...expected, seq: apply.seq, hash: apply.hash })
    if (scope === undefined || !(applied || same(scope.position, expected))) {
      return { status: 'mismatch', actual: scope === undefined ? undefined : { ...scope.position } }
    }
    if (apply !== undefined && !applied) {
      for (const cell of apply.cells) put(scope, cell)
      for (const [table, days] of scope.tables) {
        dropBelow(days, Math.max(apply.floorDay, apply.tableFloors?.get(table) ?? apply.floorDay))
      }
      scope.position = { gen: expected.gen, seq: apply.seq, hash: apply.hash }
    }
    return { status: 'ok', cells: request.lookup.map((address) => find(scope, address)) }
  }

  return {
    position: async (name) => {
      const scope = scopes.get(name)
      return scope === undefined ? undefined : { ...scope.position }
    },
    exchange: async (name, request) => {
      if (request.apply !== undefined) lastApply.set(name, request)
      return exchange(name, request)
    },
    reset: async (name, from, to, cells) => {
      const present = scopes.get(name)?.position
      if (from === undefined ? present !== undefined : !same(present, from)) return 'mismatch'
      const scope: Scope = { position: { ...to }, tables: new Map() }
      for (const cell of cells) put(scope, cell)
      scopes.set(name, scope)
      return 'ok'
    },
    close: async () => {},
    clear: (name) => {
      if (name === undefined) scopes.clear()
      else scopes.delete(name)
    },
    snapshot: (name) => ({ scope: copyOf(scopes.get(name)) }),
    restore: (name, { scope }) => {
      const copy = copyOf(scope)
      if (copy === undefined) scopes.delete(name)
      else scopes.set(name, copy)
    },
    resend: (name) => {
      const request = lastApply.get(name)
      return request === undefined ? undefined : exchange(name, request)
    },
  }
}

function same(a: ViewPosition | undefined, b: ViewPosition): boolean {
  return a !== undefined && a.gen === b.gen && a.seq === b.seq && a.hash === b.hash
}

function put(scope: Scope, cell: CellValue): void {
  let table = scope.tables.get(cell.table)
  if (table === undefined) {
    table = new Map()
    scope.tables.set(cell.table, table)
  }
  let pages = table.get(cell.day)
  if (pages === undefined) {
    pages = cellPages()
    table.set(cell.day, pages)
  }
  pages.set(cell.index, cell.value)
}

function find(scope: Scope, address: CellAddress): Uint8Array | undefined {
  return scope.tables.get(address.table)?.get(address.day)?.get(address.index)
}

/** Day 0 is for cells that do not age. */
function dropBelow(days: Map<number, CellPages>, floorDay: number): void {
  for (const day of days.keys()) if (day !== 0 && day < floorDay) days.delete(day)
}

function copyOf(scope: Scope | undefined): Scope | undefined {
  if (scope === undefined) return undefined
  return {
    position: { ...scope.position },
    tables: new Map(
      [...scope.tables].map(([name, days]) => [name, new Map([...days].map(([day, pages]) => [day, pages.copy()]))]),
    ),
  }
}
