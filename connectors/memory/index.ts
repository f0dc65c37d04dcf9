export { type MemoryLog, type MemoryLogOptions, memoryLog } from './log.ts'
export { maxRecordBytes } from './log-broker.ts'
