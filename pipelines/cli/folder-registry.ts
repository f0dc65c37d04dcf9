import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { LogError, type SchemaRegistry } from '../../connectors/contract.ts'
import { openDurableRegistry } from '../../connectors/memory/index.ts'
import { CliError, usageError } from './errors.ts'

/** A folder that holds no log is a mistake of the command line; any other error is passed on. */
export function refuseFolder(error: unknown): never {
  if (!(error instanceof LogError) || error.code !== 'topic_unknown') throw error
  throw usageError(`${error.message}.`, 'Name the folder that dataFolder names where the pipelines run.')
}

/** The registry beside the records of a folder. Rejects with `CliError` where there is none, since nothing could be read then. */
export async function folderRegistry(folder: string): Promise<SchemaRegistry> {
  const file = join(folder, 'schema-registry.json')
  if (existsSync(file)) return await openDurableRegistry({ file })
  throw new CliError(
    `${folder} holds no schema-registry.json, which says how its records are to be read.`,
    'Restore the folder from a copy; copy it whole.',
  )
}

/** A registry that is only asked: what it does not hold gets no id, since nothing is written. */
export const asked = (registry: SchemaRegistry): SchemaRegistry => ({
  ...registry,
  register: async (subject, schema) => {
    const own: unknown = JSON.parse(schema)
    const versions = await registry.versions(subject)
    return versions.find((version) => isDeepStrictEqual(JSON.parse(version.schema), own))?.id ?? -1
  },
})
