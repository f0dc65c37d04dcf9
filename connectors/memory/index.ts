export { type MemoryLog, type MemoryLogOptions, memoryLog } from './log.ts'
export { maxRecordBytes } from './log-broker.ts'
export { memorySchemaRegistry } from './schema-registry.ts'
export { type MemoryStateView, memoryStateView, type ViewSnapshot } from './state-view.ts'
