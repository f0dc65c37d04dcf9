import { isUtf8 } from 'node:buffer'
import { CodecError } from './codec.ts'

/**
 * Walks bytes along an Avro schema without building a value, so that the decoder behind it never meets a count, length or
 * branch that the bytes do not back: it would allocate by what they claim. Work is linear in the bytes.
 * Avro 1.11 specification, "Binary Encoding"; covers the types that our schemas use, and refuses others when compiled.
 */
export function compileGuard(schema: unknown, record: string): (bytes: Uint8Array) => void {
  let bytes: Uint8Array = new Uint8Array(0)
  let at = 0
  const named = new Map<string, () => void>()

  const refuse = (detail: string): never => {
    throw new CodecError(record, `${detail} at byte ${at}`)
  }

  const skip = (length: number): void => {
    if (length < 0 || length > bytes.length - at) refuse('a value is longer than what is left')
    at += length
  }

  /** A zig-zag variable-length number of at most `maxBytes` bytes. */
  const number = (maxBytes: number): number => {
    let value = 0
    let scale = 1
    for (let read = 0; ; read += 1) {
      if (read === maxBytes) refuse('a number is too long')
      const byte = bytes[at]
      if (byte === undefined) return refuse('the record ends inside a number')
      at += 1
      value += (byte & 0x7f) * scale
      if (byte < 0x80) break
      scale *= 128
    }
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2
  }

  const long = (): number => {
    // Most are lengths and branches of one byte.
    const byte = bytes[at]
    if (byte !== undefined && byte < 0x80) {
      at += 1
      return byte & 1 ? -((byte + 1) >> 1) : byte >> 1
    }
    const value = number(10)
    // avsc refuses the last few safe integers as well
    if (value > maxLong || value < -maxLong) refuse('a number exceeds 53 bits')
    return value
  }

  const int = (): void => {
    const value = number(5)
    if (value > 0x7fffffff || value < -0x80000000) refuse('a number exceeds 32 bits')
  }

  const string = (): void => {
    const length = long()
    const from = at
    skip(length)
    for (let i = from; i < at; i += 1) {
      if ((bytes[i] as number) < 0x80) continue
      if (!isUtf8(bytes.subarray(from, at))) refuse('a text is not UTF-8')
      return
    }
  }

  const primitives: Record<string, () => void> = {
    null: () => {},
    boolean: () => {
      const from = at
      skip(1)
      if ((bytes[from] as number) > 1) refuse('a boolean is neither 0 nor 1')
    },
    int,
    long: () => void long(),
    double: () => skip(8),
    string,
    bytes: () => skip(long()),
  }

  const array = (item: () => void): (() => void) => {
    return () => {
      for (let count = long(); count !== 0; count = long()) {
        if (count < 0) {
          count = -count
          if (long() < 0) refuse('a block size is negative')
        }
        // every item of our schemas takes at least one byte
        if (count > bytes.length - at) refuse('an array has more items than bytes are left')
        for (let i = 0; i < count; i += 1) item()
      }
    }
  }

  const choice = (branches: readonly (() => void)[]): (() => void) => {
    return () => {
      const branch = branches[long()]
      if (branch === undefined) return refuse('a union names no branch')
      branch()
    }
  }

  const compile = (type: unknown): (() => void) => {
    if (typeof type === 'string') {
      const known = primitives[type] ?? named.get(type)
      if (known === undefined) throw new Error(`the schema of ${record} uses the unsupported type ${type}`)
      return known
    }
    if (Array.isArray(type)) return choice(type.map(compile))
    const node = type as SchemaNode
    switch (node.type) {
      case 'record': {
        const fields = (node.fields ?? []).map((field) => compile(field.type))
        return () => {
          for (const field of fields) field()
        }
      }
      case 'array':
        return array(compile(node.items))
      case 'enum': {
        const size = (node.symbols ?? []).length
        const symbol = (): void => {
          const index = long()
          if (index < 0 || index >= size) refuse('an enum names no symbol')
        }
        named.set(node.name ?? '', symbol)
        return symbol
      }
      case 'fixed': {
        const size = node.size ?? 0
        const fixed = (): void => skip(size)
        named.set(node.name ?? '', fixed)
        return fixed
      }
      default:
        return compile(node.type)
    }
  }

  const walk = compile(schema)
  return (input) => {
    bytes = input
    at = 0
    walk()
    if (at !== bytes.length) refuse('bytes follow the record')
  }
}

const maxLong = 9_007_199_254_740_990

interface SchemaNode {
  readonly type: unknown
  readonly name?: string
  readonly fields?: readonly { readonly type: unknown }[]
  readonly items?: unknown
  readonly symbols?: readonly string[]
  readonly size?: number
}
