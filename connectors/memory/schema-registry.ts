import avsc from 'avsc'
import { RegistryError, type SchemaRegistry, type SchemaVersion } from '../contract.ts'

/** Everything a registry holds: schema texts, whose id is their place counted from 1, and the ids of each subject. */
export interface RegistryContent {
  readonly schemas: readonly string[]
  readonly subjects: ReadonlyMap<string, readonly number[]>
}

/**
 * A schema registry in this process: ids from 1, one id per schema whatever the subject, compatibility BACKWARD (a new
 * version must read what the latest one wrote). Its ids end with the process; `openDurableRegistry` keeps them.
 */
export function memorySchemaRegistry(): SchemaRegistry {
  return registryOver({ schemas: [], subjects: new Map() }, async () => {})
}

/** A registry that goes on from some content. `save` is called before an id is given out, with all there is then. */
export function registryOver(
  start: RegistryContent,
  save: (content: RegistryContent) => Promise<void>,
): SchemaRegistry {
  let content = start
  let registering: Promise<unknown> = Promise.resolve()

  const versions = (subject: string): readonly SchemaVersion[] =>
    (content.subjects.get(subject) ?? []).map((id, at) => ({
      id,
      version: at + 1,
      schema: content.schemas[id - 1] as string,
    }))
  const readsLatest = (subject: string, type: avsc.Type): boolean => {
    const latest = versions(subject).at(-1)
    return latest === undefined || resolves(type, parse(latest.schema).type)
  }
  const register = async (subject: string, schema: string): Promise<number> => {
    const { type, canonical } = parse(schema)
    const present = versions(subject).find((version) => version.schema === canonical)
    if (present !== undefined) return present.id
    if (!readsLatest(subject, type)) {
      throw new RegistryError(
        'schema_incompatible',
        `the schema for ${subject} cannot read what its latest version wrote: give new fields a default`,
      )
    }
    const known = content.schemas.indexOf(canonical) + 1
    const schemas = known > 0 ? content.schemas : [...content.schemas, canonical]
    const id = known > 0 ? known : schemas.length
    const subjects = new Map(content.subjects).set(subject, [...(content.subjects.get(subject) ?? []), id])
    await save({ schemas, subjects })
    content = { schemas, subjects }
    return id
  }

  return {
    // One at a time: two that took the same next id would each believe it theirs.
    register: (subject, schema) => {
      const mine = registering.then(() => register(subject, schema))
      registering = mine.catch(() => {})
      return mine
    },
    schema: async (id) => content.schemas[id - 1],
    latest: async (subject) => versions(subject).at(-1),
    versions: async (subject) => versions(subject),
    compatible: async (subject, schema) => readsLatest(subject, parse(schema).type),
  }
}

function parse(schema: string): { readonly type: avsc.Type; readonly canonical: string } {
  try {
    const json: avsc.Schema = JSON.parse(schema)
    return { type: avsc.Type.forSchema(json), canonical: JSON.stringify(json) }
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    throw new RegistryError('schema_invalid', `not an Avro schema: ${detail}`)
  }
}

function resolves(reader: avsc.Type, writer: avsc.Type): boolean {
  try {
    reader.createResolver(writer)
    return true
  } catch {
    return false
  }
}
