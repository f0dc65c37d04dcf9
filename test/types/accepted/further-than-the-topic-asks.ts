import { householdReadings, identifiedReadings, pseudonymous, released, restrictedLoad } from '../given.ts'

pseudonymous.to(householdReadings)
pseudonymous.to(identifiedReadings)
released.to(restrictedLoad)
