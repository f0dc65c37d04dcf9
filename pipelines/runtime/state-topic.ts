import { randomBytes } from 'node:crypto'
import type { LogRecord, OutgoingRecord, Transactor } from '../../connectors/contract.ts'
import type { StateRow } from '../../operators/contract/operator.ts'
import type { LoadState } from '../../schemas/load-state.ts'
import { fetches, findValue, readRange } from './changelog.ts'
import { commitAndAwait, unseen } from './marker.ts'
import type { AnyTopic } from './stream.ts'
import { headersOf, stepping, type TaskContext } from './task.ts'

/** The exact input offset that the other rows stand for. */
const positionRow = '@position'
/** Written anew with every assignment, to see whether a read shows all that older owners committed. */
const markerRow = '@marker'

/** The rows of an accumulating step, and the input position they stand for; none before the first transaction. */
export interface StoredState {
  readonly rows: readonly StateRow[]
  readonly position: bigint | undefined
}

/**
 * Reads the state topic up to a marker of our own, so that nothing is missing that an older owner committed. Rejects with
 * `retriable` where the marker does not appear.
 */
export async function readState(task: TaskContext, topic: AnyTopic, producer: Transactor): Promise<StoredState> {
  const record = rowRecord(task, topic, { row: markerRow, body: randomBytes(32) })
  const marker = await stepping(task, 'marker', () => commitAndAwait(task, producer, record))
  return stepping(task, 'replay', async () => {
    const { newest, marked } = await foldRows(task, topic, marker.value)
    // A broker that came back since the marker was seen may show less again.
    if (!marked) throw unseen(task)
    return storedState(task, topic, newest)
  })
}

/**
 * The newest record of each row, one fetch at a time: until a broker compacts, every row that was ever written is there. Values
 * are copies, since a view would hold all of its fetch.
 */
async function foldRows({ ports, partition }: TaskContext, topic: AnyTopic, marker: Uint8Array) {
  const { first, end } = await ports.log.bounds(topic.name, partition, 'read_committed')
  const range = { topic: topic.name, partition, from: first, end, isolation: 'read_committed' } as const
  const newest = new Map<string, Uint8Array>()
  let marked = false
  for await (const records of fetches(ports.log, range)) {
    marked ||= findValue(records, marker) !== undefined
    for (const { key, value } of records) {
      const row = Buffer.from(key ?? new Uint8Array()).toString()
      if (value) newest.set(row, new Uint8Array(value))
      else newest.delete(row)
    }
  }
  return { newest, marked }
}

/** Committed records of one partition, from the first to the last. */
export async function readCommitted(
  { ports }: TaskContext,
  topic: AnyTopic,
  partition: number,
): Promise<readonly LogRecord[]> {
  const { first, end } = await ports.log.bounds(topic.name, partition, 'read_committed')
  return readRange(ports.log, topic.name, partition, first, end)
}

/** Rows and position as records of the state topic; a row without a body becomes a tombstone. */
export function stateRecords(
  task: TaskContext,
  topic: AnyTopic,
  rows: readonly StateRow[],
  position: bigint,
): OutgoingRecord[] {
  const stored: StateRow = { row: positionRow, body: Buffer.from(position.toString()) }
  return [...rows, stored].map((row) => rowRecord(task, topic, row))
}

function storedState({ wire }: TaskContext, topic: AnyTopic, newest: ReadonlyMap<string, Uint8Array>): StoredState {
  const bodyOf = (value: Uint8Array): Uint8Array => (wire.decode(topic, value) as LoadState).body
  const position = newest.get(positionRow)
  const rows = [...newest].filter(([row]) => row !== positionRow && row !== markerRow)
  return {
    rows: rows.map(([row, value]) => ({ row, body: bodyOf(value) })),
    position: position && BigInt(Buffer.from(bodyOf(position)).toString()),
  }
}

function rowRecord({ partition, wire }: TaskContext, topic: AnyTopic, { row, body }: StateRow): OutgoingRecord {
  const value = body ? wire.encode(topic, { row, body }) : null
  return { topic: topic.name, partition, key: Buffer.from(row), value, headers: headersOf(topic) }
}
