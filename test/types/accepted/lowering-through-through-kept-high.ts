import { identified, identifiedReadings, pseudonymize } from '../given.ts'

identified.through(pseudonymize).to(identifiedReadings)
