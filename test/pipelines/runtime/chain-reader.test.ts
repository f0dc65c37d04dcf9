// The changelog read back as a chain: what is wrong with it is found, wherever it is, by the tail and by the fold alike.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryLog, memorySchemaRegistry } from '../../../connectors/memory/index.ts'
import { type ChainPlace, foldChain, readTail } from '../../../pipelines/runtime/chain-reader.ts'
import { genesis, link, linkValue } from '../../../pipelines/runtime/changelog.ts'
import type { AnyTopic } from '../../../pipelines/runtime/stream.ts'
import { openWire } from '../../../pipelines/runtime/wire.ts'
import { type AcceptedBatch, acceptedBatchCodec } from '../../../schemas/accepted-batch.ts'
import { topic } from '../../../schemas/codec.ts'

const changelog = topic({
  name: 'accepted',
  label: 'identified',
  codec: acceptedBatchCodec,
  key: () => null,
}) as unknown as AnyTopic
const spec = { name: 'accepted', partitions: 1, timestamps: 'append', cleanup: 'delete', retentionMs: null } as const
const headerLength = 5
const day = 86_400_000

function chainOf(
  count: number,
  floorOf: (seq: number) => number = () => 0,
  progressOf: (seq: number) => number = (seq) => seq * 1_000,
): AcceptedBatch[] {
  const links: AcceptedBatch[] = []
  for (let seq = 1; seq <= count; seq++) {
    const cells = [1, 2].map((index) => ({ index, day: 100 + seq, value: Buffer.from([seq, index]) }))
    const tables = [
      { table: 'seen', cells },
      { table: 'meter', cells: [{ index: 1, day: 0, value: Buffer.from([seq]) }] },
    ]
    const place = { seq, inFrom: BigInt(seq - 1), inTo: BigInt(seq), floor: floorOf(seq), progress: progressOf(seq) }
    links.push(link(changelog, links.at(-1)?.hash ?? genesis, { kind: 'batch', ...place, tables }))
  }
  return links
}

const marker: AcceptedBatch = {
  kind: 'marker',
  seq: 0,
  prev: genesis,
  hash: new Uint8Array(32).fill(7),
  inFrom: 0n,
  inTo: 0n,
  floor: 0,
  progress: 0,
  tables: [],
}

/** A log that holds these values, and the marker behind them. */
async function placed(make: (encode: (one: AcceptedBatch) => Uint8Array) => readonly Uint8Array[]) {
  const log = memoryLog()
  await log.createTopics([spec])
  const wire = await openWire(memorySchemaRegistry(), [changelog])
  const marked = wire.encode(changelog, marker)
  const values = [...make((one) => wire.encode(changelog, one)), marked]
  await log.append(values.map((value) => ({ topic: 'accepted', partition: 0, key: null, value })))
  const place: ChainPlace = { log, wire, topic: changelog, partition: 0, brief: ['seen'] }
  return { place, marked }
}

const readers = {
  'the tail': ({ place, marked }: Awaited<ReturnType<typeof placed>>) => readTail(place, 1, marked),
  'the fold': ({ place, marked }: Awaited<ReturnType<typeof placed>>) => foldChain(place, marked),
}
const isBroken = { name: 'HaltError', message: /the changelog accepted\[0\] is broken/ }

for (const [who, read] of Object.entries(readers)) {
  test(`${who} takes a chain that is whole`, async () => {
    const { last, marked } = await read(await placed((encode) => chainOf(5).map(encode)))
    assert.deepEqual([last?.seq, marked], [5, true])
  })

  for (const which of [0, 2, 4]) {
    test(`${who} finds a byte of link ${which + 1} of 5 that was changed, whichever it is`, async () => {
      const length = acceptedBatchCodec.encode(chainOf(5)[which]!).length
      for (let at = 0; at < length; at++) {
        for (const flip of [1, 0x80]) {
          const made = await placed((encode) =>
            chainOf(5).map((one, i) => {
              const value = encode(one)
              if (i === which) value[headerLength + at]! ^= flip
              return value
            }),
          )
          await assert.rejects(read(made), isBroken, `byte ${at} with bit ${flip} flipped`)
        }
      }
    })
  }

  for (const [what, reorder] of Object.entries({
    'two links stand in each other’s place': ([a, b, c, d]: AcceptedBatch[]) => [a, c, b, d],
    'a link is missing': ([a, , c, d]: AcceptedBatch[]) => [a, c, d],
    'a link stands there twice': ([a, b, c]: AcceptedBatch[]) => [a, b, b, c],
    'a link is of another chain, whose hash is right': ([a, , c, d]: AcceptedBatch[]) => [
      a,
      link(changelog, genesis, { ...c!, seq: 2 }),
      c,
      d,
    ],
    'a number is left out, though each link names the hash before it': ([a, , c]: AcceptedBatch[]) => [
      a,
      link(changelog, a!.hash, c!),
    ],
    'a link calls itself a marker': ([a, b, c]: AcceptedBatch[]) => [
      a,
      b,
      link(changelog, b!.hash, { ...c!, kind: 'marker' }),
    ],
  })) {
    test(`${who} halts where ${what}`, async () => {
      await assert.rejects(read(await placed((encode) => reorder(chainOf(4)).map((one) => encode(one!)))), isBroken)
    })
  }

  test(`${who} halts at what is no record, and says which link came before`, async () => {
    const made = await placed((encode) => {
      const [a, b] = chainOf(2).map(encode)
      return [a!, b!.subarray(0, 20)]
    })
    await assert.rejects(read(made), { name: 'HaltError', message: /broken after sequence 1/ })
  })

  test(`${who} says whether it reached the marker`, async () => {
    const made = await placed((encode) => chainOf(3).map(encode))
    assert.equal((await read({ ...made, marked: Buffer.from('another') })).marked, false)
  })
}

test('the fold holds the newest value of each cell, and no day below the floor of the last link', async () => {
  const made = await placed((encode) => chainOf(4, (seq) => (seq < 4 ? 0 : 104 * day)).map(encode))
  const { first, last, cells } = await foldChain(made.place, made.marked)
  assert.deepEqual([first?.seq, last?.seq, last?.floor], [1, 4, 104 * day])
  assert.deepEqual(
    [...cells()].map(({ value, ...place }) => ({ ...place, value: [...value] })),
    [
      { table: 'seen', index: 1, day: 103, value: [3, 1] },
      { table: 'seen', index: 2, day: 103, value: [3, 2] },
      { table: 'seen', index: 1, day: 104, value: [4, 1] },
      { table: 'seen', index: 2, day: 104, value: [4, 2] },
      { table: 'meter', index: 1, day: 0, value: [4] },
    ],
  )
})

test('the fold holds no day of a brief table that the progress of the last link has left behind', async () => {
  const made = await placed((encode) =>
    chainOf(
      4,
      () => 0,
      (seq) => (seq < 4 ? 0 : 105 * day),
    ).map(encode),
  )
  const daysOf = async (place: ChainPlace) => {
    const { cells } = await foldChain(place, made.marked)
    return [...cells()].filter(({ table, index }) => table === 'seen' && index === 1).map((cell) => cell.day)
  }
  assert.deepEqual(await daysOf(made.place), [104])
  assert.deepEqual(await daysOf({ ...made.place, brief: ['other'] }), [101, 102, 103, 104])
})

test('the tail answers the links that a view lacks, where it stands on this chain', async () => {
  const links = chainOf(5)
  const made = await placed((encode) => links.map(encode))
  const { after } = await readTail(made.place, 1, made.marked)
  const hashOf = (seq: number) => Buffer.from(links[seq - 1]!.hash).toString('hex')
  assert.deepEqual(
    after(3, hashOf(3))?.map(({ head, cells }) => [head.seq, cells().length]),
    [
      [4, 3],
      [5, 3],
    ],
  )
  assert.equal(after(0, '')?.length, 5)
  assert.equal(after(3, hashOf(2)), undefined)
  assert.equal(after(6, hashOf(5)), undefined)
})

test('a view that is behind by more than may be held is not answered any links: it is rebuilt', async () => {
  const links = chainOf(300)
  const made = await placed((encode) => links.map(encode))
  const hashOf = (seq: number) => Buffer.from(links[seq - 1]!.hash).toString('hex')
  const whole = await readTail(made.place, 10, made.marked)
  assert.equal(whole.after(10, hashOf(10))?.length, 290)
  const bounded = await readTail(made.place, 10, made.marked, 20_000)
  assert.equal(bounded.after(10, hashOf(10)), undefined)
  assert.equal(bounded.after(0, ''), undefined)
  assert.equal(bounded.after(290, hashOf(290))?.length, 10)
  assert.deepEqual([bounded.last?.seq, bounded.marked], [300, true])
})

test('links that an earlier schema wrote are verified by their own bytes, and folded', async () => {
  const registry = memorySchemaRegistry()
  const log = memoryLog()
  await log.createTopics([spec])
  const now = JSON.parse(acceptedBatchCodec.schema) as { fields: unknown[] }
  const later = JSON.stringify({ ...now, fields: [...now.fields, { name: 'note', type: 'string', default: '' }] })
  await registry.register('accepted-value', later)
  // What was written under the other schema ends in an empty note, over which its hash goes too.
  const extended = {
    ...acceptedBatchCodec,
    encode: (one: AcceptedBatch) => Buffer.concat([acceptedBatchCodec.encode(one), Buffer.from([0])]),
  }
  const written = { ...changelog, codec: { ...extended, schema: later } } as unknown as AnyTopic
  const first = link(written, genesis, chainOf(1)[0]!)
  const second = link(changelog, first.hash, chainOf(2)[1]!)
  const wire = await openWire(registry, [changelog])
  const old = await openWire(registry, [written])
  const values = [old.encode(written, first), wire.encode(changelog, second)]
  const append = (value: Uint8Array) => log.append([{ topic: 'accepted', partition: 0, key: null, value }])
  for (const value of values) await append(value)
  const place = { log, wire, topic: changelog, partition: 0, brief: [] }
  const folded = await foldChain(place, genesis)
  assert.deepEqual([folded.last?.seq, [...folded.cells()].length], [2, 5])
  const other = memoryLog()
  await other.createTopics([spec])
  values[0]![values[0]!.length - 3]! ^= 1
  for (const value of values) await other.append([{ topic: 'accepted', partition: 0, key: null, value }])
  await assert.rejects(foldChain({ ...place, log: other }, genesis), isBroken)
})

test('a link encoded once, with its hash written into it, is the link and its encoding', async () => {
  const wire = await openWire(memorySchemaRegistry(), [changelog])
  const [first, second] = chainOf(2)
  for (const [prev, one] of [
    [genesis, first!],
    [first!.hash, second!],
  ] as const) {
    const made = linkValue(wire, changelog, prev, one)
    assert.deepEqual({ ...made.link, hash: Buffer.from(made.link.hash) }, { ...one, hash: Buffer.from(one.hash) })
    assert.deepEqual(Buffer.from(made.value), Buffer.from(wire.encode(changelog, one)))
  }
})
