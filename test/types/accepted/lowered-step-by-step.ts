import { householdReadings, identified, plain, pseudonymize, publicLoad, release } from '../given.ts'

const households = identified.through(plain).lower(pseudonymize)
households.to(householdReadings)
households.lower(release).to(publicLoad)
