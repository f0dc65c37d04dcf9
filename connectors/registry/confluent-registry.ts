import { SchemaRegistry as Client, COMPATIBILITY, SchemaType } from '@kafkajs/confluent-schema-registry'
import { RegistryError, type SchemaRegistry, type SchemaVersion } from '../contract.ts'
import { compatibilityLevel, isVersion, withDeadline } from './answers.ts'
import { avroText } from './avro-text.ts'
import { openRest, type Rest, registryFailure } from './rest.ts'

export interface ConfluentRegistryOptions {
  /**
   * Base address of the Confluent-compatible API, for instance `https://user:password@host:8081/apis/ccompat/v7`. The user
   * and password go out as basic authentication and never into a message.
   */
  readonly url: string
  /** Deadline of every call of the port, in milliseconds, retries included. Default 10,000. */
  readonly timeoutMs?: number
  /** For a registry behind TLS with an authority of its own, or one that wants a client certificate; PEM texts. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string }
}

/** Levels under which a new version reads what the latest one wrote; a subject that has one of them keeps it. */
const backward: readonly string[] = [
  COMPATIBILITY.BACKWARD,
  COMPATIBILITY.BACKWARD_TRANSITIVE,
  COMPATIBILITY.FULL,
  COMPATIBILITY.FULL_TRANSITIVE,
]

/**
 * The port over any registry that speaks the Confluent API. What an id stands for never changes, so ids and schemas are
 * asked for once: a running pipeline does not notice an outage. A new subject is put under BACKWARD before its first
 * version.
 *
 * Rejects with RegistryError `schema_invalid` before anything is sent, `schema_incompatible`, and `unreachable` for
 * everything that is up to the registry, the network or the settings; the message says which.
 */
export function confluentSchemaRegistry(options: ConfluentRegistryOptions): SchemaRegistry {
  const { timeoutMs = 10_000 } = options
  const rest = openRest(options, timeoutMs)
  const client = new Client(rest.clientOptions)
  const registered = new Map<string, number>()
  const texts = new Map<number, string>()
  const limited = <T>(call: () => Promise<T>): Promise<T> => withDeadline(rest.where, timeoutMs, call)

  const register = async (subject: string, schema: string): Promise<number> => {
    const text = avroText(schema)
    const pin = JSON.stringify([subject, text])
    const known = registered.get(pin)
    if (known !== undefined) return known
    const level = await settleLevel(rest, subject)
    let id: number
    try {
      const answer = await client.register(
        { type: SchemaType.AVRO, schema: text },
        { subject, compatibility: level as COMPATIBILITY, updateConfig: false },
      )
      id = answer.id
    } catch (error) {
      throw registryFailure(rest.where, error, subject)
    }
    registered.set(pin, id)
    return id
  }

  const latest = async (subject: string): Promise<SchemaVersion | undefined> =>
    versionOf(rest, await rest.get(() => rest.api.Subject.latestVersion({ subject })))

  return {
    register: (subject, schema) => limited(() => register(subject, schema)),
    schema: (id) =>
      limited(async () => {
        const known = texts.get(id)
        if (known !== undefined) return known
        const answer = await rest.get(() => rest.api.Schema.find({ id }))
        const { schema: text, schemaType = SchemaType.AVRO } = (answer ?? {}) as Readonly<Record<string, unknown>>
        if (typeof text !== 'string' || schemaType !== SchemaType.AVRO) return undefined
        texts.set(id, text)
        return text
      }),
    latest: (subject) => limited(() => latest(subject)),
    versions: (subject) =>
      limited(async () => {
        const last = await latest(subject)
        if (last === undefined) return []
        // The client knows no list of versions; numbers of deleted ones answer like unknown ones.
        const earlier = await Promise.all(
          Array.from({ length: last.version - 1 }, async (_, at) =>
            versionOf(rest, await rest.get(() => rest.api.Subject.version({ subject, version: at + 1 }))),
          ),
        )
        return [...earlier.filter((version) => version !== undefined), last]
      }),
    compatible: (subject, schema) =>
      limited(async () => {
        const body = { schema: avroText(schema) }
        const answer = await rest.get(() => rest.api.Subject.compatible({ subject, version: 'latest', body }))
        // Registries differ on a subject without versions: some say that it is unknown, some that all is compatible.
        if (answer === undefined) return true
        const verdict = (answer as { readonly is_compatible?: unknown }).is_compatible
        if (typeof verdict === 'boolean') return verdict
        throw notARegistry(rest)
      }),
  }
}

/**
 * The compatibility level of a subject, BACKWARD or stricter. It is settled before the first version is there: a crash
 * between the two must not leave a subject that takes anything.
 */
async function settleLevel(rest: Rest, subject: string): Promise<string> {
  const level = compatibilityLevel(await rest.get(() => rest.api.Subject.config({ subject })))
  if (level !== undefined && backward.includes(level)) return level
  if (level !== undefined && level !== COMPATIBILITY.NONE) {
    throw new RegistryError(
      'schema_incompatible',
      `the subject ${subject} stands under the compatibility level ${level}, which lets new versions lose what old records hold: set it to BACKWARD`,
    )
  }
  const body = { compatibility: COMPATIBILITY.BACKWARD }
  await rest.get(() => rest.api.Subject.updateConfig({ subject, body }))
  return COMPATIBILITY.BACKWARD
}

function versionOf(rest: Rest, answer: unknown): SchemaVersion | undefined {
  if (answer === undefined) return undefined
  if (!isVersion(answer)) throw notARegistry(rest)
  const { id, version, schema } = answer
  return { id, version, schema }
}

const notARegistry = ({ where }: Rest) =>
  new RegistryError(
    'unreachable',
    `what answers at ${where} is no schema registry: check the base path in registry.url (Apicurio: /apis/ccompat/v7)`,
  )
