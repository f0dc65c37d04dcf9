import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type Codec, CodecError } from '../../schemas/codec.ts'
import { topics } from '../../schemas/topics.ts'
import { records } from './records.ts'

const numRuns = Math.ceil(Number(process.env['MV_CASES'] ?? 3000) / 10)
const canary = 'CANARY-00a1b2c3-meter'

/** Adds a field that no schema knows to every object of a value. */
function withCanary(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withCanary)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  const copy = Object.fromEntries(Object.entries(value).map(([key, of]) => [key, withCanary(of)]))
  return { ...copy, meterNumber: canary, 'z-extra': canary }
}

/** Decodes, and lets only a CodecError pass as failure. */
function decodeOrRefuse(codec: Codec<unknown>, bytes: Uint8Array): unknown {
  try {
    return codec.decode(bytes)
  } catch (error) {
    if (error instanceof CodecError) return undefined
    throw error
  }
}

for (const topic of Object.values(topics)) {
  const codec = topic.codec as Codec<unknown>
  const record = records[topic.name]
  describe(`the codec of ${topic.name}`, () => {
    test('gives back what it encoded, field by field', () => {
      fc.assert(
        fc.property(record, (value) => {
          assert.deepEqual(codec.decode(codec.encode(value)), value)
        }),
        { numRuns },
      )
    })

    test('encodes no field that its schema does not list', () => {
      fc.assert(
        fc.property(record, (value) => {
          const bytes = codec.encode(withCanary(value))
          assert.deepEqual(bytes, codec.encode(value))
          assert.equal(Buffer.from(bytes).includes(canary), false)
        }),
        { numRuns: Math.ceil(numRuns / 10) },
      )
    })

    test('refuses every proper prefix', () => {
      fc.assert(
        fc.property(record, (value) => {
          const bytes = codec.encode(value)
          for (let length = 0; length < bytes.length; length += 1) {
            assert.equal(decodeOrRefuse(codec, bytes.subarray(0, length)), undefined)
          }
        }),
        { numRuns: Math.ceil(numRuns / 10) },
      )
    })

    test('answers mutated or random bytes with a value or a CodecError', () => {
      const mutation = fc.record({ at: fc.nat(), to: fc.nat(255) })
      fc.assert(
        fc.property(record, fc.array(mutation, { minLength: 1, maxLength: 8 }), (value, mutations) => {
          const bytes = codec.encode(value)
          for (const { at, to } of mutations) bytes[at % bytes.length] = to
          decodeOrRefuse(codec, bytes)
        }),
        { numRuns },
      )
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
          decodeOrRefuse(codec, bytes)
        }),
        { numRuns },
      )
    })
  })
}
