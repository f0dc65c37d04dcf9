import { memoryKeyring } from '../../connectors/keyring/index.ts'
import { memorySchemaRegistry } from '../../connectors/memory/index.ts'
import { registerView } from '../../connectors/register/index.ts'
import { allPipelines } from '../index.ts'
import type { Pipeline } from '../runtime/stream.ts'

/** Every pipeline there is, to be described: over an empty register and a key ring without keys, so it cannot run. */
export async function knownPipelines(): Promise<readonly Pipeline[]> {
  return await allPipelines({
    entries: [],
    register: registerView([]),
    keyring: memoryKeyring({}),
    registry: memorySchemaRegistry(),
    domain: { name: 'described', zone: 'described', timeZone: 'UTC', partitions: 1 },
  })
}
