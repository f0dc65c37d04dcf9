// refused: 'identified' stream cannot reach a topic labelled 'pseudonymous'
import { householdReadings, identified, pseudonymize } from '../given.ts'

identified.through(pseudonymize).to(householdReadings)
