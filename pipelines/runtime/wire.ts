import type { SchemaRegistry } from '../../connectors/contract.ts'
import { CodecError } from '../../schemas/codec.ts'
import { frameBody, readFrame } from '../../schemas/wire-format.ts'
import type { AnyTopic } from './stream.ts'

/** Values to bytes and back in the Confluent wire format: magic byte 0, 4-byte big-endian schema id, Avro body. */
export interface Wire {
  readonly encode: (topic: AnyTopic, value: unknown) => Uint8Array
  /** Throws `CodecError` for an unknown schema id or a body that does not fit. */
  readonly decode: (topic: AnyTopic, bytes: Uint8Array) => unknown
  /** The Avro body, where it lies, and whether the present schema wrote it. Throws `CodecError` for an unknown schema id. */
  readonly body: (topic: AnyTopic, bytes: Uint8Array) => { readonly body: Uint8Array; readonly own: boolean }
}

/**
 * Registers the schema of every topic and pins the ids: an outage of the registry does not stop a running pipeline.
 * Records of earlier versions of a topic's schema are read as the present one sees them.
 */
export async function openWire(registry: SchemaRegistry, topics: Iterable<AnyTopic>): Promise<Wire> {
  const formats = new Map<string, Format>()
  for (const topic of topics) formats.set(topic.name, await openFormat(registry, topic))
  const formatOf = (topic: AnyTopic): Format => {
    const format = formats.get(topic.name)
    if (format === undefined) throw new CodecError(topic.name, 'its schema was never registered')
    return format
  }
  return {
    encode: (topic, value) => frameBody(formatOf(topic).id, topic.codec.encode(value)),
    decode: (topic, bytes) => {
      const { id, body } = unframed(topic, bytes)
      const { id: own, earlier } = formatOf(topic)
      if (id === own) return topic.codec.decode(body)
      const decode = earlier.get(id)
      if (decode === undefined) throw new CodecError(topic.name, `schema id ${id} is none of its own`)
      return decode(body)
    },
    body: (topic, bytes) => {
      const { id, body } = unframed(topic, bytes)
      const { id: own, earlier } = formatOf(topic)
      if (id !== own && !earlier.has(id)) throw new CodecError(topic.name, `schema id ${id} is none of its own`)
      return { body, own: id === own }
    },
  }
}

function unframed(topic: AnyTopic, bytes: Uint8Array) {
  const framed = readFrame(bytes)
  if (framed === undefined) throw new CodecError(topic.name, 'no schema id in front')
  return framed
}

/** The id that a topic's records are written under, and readers of those it was written under before. */
interface Format {
  readonly id: number
  readonly earlier: ReadonlyMap<number, (bytes: Uint8Array) => unknown>
}

async function openFormat(registry: SchemaRegistry, { name, codec }: AnyTopic): Promise<Format> {
  const subject = `${name}-value`
  const id = await registry.register(subject, codec.schema)
  const others = (await registry.versions(subject)).filter((version) => version.id !== id)
  const readers = others.flatMap((version) => {
    const decode = codec.decoderFor?.(version.schema)
    return decode ? [[version.id, decode] as const] : []
  })
  return { id, earlier: new Map(readers) }
}
