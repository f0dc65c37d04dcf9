// refused: 'identified' stream cannot reach a topic labelled 'released'
import { identified, publicReadings } from '../given.ts'

identified.to(publicReadings)
