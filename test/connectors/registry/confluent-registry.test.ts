import { describe } from 'node:test'
import { confluentSchemaRegistry } from '../../../connectors/registry/index.ts'
import { schemaRegistryConformance } from '../../conformance/schema-registry.ts'
import { services } from '../../helpers/services.ts'

const real = await services({ registry: true })

describe('on a real registry', { skip: real.skip }, () => {
  schemaRegistryConformance('the Confluent registry', async () => ({
    registry: confluentSchemaRegistry({ url: real.address('registry') }),
    close: async () => {},
  }))
})
