export {
  checkReadings,
  type Finding,
  type Outcome,
  openCheck,
  type ReadingsCheck,
  type ReasonCheck,
  type Verdict,
  verdictText,
} from './checker.ts'
export { defaultFaults, type FaultRates, noFaults } from './faults.ts'
export { type Arrival, createFleet, type Fleet, type FleetOptions, type Span, type Tick } from './fleet.ts'
export {
  type Expectation,
  type Fate,
  type FateName,
  fates,
  type Journal,
  type Sighting,
  type SightingKind,
  sightingKinds,
} from './journal.ts'
export { fleetKeyring } from './keys.ts'
export { createMillion, type MillionFleet, type MillionOptions } from './million.ts'
export { ProfileError, type Profiles, parseProfiles, readProfiles } from './profiles.ts'
export { fleetRegister } from './register.ts'
