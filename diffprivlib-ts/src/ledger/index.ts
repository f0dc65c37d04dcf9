export type { LedgerEntry, LossRecord } from './entry.ts'
export { type Ledger, memoryLedger } from './ledger.ts'
export type { LedgerHead } from './line.ts'
