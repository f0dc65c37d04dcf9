import { readFileSync } from 'node:fs'
import avsc from 'avsc'
import { compileGuard } from './avro-guard.ts'
import { type Codec, CodecError } from './codec.ts'

/**
 * How a record maps to the fields of its Avro schema and back. The schema lists every field, so what it does not list never
 * travels, whatever the value holds.
 */
export interface Fields<T, W> {
  readonly toFields: (value: T) => W
  readonly fromFields: (fields: W) => T
}

/**
 * The codec of the schema in `schemas/avro/<file>.avsc`. `encode` gives bytes of their own and throws `CodecError` on a
 * value the schema cannot hold; `decode` throws `CodecError` on any bytes it does not describe, in time and memory linear
 * in their length. Byte fields of a decoded record are copies.
 */
export function avroCodec<T, W>(file: string, fields: Fields<T, W>): Codec<T> {
  return codecOf(JSON.parse(readFileSync(new URL(`./avro/${file}.avsc`, import.meta.url), 'utf8')), file, fields)
}

/** An Avro schema of a record, as `JSON.parse` gives it. */
export interface RecordSchema {
  readonly type: 'record'
  readonly name: string
  readonly namespace?: string
  readonly doc?: string
  readonly fields: readonly { readonly name: string; readonly type: unknown; readonly [more: string]: unknown }[]
}

/**
 * The codec of a schema of your own, for records of type `T`. It keeps the promises of `avroCodec`: what the schema does
 * not list never travels, and bytes that it does not describe are refused with `CodecError`. Without `fields` the fields of
 * `T` are those of the schema; give them where they differ, for instance to write a date as a number. A field of type
 * `bytes` is written from a `Buffer`. A `long` holds whole numbers of at most 53 bits. Throws where the schema is no Avro
 * schema, or uses a type that no codec here reads.
 */
export function schemaCodec<T extends object>(schema: RecordSchema, fields?: Fields<T, unknown>): Codec<T> {
  const same: Fields<T, unknown> = { toFields: (value) => value, fromFields: (read) => ({ ...(read as T) }) }
  return codecOf(schema, schema.name, fields ?? same)
}

function codecOf<T, W>(json: unknown, record: string, { toFields, fromFields }: Fields<T, W>): Codec<T> {
  const type = avsc.Type.forSchema(json as AvroSchema, { typeHook: checkedLong })
  // Without the hook for longs, which matters to writing only.
  const readType = avsc.Type.forSchema(json as AvroSchema)
  const guard = compileGuard(json, record)
  let scratch = Buffer.allocUnsafeSlow(1024)

  const write = (value: T): number => {
    try {
      const fields = toFields(value)
      const end = type.encode(fields, scratch, 0)
      if (end >= 0) return end
      // a negative answer is the number of bytes that were missing
      scratch = Buffer.allocUnsafeSlow((scratch.length - end) * 2)
      return type.encode(fields, scratch, 0)
    } catch (error) {
      if (error instanceof CodecError) throw error
      // the library's message would hold the value
      throw new CodecError(record, 'a field is missing or holds a value of another type')
    }
  }

  return {
    schema: JSON.stringify(json),
    encode: (value) => {
      const end = write(value)
      const bytes = Buffer.allocUnsafe(end)
      scratch.copy(bytes, 0, 0, end)
      return bytes
    },
    decode: (bytes) => {
      guard(bytes)
      return fromFields(readType.fromBuffer(asBuffer(bytes)) as W)
    },
    decoderFor: (writer) => {
      const read = resolvingReader(json, writer, record)
      return read && ((bytes) => fromFields(read(bytes) as W))
    },
  }
}

/** Reads what `writer` wrote as `reader` sees it (Avro 1.11 specification, "Schema Resolution"); undefined if it cannot. */
function resolvingReader(reader: unknown, writer: string, file: string): ((bytes: Uint8Array) => unknown) | undefined {
  try {
    const written: unknown = JSON.parse(writer)
    // Without the hook for longs, which matters to writing only and knows no resolution.
    const type = avsc.Type.forSchema(reader as AvroSchema)
    const resolver = type.createResolver(avsc.Type.forSchema(written as AvroSchema))
    const guard = compileGuard(written, file)
    return (bytes) => {
      guard(bytes)
      return type.fromBuffer(asBuffer(bytes), resolver)
    }
  } catch {
    return undefined
  }
}

type AvroSchema = Parameters<typeof avsc.Type.forSchema>[0]

const smallestLong = -(2 ** 52)

/** avsc writes a `long` below -2^52 as another number, since it doubles it in floating point: refuse it instead. */
class CheckedLong extends avsc.types.LogicalType {
  protected override _fromValue(value: unknown): unknown {
    return value
  }
  protected override _toValue(value: unknown): unknown {
    if ((value as number) < smallestLong) throw new RangeError('a number lies below -2^52')
    return value
  }
}

const checkedLong = (schema: unknown): avsc.Type | undefined => {
  const isLong = schema === 'long' || (schema as { readonly type?: unknown }).type === 'long'
  return isLong ? new CheckedLong({ type: 'long' } as never, {}) : undefined
}

/** The same bytes as a Buffer, which avsc asks for. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
