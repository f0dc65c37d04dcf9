// refused: 'identified' stream cannot reach a topic labelled 'pseudonymous'
import { householdReadings, identified } from '../given.ts'

identified.to(householdReadings)
