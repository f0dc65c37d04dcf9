// refused: 'pseudonymous' stream cannot reach a topic labelled 'released'
import { ownTopic } from '../../../schemas/topics.ts'
import { householdReadings, pseudonymous, publicLoad } from '../given.ts'

pseudonymous.to(ownTopic(publicLoad, 'readings.own', { codec: householdReadings.codec }))
