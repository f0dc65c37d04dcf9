import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { LogError } from '../../../connectors/contract.ts'
import {
  type FetchedPartition,
  mostRecords,
  mostUnpackedBytes,
  readBatches,
} from '../../../connectors/kafka/record-batches.ts'

function varint(value: number): number[] {
  let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n))
  const bytes: number[] = []
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return [...bytes, Number(rest)]
}

const text = (value: string | null): number[] =>
  value === null ? varint(-1) : [...varint(Buffer.byteLength(value)), ...Buffer.from(value)]

interface Row {
  readonly delta: number
  readonly key?: string | null
  readonly value?: string | null
  readonly stamp?: number
  readonly headers?: readonly (readonly [string, string])[]
}

interface Shape {
  readonly base: number
  readonly rows: readonly Row[]
  /** Last offset the batch stands for, less its base; compaction keeps it when it takes the records. */
  readonly last?: number
  readonly producer?: number
  readonly transactional?: boolean
  readonly control?: 'commit' | 'abort'
  readonly codec?: number
  readonly stampedByLog?: boolean
  /** Length of a value of zeros in a record before all others. */
  readonly zeros?: number
}

/** The first record of a batch, of nothing but zeros. */
function zeroRecord(length: number): Buffer {
  const head = [0, 0, 0, ...varint(-1), ...varint(length)]
  return Buffer.concat([Buffer.from([...varint(head.length + length + 1), ...head]), Buffer.alloc(length + 1)])
}

/** A record batch as the protocol's page draws it. */
function batch({
  base,
  rows,
  last,
  producer = -1,
  transactional,
  control,
  codec = 0,
  stampedByLog,
  zeros,
}: Shape): Buffer {
  const marker = { delta: 0, key: control === 'abort' ? '\0\0\0\0' : '\0\0\0\x01', value: '\0\0\0\0\0\0' }
  const all = control === undefined ? rows : [marker]
  const others = Buffer.from(
    all.flatMap((row: Row) => {
      const headers = row.headers ?? []
      const record = [
        0,
        ...varint(row.stamp ?? 0),
        ...varint(row.delta),
        ...text(row.key ?? null),
        ...text(row.value === undefined ? `v${base + row.delta}` : row.value),
        ...varint(headers.length),
        ...headers.flatMap(([name, value]) => [...text(name), ...text(value)]),
      ]
      return [...varint(record.length), ...record]
    }),
  )
  const body = zeros === undefined ? others : Buffer.concat([zeroRecord(zeros), others])
  const stored = codec === 1 ? gzipSync(body) : codec === 4 ? zstdCompressSync(body) : body
  const head = Buffer.alloc(61)
  head.writeBigInt64BE(BigInt(base), 0)
  head.writeInt32BE(49 + stored.length, 8)
  head.writeInt8(2, 16)
  const flags = (transactional || control ? 0x10 : 0) | (control ? 0x20 : 0) | (stampedByLog ? 0x08 : 0)
  head.writeInt16BE(codec | flags, 21)
  head.writeInt32BE(last ?? all.at(-1)?.delta ?? 0, 23)
  head.writeBigInt64BE(1_000_000n, 27)
  head.writeBigInt64BE(2_000_000n, 35)
  head.writeBigInt64BE(BigInt(producer), 43)
  head.writeInt32BE(all.length + (zeros === undefined ? 0 : 1), 57)
  return Buffer.concat([head, stored])
}

const fetched = (
  batches: readonly Buffer[],
  aborted: readonly (readonly [number, number])[] = [],
): FetchedPartition => ({
  errorCode: 0,
  batches: Buffer.concat(batches),
  aborted: aborted.map(([producerId, first]) => ({ producerId: BigInt(producerId), first: BigInt(first) })),
})

const rows = (...deltas: number[]): Row[] => deltas.map((delta) => ({ delta }))
const values = (records: readonly { value: Uint8Array | null }[]) => records.map(({ value }) => value && `${value}`)

test('keys, values, headers and stamps come out as they are', () => {
  const long = 'x'.repeat(300)
  const { records, next } = readBatches(
    fetched([
      batch({
        base: 5,
        rows: [
          { delta: 0, key: null, value: null },
          {
            delta: 1,
            key: '',
            value: '',
            stamp: 3,
            headers: [
              ['a', '1'],
              ['b', long],
            ],
          },
          {
            delta: 2,
            key: 'k',
            value: long,
            stamp: -400_000_000_000,
            headers: [
              ['a', '1'],
              ['b', long],
            ],
          },
          { delta: 3, stamp: 90_000_000_000 },
        ],
      }),
    ]),
    5n,
    'read_committed',
  )
  assert.equal(next, 9n)
  assert.deepEqual(
    records.map(({ offset, timestamp, key, value, headers }) => [
      offset,
      timestamp,
      key && `${key}`,
      value && `${value}`,
      { ...headers },
    ]),
    [
      [5n, 1_000_000, null, null, {}],
      [6n, 1_000_003, '', '', { a: '1', b: long }],
      [7n, 1_000_000 - 400_000_000_000, 'k', long, { a: '1', b: long }],
      [8n, 90_001_000_000, null, 'v8', {}],
    ],
  )
})

test('a batch stamped by the log gives all its records that stamp', () => {
  const { records } = readBatches(
    fetched([batch({ base: 0, rows: rows(0, 1), stampedByLog: true })]),
    0n,
    'read_committed',
  )
  assert.deepEqual(
    records.map(({ timestamp }) => timestamp),
    [2_000_000, 2_000_000],
  )
})

for (const [codec, name] of [
  [1, 'gzip'],
  [4, 'zstd'],
] as const) {
  test(`a batch compressed with ${name} is read`, () => {
    const { records } = readBatches(fetched([batch({ base: 0, rows: rows(0, 1), codec })]), 1n, 'read_committed')
    assert.deepEqual(values(records), ['v1'])
  })
}

test('a batch compressed with a codec that is not at hand is refused by name', () => {
  assert.throws(
    () => readBatches(fetched([batch({ base: 0, rows: rows(0), codec: 2 })]), 0n, 'read_committed'),
    (error) => error instanceof LogError && error.code === 'record_invalid',
  )
})

test('a fetch from the middle of a batch leaves out what lies before', () => {
  const { records, next } = readBatches(fetched([batch({ base: 0, rows: rows(0, 1, 2) })]), 2n, 'read_uncommitted')
  assert.deepEqual(values(records), ['v2'])
  assert.equal(next, 3n)
})

test('a batch that is cut off is left for the next fetch', () => {
  const whole = batch({ base: 0, rows: rows(0) })
  const { records, next } = readBatches(
    fetched([whole, batch({ base: 1, rows: rows(0) }).subarray(0, -1)]),
    0n,
    'read_committed',
  )
  assert.deepEqual(values(records), ['v0'])
  assert.equal(next, 1n)
  assert.equal(
    readBatches(fetched([whole, batch({ base: 1, rows: rows(0) }).subarray(0, 60)]), 0n, 'read_committed').next,
    1n,
  )
})

test('markers, and batches that compaction emptied or shortened, move the reader on', () => {
  assert.equal(readBatches(fetched([batch({ base: 7, rows: [], control: 'commit' })]), 7n, 'read_committed').next, 8n)
  assert.equal(readBatches(fetched([batch({ base: 7, rows: [], last: 9 })]), 7n, 'read_committed').next, 17n)
  assert.equal(readBatches(fetched([batch({ base: 7, rows: rows(0), last: 5 })]), 7n, 'read_committed').next, 13n)
})

test('overlapping aborted transactions are hidden whole, in whatever order they are listed', () => {
  const batches = [
    batch({ base: 0, rows: rows(0, 1), producer: 1, transactional: true }),
    batch({ base: 2, rows: rows(0), producer: 2, transactional: true }),
    batch({ base: 3, rows: rows(0), producer: 3, transactional: true }),
    batch({ base: 4, rows: [], producer: 2, control: 'abort' }),
    batch({ base: 5, rows: rows(0), producer: 1, transactional: true }),
    batch({ base: 6, rows: rows(0), producer: 2, transactional: true }),
    batch({ base: 7, rows: [], producer: 3, control: 'commit' }),
    batch({ base: 8, rows: rows(0) }),
    batch({ base: 9, rows: [], producer: 1, control: 'abort' }),
    batch({ base: 10, rows: rows(0), producer: 1, transactional: true }),
  ]
  // The broker lists transactions as they ended: the second before the first.
  for (const aborted of [
    [
      [2, 2],
      [1, 0],
    ],
    [
      [1, 0],
      [2, 2],
    ],
  ] as const) {
    const { records, next } = readBatches(fetched(batches, aborted), 0n, 'read_committed')
    assert.deepEqual(values(records), ['v3', 'v6', 'v8', 'v10'])
    assert.equal(next, 11n)
  }
  assert.equal(readBatches(fetched(batches, [[1, 0]]), 0n, 'read_uncommitted').records.length, 8)
})

test('an aborted record whose key looks like a marker ends nothing', () => {
  const key = '\0\0\0\0'
  const batches = [
    batch({ base: 0, rows: [{ delta: 0, key }, { delta: 1 }], producer: 1, transactional: true }),
    batch({ base: 2, rows: rows(0), producer: 1, transactional: true }),
    batch({ base: 3, rows: [], producer: 1, control: 'abort' }),
  ]
  assert.deepEqual(readBatches(fetched(batches, [[1, 0]]), 0n, 'read_committed').records, [])
})

for (const [name, codec] of [
  ['gzip', 1],
  ['zstd', 4],
] as const) {
  test(`a few kB of ${name} that unpack to more than may be held are one error with their offsets, or are told as one record`, () => {
    const large = batch({ base: 10, zeros: mostUnpackedBytes, rows: rows(1), codec })
    assert.ok(large.length < 100_000)
    const answer = fetched([batch({ base: 9, rows: rows(0) }), large, batch({ base: 12, rows: rows(0) })])
    assert.throws(
      () => readBatches(answer, 9n, 'read_committed'),
      (error) =>
        error instanceof LogError && error.code === 'record_invalid' && /offsets 10 to 11 /.test(error.message),
    )
    const { records, next } = readBatches(answer, 9n, 'read_committed', 'tell')
    assert.equal(next, 13n)
    assert.deepEqual(
      records.map(({ offset, through, key }) => [offset, through, key]),
      [
        [9n, undefined, null],
        [10n, 11n, null],
        [12n, undefined, null],
      ],
    )
    assert.deepEqual(records[1]!.value, large)
    // Who had read a part of it is told of the rest.
    assert.deepEqual(
      readBatches(fetched([large]), 11n, 'read_committed', 'tell').records.map(({ offset, through }) => [
        offset,
        through,
      ]),
      [[11n, 11n]],
    )
  })
}

test('a batch of more records than may be held is refused by their number', () => {
  const many = batch({ base: 0, rows: rows(0, 1) })
  many.writeInt32BE(mostRecords + 1, 57)
  const { records } = readBatches(fetched([many]), 0n, 'read_committed', 'tell')
  assert.deepEqual(
    records.map(({ offset, through }) => [offset, through]),
    [[0n, 1n]],
  )
})

test('an aborted batch is passed over, whatever it would unpack to', () => {
  const batches = [
    batch({ base: 0, zeros: mostUnpackedBytes, rows: [], codec: 4, producer: 1, transactional: true }),
    batch({ base: 1, rows: [], producer: 1, control: 'abort' }),
  ]
  assert.deepEqual(readBatches(fetched(batches, [[1, 0]]), 0n, 'read_committed'), { records: [], next: 2n })
})

test('batches that each may be held, but not all at once, are read a few per fetch', () => {
  const batches = [0, 1, 2, 3].map((base) => batch({ base, zeros: mostUnpackedBytes / 2, rows: [], codec: 4 }))
  const { records, next } = readBatches(fetched(batches), 0n, 'read_committed')
  assert.equal(records.length, 2)
  assert.equal(next, 2n)
  assert.equal(readBatches(fetched(batches.slice(2)), next, 'read_committed').next, 4n)
})
