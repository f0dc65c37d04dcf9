import assert from 'node:assert/strict'
import { type Log, LogError, type Transactor } from '../../../connectors/contract.ts'
import { type FsyncPolicy, type MemoryLog, openDurableLog } from '../../../connectors/memory/index.ts'
import { type DiskFault, type SimulatedDisk, simulatedDisk } from './simulated-disk.ts'

/** What a client asks of the log, one after the other. */
export type Operation =
  | { readonly do: 'append'; readonly partition: number; readonly count: number }
  | {
      readonly do: 'transact'
      readonly partitions: readonly number[]
      readonly sends: number
      readonly end: 'commit' | 'abort' | 'leave'
    }
  | { readonly do: 'put'; readonly key: number }
  | { readonly do: 'compact' }
  | { readonly do: 'truncate'; readonly partition: number }

export interface CrashRun {
  readonly fsync: FsyncPolicy
  readonly clients: readonly (readonly Operation[])[]
  /** Small values make files roll and the control file start anew. */
  readonly segmentBytes: number
  readonly controlBytes: number
  readonly strikeAt: number
  readonly fault: DiskFault
  readonly forGood: boolean
  readonly ending: 'kill' | 'power cut'
  /** Decides what an unsynced write leaves behind. */
  readonly choices: readonly number[]
  /** Plants a fault: the disk does not do what a sync asks. */
  readonly lyingDisk?: boolean
}

interface Book {
  /** Values that must be there, by partition and in order of one client; and whole units that may be. */
  readonly sure: Map<string, string[]>
  readonly perhaps: Map<string, string[]>[]
  readonly never: Set<string>
  /** Committed position by group; `undefined` where two answers are right. */
  readonly offsets: Map<string, Set<bigint | undefined>>
  readonly rows: Map<string, Set<string>>
  readonly truncatedTo: Map<number, bigint>
  truncationPending: boolean
}

const data = 'data'
const state = 'state'
const partitions = 3
const spec = { timestamps: 'append', retentionMs: null } as const

const emptyBook = (): Book => ({
  sure: new Map(),
  perhaps: [],
  never: new Set(),
  offsets: new Map(),
  rows: new Map(),
  truncatedTo: new Map(),
  truncationPending: false,
})

/** Runs clients against a log on a simulated disk, strikes the disk, ends the process, and checks what is found again. */
export async function runCrash(run: CrashRun): Promise<void> {
  const disk = simulatedDisk()
  const { fsync, segmentBytes, controlBytes } = run
  const options = { folder: '/log', fsync, segmentBytes, controlBytes }
  const log = await openDurableLog({ ...options, files: disk.files })
  try {
    await log.createTopics([
      { name: data, partitions, cleanup: 'delete', ...spec },
      { name: state, partitions: 1, cleanup: 'compact', ...spec },
    ])
    if (run.lyingDisk) disk.lieAboutSyncs()
    disk.strike(disk.operations() + run.strikeAt, run.fault, run.forGood)
    const book = emptyBook()
    await Promise.all(run.clients.map((operations, who) => client(log, book, operations, who)))

    let turn = 0
    const choose = (count: number): number => (run.choices[turn++ % run.choices.length] ?? 0) % count
    const left: SimulatedDisk = run.ending === 'kill' ? disk.afterKill() : disk.afterPowerCut(choose)
    for (let opening = 0; opening < 2; opening++) {
      const found = await openDurableLog({ ...options, files: left.files })
      await check(found, book)
      if (opening === 0) {
        await found.append([{ topic: data, partition: 0, key: null, value: Buffer.from('afterwards') }])
        book.sure.set(`${data}/0/afterwards`, ['afterwards'])
      }
      await found.close()
    }
  } finally {
    await log.close()
  }
}

async function client(log: MemoryLog, book: Book, operations: readonly Operation[], who: number): Promise<void> {
  const group = `group-${who}`
  book.offsets.set(group, new Set([undefined]))
  let transactor: Transactor | undefined
  for (const [turn, operation] of operations.entries()) {
    const name = `${who}.${turn}`
    const unit = new Map<string, string[]>()
    const record = (partition: number, value: string) => {
      unit.set(`${data}/${partition}/${who}`, [...(unit.get(`${data}/${partition}/${who}`) ?? []), value])
      return { topic: data, partition, key: null, value: Buffer.from(value), headers: { who: `${who}` } }
    }
    const settle = (outcome: 'sure' | 'perhaps' | 'never') => {
      if (outcome === 'perhaps') book.perhaps.push(unit)
      for (const [place, values] of unit) {
        if (outcome === 'sure') book.sure.set(place, [...(book.sure.get(place) ?? []), ...values])
        if (outcome === 'never') for (const value of values) book.never.add(value)
      }
    }
    const attempt = async (act: () => Promise<void>): Promise<'sure' | 'perhaps' | 'never'> => {
      try {
        await act()
        return 'sure'
      } catch (error) {
        if (!(error instanceof LogError)) throw error
        // After EIO the process may also be gone in the middle of the call: then nobody has an answer.
        return error.code === 'closed' || error.code === 'unknown_outcome' ? 'perhaps' : 'never'
      }
    }
    if (operation.do === 'append') {
      const records = Array.from({ length: operation.count }, (_, index) =>
        record(operation.partition, `${name}/${index}`),
      )
      settle(await attempt(() => log.append(records)))
    } else if (operation.do === 'put') {
      const outcome = await attempt(() =>
        log.append([
          { topic: state, partition: 0, key: Buffer.from(`${who}/${operation.key}`), value: Buffer.from(name) },
        ]),
      )
      const row = `${who}/${operation.key}`
      if (outcome === 'sure') book.rows.set(row, new Set([name]))
      else book.rows.set(row, new Set([...(book.rows.get(row) ?? ['']), name]))
    } else if (operation.do === 'compact') {
      await attempt(() => log.compact(state))
    } else if (operation.do === 'truncate') {
      const { end } = await log.bounds(data, operation.partition, 'read_committed')
      const outcome = await attempt(() => log.truncate(data, operation.partition, end))
      const known = book.truncatedTo.get(operation.partition) ?? 0n
      if (outcome === 'sure') book.truncatedTo.set(operation.partition, end > known ? end : known)
      book.truncationPending = true
    } else {
      const next = BigInt(turn + 1)
      let committing = false
      const outcome = await attempt(async () => {
        transactor = await log.open(`id-${who}`, { timeoutMs: 60_000 })
        await transactor.begin()
        await transactor.sendOffsets(group, data, 0, next)
        for (let send = 0; send < operation.sends; send++) {
          await transactor.send(
            operation.partitions.map((partition, index) => record(partition, `${name}/${send}/${index}`)),
          )
        }
        committing = operation.end === 'commit'
        if (operation.end !== 'leave') await transactor[operation.end]()
      })
      const settled = !committing ? 'never' : outcome
      settle(settled)
      const offsets = book.offsets.get(group)!
      if (settled === 'sure') book.offsets.set(group, new Set([next]))
      if (settled === 'perhaps') offsets.add(next)
    }
  }
}

async function valuesOf(log: Log, topic: string, partition: number): Promise<{ value: string; key: string }[]> {
  const { first, end } = await log.bounds(topic, partition, 'read_committed')
  const reader = await log.read(topic, partition, first, 'read_committed')
  const read: { value: string; key: string }[] = []
  for (let next = first; next < end; ) {
    const fetched = await reader.poll({ maxRecords: 1_000, maxBytes: 1_000_000, waitMs: 0 })
    for (const { value, key } of fetched.records) {
      read.push({ value: Buffer.from(value ?? []).toString(), key: Buffer.from(key ?? []).toString() })
    }
    next = fetched.next
  }
  return read
}

async function check(log: MemoryLog, book: Book): Promise<void> {
  const found = new Map<number, string[]>()
  for (let partition = 0; partition < partitions; partition++) {
    const { end } = await log.bounds(data, partition, 'read_committed')
    assert.equal((await log.bounds(data, partition, 'read_uncommitted')).end, end, 'nothing is open after a restart')
    found.set(
      partition,
      (await valuesOf(log, data, partition)).map(({ value }) => value),
    )
  }
  const all = [...found.values()].flat()
  assert.equal(new Set(all).size, all.length, 'no record is there twice')
  for (const value of all) assert.ok(!book.never.has(value), `${value} was never committed`)
  if (!book.truncationPending) {
    const units = new Map<string, string[]>()
    for (const unit of book.perhaps) {
      const values = [...unit.values()].flat()
      const there = values.filter((value) => all.includes(value))
      assert.ok(there.length === 0 || there.length === values.length, 'a transaction is there whole or not at all')
      if (there.length > 0) for (const [place, part] of unit) units.set(place, [...(units.get(place) ?? []), ...part])
    }
    for (const [place, values] of book.sure) {
      const [, partition, who] = place.split('/')
      const own = found.get(Number(partition))?.filter((value) => value.split('.')[0] === who || value === who)
      const extra = units.get(place) ?? []
      assert.deepEqual(
        own?.filter((value) => !extra.includes(value)),
        values,
        'what was acknowledged is there, in order',
      )
    }
  }
  for (const [partition, first] of book.truncatedTo) {
    const bounds = await log.bounds(data, partition, 'read_committed')
    assert.ok(bounds.first >= first, 'what was truncated stays away')
  }
  for (const [group, right] of book.offsets) {
    const committed = await log.committed(group, data, 0)
    assert.ok(right.has(committed), `${group} stands at ${committed}, not at one of ${[...right]}`)
  }
  const rows = new Map((await valuesOf(log, state, 0)).map(({ key, value }) => [key, value]))
  for (const [row, right] of book.rows) assert.ok(right.has(rows.get(row) ?? ''), 'a row has its last value')
}
