export type { BoundedReadings } from './bounded-readings.ts'
export { type Clock, days, hours, minutes, systemClock } from './clock.ts'
export { HaltError } from './halt.ts'
export type { Keyring, MeterKeys } from './keyring.ts'
export type { LocatedFrame } from './located-frame.ts'
export type { MeterReadings } from './meter-readings.ts'
export type {
  Accumulating,
  Batch,
  BatchContext,
  CellKey,
  Cells,
  Collector,
  Envelope,
  Keyed,
  Operator,
  Origin,
  Spec,
  StateRow,
  StateTable,
} from './operator.ts'
export type { Published, Routed } from './published.ts'
export { type Reason, reasons } from './reasons.ts'
export type { Register, RegisteredGroup } from './register.ts'
