import avsc from 'avsc'
import { RegistryError } from '../contract.ts'

/**
 * The text of an Avro schema without the white space between its parts, so that a change of layout makes no new version.
 *
 * @throws RegistryError `schema_invalid`
 */
export function avroText(schema: string): string {
  try {
    const json: avsc.Schema = JSON.parse(schema)
    avsc.Type.forSchema(json)
    return JSON.stringify(json)
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    throw new RegistryError('schema_invalid', `not an Avro schema: ${detail}`)
  }
}
