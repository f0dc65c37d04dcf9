// refused: 'pseudonymous' stream cannot reach a topic labelled 'released'
import { pseudonymous, publicReadings } from '../given.ts'

pseudonymous.to(publicReadings)
