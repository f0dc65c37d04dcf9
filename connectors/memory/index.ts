export { type DurableLogOptions, openDurableLog } from './durable-log.ts'
export {
  type Fault,
  type FaultedCall,
  type FaultPlan,
  type FaultRates,
  type FaultyLog,
  faultyLog,
  faultyView,
  scriptedFaults,
  seededFaults,
} from './faults.ts'
export { type MemoryLog, type MemoryLogOptions, memoryLog } from './log.ts'
export { type LogFile, type LogFiles, nodeFiles } from './log-files.ts'
export type { FsyncPolicy } from './log-journal.ts'
export { maxRecordBytes } from './log-steps.ts'
export { type LogViewOptions, openLogView } from './log-view.ts'
export { type DurableRegistryOptions, openDurableRegistry } from './registry-file.ts'
export { memorySchemaRegistry } from './schema-registry.ts'
export { type MemoryStateView, memoryStateView, type ViewSnapshot } from './state-view.ts'
