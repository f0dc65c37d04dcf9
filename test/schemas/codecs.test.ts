import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  acceptedBatchCodec,
  type BoundedWh,
  CodecError,
  householdReadingCodec,
  loadPartialCodec,
  meterFrameCodec,
  registerEntryCodec,
} from '../../schemas/index.ts'

/** A value the type forbids, as a faulty caller or plain JavaScript would pass it. */
const faulty = <T>(value: unknown): T => value as T

const frame = {
  connection: 'connection-1',
  listener: 'lan',
  zone: 'north',
  transport: 'wrapper',
  forwarded: 0,
  bytes: new Uint8Array([1, 2, 3]),
} as const

const cell = {
  level: 'feeder',
  group: 'F1',
  channel: 'import',
  phase: 'late',
  window: 1_760_000_000_000,
  windowSeconds: 1800,
  date: '2026-10-09',
  boundedWh: 5 as BoundedWh,
  exactWh: 7,
  count: 1,
  shared: 0.5,
  largestWh: 7,
  secondWh: 0,
  thirdWh: 0,
} as const

describe('encoding', () => {
  const refused: readonly { readonly name: string; readonly encode: () => unknown }[] = [
    { name: 'a missing field', encode: () => meterFrameCodec.encode(faulty({ ...frame, zone: undefined })) },
    { name: 'an unknown symbol', encode: () => meterFrameCodec.encode(faulty({ ...frame, transport: 'pigeon' })) },
    { name: 'a fraction in a whole number', encode: () => meterFrameCodec.encode({ ...frame, forwarded: 0.5 }) },
    {
      name: 'a fraction of a watt-hour',
      encode: () =>
        loadPartialCodec.encode({ sourcePartition: 0, seq: 1, progress: 0, cells: [{ ...cell, exactWh: 0.5 }] }),
    },
    {
      name: 'a number below -2^52',
      encode: () => loadPartialCodec.encode({ sourcePartition: 0, seq: -(2 ** 52) - 1, progress: 0, cells: [] }),
    },
    {
      name: 'a pseudonym of another length',
      encode: () =>
        householdReadingCodec.encode({
          pseudonym: new Uint8Array(15),
          date: '2026-01-01',
          zone: '',
          area: '*',
          tariff: '*',
          heating: '*',
          dwelling: '*',
          intervals: [],
        }),
    },
    {
      name: 'an offset beyond 53 bits',
      encode: () =>
        acceptedBatchCodec.encode({
          kind: 'marker',
          seq: 0,
          prev: new Uint8Array(32),
          hash: new Uint8Array(32),
          inFrom: 0n,
          inTo: 2n ** 60n,
          floor: 0,
          progress: 0,
          tables: [],
        }),
    },
  ]
  for (const { name, encode } of refused) {
    test(`refuses ${name}`, () => assert.throws(encode, CodecError))
  }

  test('says nothing of the value it refuses', () => {
    assert.throws(
      () => meterFrameCodec.encode(faulty({ ...frame, connection: 4711 })),
      (error: Error) => !`${error.message}${error.stack}${JSON.stringify(error)}`.includes('4711'),
    )
  })

  test('gives bytes that later calls leave alone, however long the record', () => {
    const long = { ...frame, bytes: new Uint8Array(100_000).fill(7) }
    const first = meterFrameCodec.encode(long)
    const copy = Buffer.from(first)
    meterFrameCodec.encode({ ...frame, bytes: new Uint8Array(100_000).fill(9) })
    assert.deepEqual(first, copy)
    assert.deepEqual(Buffer.from(meterFrameCodec.decode(first).bytes), Buffer.from(long.bytes))
  })

  test('takes plain byte arrays and views into larger ones', () => {
    const pool = new Uint8Array([9, 9, 1, 2, 3, 9])
    assert.deepEqual(meterFrameCodec.encode({ ...frame, bytes: pool.subarray(2, 5) }), meterFrameCodec.encode(frame))
  })
})

describe('decoding', () => {
  /** head of a partial: sourcePartition 0, seq 1, progress 0; then the array of cells, the bounds of all and by day and the rule, if they are stated. */
  const partial = (...rest: number[]): Uint8Array => new Uint8Array([0, 2, 0, ...rest])
  const many = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]
  const refused: readonly { readonly name: string; readonly bytes: Uint8Array; readonly detail: RegExp }[] = [
    { name: 'a count of items that the bytes do not back', bytes: partial(...many), detail: /more items/ },
    {
      name: 'a negative count that the bytes do not back',
      bytes: partial(0xfd, ...many.slice(1), 2),
      detail: /more items/,
    },
    { name: 'a negative block size', bytes: partial(1, 1), detail: /block size/ },
    { name: 'a level without a symbol', bytes: partial(2, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), detail: /enum/ },
    { name: 'a number of eleven bytes', bytes: new Uint8Array([...Array(10).fill(0x80), 0]), detail: /too long/ },
    { name: 'bytes after the record', bytes: partial(0, 0, 0, 0, 0), detail: /follow/ },
    { name: 'no bytes at all', bytes: new Uint8Array(0), detail: /inside a number/ },
  ]
  for (const { name, bytes, detail } of refused) {
    test(`refuses ${name}`, () => {
      assert.throws(() => loadPartialCodec.decode(bytes), { name: 'CodecError', message: detail })
    })
  }

  test('refuses a text that is not UTF-8', () => {
    const bytes = meterFrameCodec.encode(frame)
    bytes[1] = 0xc3
    assert.throws(() => meterFrameCodec.decode(bytes), { name: 'CodecError', message: /UTF-8/ })
  })

  test('refuses 64 KiB of claims within as many steps, not as many as they claim', () => {
    const bytes = new Uint8Array(65_536).fill(0xff)
    assert.throws(() => loadPartialCodec.decode(bytes), CodecError)
    assert.throws(() => acceptedBatchCodec.decode(bytes), CodecError)
  })

  test('keeps every kind of protection, hyphen and all', () => {
    const entry = {
      point: 'p',
      connection: 'c',
      systemTitle: '00',
      validFrom: 0,
      validTo: null,
      direction: 'both',
      partition: 0,
      index: 0,
      groups: { utility: 'u', region: 'r', substation: 's', feeder: 'f' },
      customerClass: 'residential',
      area: '',
      tariff: '',
      heating: '',
      dwelling: '',
      timeZone: 'Europe/London',
      zone: '',
      profile: '',
      protection: 'authenticated-encrypted',
      keyRef: '',
      fuseWhPerHour: 1,
      pointsAtConnection: 1,
    } as const
    assert.equal(registerEntryCodec.decode(registerEntryCodec.encode(entry)).protection, 'authenticated-encrypted')
  })
})
