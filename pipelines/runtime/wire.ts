import type { SchemaRegistry } from '../../connectors/contract.ts'
import { frameBody, readFrame } from '../../connectors/wire-format.ts'
import { CodecError } from '../../schemas/codec.ts'
import type { AnyTopic } from './stream.ts'

/** Values to bytes and back in the Confluent wire format: magic byte 0, 4-byte big-endian schema id, Avro body. */
export interface Wire {
  readonly encode: (topic: AnyTopic, value: unknown) => Uint8Array
  /** Throws `CodecError` for an unknown schema id or a body that does not fit. */
  readonly decode: (topic: AnyTopic, bytes: Uint8Array) => unknown
}

/** Registers the schema of every topic and pins the ids: an outage of the registry does not stop a running pipeline. */
export async function openWire(registry: SchemaRegistry, topics: Iterable<AnyTopic>): Promise<Wire> {
  const ids = new Map<string, number>()
  for (const topic of topics) ids.set(topic.name, await registry.register(`${topic.name}-value`, topic.codec.schema))
  const idOf = (topic: AnyTopic): number => {
    const id = ids.get(topic.name)
    if (id === undefined) throw new CodecError(topic.name, 'its schema was never registered')
    return id
  }
  return {
    encode: (topic, value) => frameBody(idOf(topic), topic.codec.encode(value)),
    decode: (topic, bytes) => {
      const framed = readFrame(bytes)
      if (framed === undefined) throw new CodecError(topic.name, 'no schema id in front')
      if (framed.id !== idOf(topic))
        throw new CodecError(topic.name, `schema id ${framed.id} is not the one registered`)
      return topic.codec.decode(framed.body)
    },
  }
}
