export { type ConfluentRegistryOptions, confluentSchemaRegistry } from './confluent-registry.ts'
