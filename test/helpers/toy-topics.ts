import { deserialize, serialize } from 'node:v8'
import { type Codec, type Topic, topic } from '../../schemas/codec.ts'
import type { Label } from '../../schemas/label.ts'

/** Structured clone as a codec: small topics for tests of the runtime, which does not care what it carries. */
export function toyCodec<T>(): Codec<T> {
  return { schema: '"bytes"', encode: (value) => serialize(value), decode: (bytes) => deserialize(bytes) as T }
}

export function toyTopic<T, L extends Label>(
  name: string,
  label: L,
  key: (value: T) => string | null = () => null,
): Topic<T, L> {
  return topic({ name, label, codec: toyCodec<T>(), key })
}
