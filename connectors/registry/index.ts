// Schemas over any registry that speaks the Confluent API.
export { type ConfluentRegistryOptions, confluentSchemaRegistry } from './confluent-registry.ts'
