import { isDeepStrictEqual } from 'node:util'
import type { SchemaRegistry } from '../../connectors/contract.ts'
import { StartError } from './errors.ts'

/**
 * A registry that takes no new schemas: what a subject holds already has its id, and anything else ends the start. So a
 * version that was rolled out too early, or by mistake, cannot decide how records are read from then on; `topics apply`
 * registers, and checks compatibility before.
 */
export function pinnedRegistry(registry: SchemaRegistry): SchemaRegistry {
  return {
    ...registry,
    register: async (subject, schema) => {
      const versions = await registry.versions(subject)
      const known = versions.find((version) => isDeepStrictEqual(JSON.parse(version.schema), JSON.parse(schema)))
      if (known) return known.id
      if (versions.length > 0 && !(await registry.compatible(subject, schema))) {
        throw new StartError(
          `the schema of ${subject} cannot read what the registry holds under registry.url: run the version of meterveil that wrote it, or a newer one that can`,
        )
      }
      throw new StartError(
        `the registry under registry.url does not hold the schema of ${subject}: run meterveil topics apply, which registers it`,
      )
    },
  }
}
