import avsc from 'avsc'
import { RegistryError, type SchemaRegistry } from '../contract.ts'

interface Version {
  readonly id: number
  readonly schema: string
}

/**
 * A schema registry in this process: ids from 1, one id per schema whatever the subject, compatibility BACKWARD (a new
 * version must read what the latest one wrote).
 */
export function memorySchemaRegistry(): SchemaRegistry {
  const ids = new Map<string, number>()
  const schemas: string[] = []
  const subjects = new Map<string, Version[]>()

  const readsLatest = (subject: string, type: avsc.Type): boolean => {
    const latest = subjects.get(subject)?.at(-1)
    return latest === undefined || resolves(type, parse(latest.schema).type)
  }

  return {
    register: async (subject, schema) => {
      const { type, canonical } = parse(schema)
      const versions = subjects.get(subject) ?? []
      const present = versions.find((version) => version.schema === canonical)
      if (present !== undefined) return present.id
      if (!readsLatest(subject, type)) {
        throw new RegistryError(
          'schema_incompatible',
          `the schema for ${subject} cannot read what its latest version wrote: give new fields a default`,
        )
      }
      const id = ids.get(canonical) ?? schemas.push(canonical)
      ids.set(canonical, id)
      subjects.set(subject, [...versions, { id, schema: canonical }])
      return id
    },
    schema: async (id) => schemas[id - 1],
    latest: async (subject) => {
      const versions = subjects.get(subject)
      const last = versions?.at(-1)
      return versions === undefined || last === undefined ? undefined : { ...last, version: versions.length }
    },
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
