import { ownTopic } from '../../../schemas/topics.ts'
import { householdReadings, pseudonymous, publicReadings } from '../given.ts'

pseudonymous.to(ownTopic(householdReadings, 'readings.own'))
pseudonymous.to(ownTopic(householdReadings, 'readings.other', { codec: publicReadings.codec }))
