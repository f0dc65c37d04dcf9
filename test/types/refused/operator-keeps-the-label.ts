// refused: 'identified' stream cannot reach a topic labelled 'released'
import { identified, plain, publicReadings } from '../given.ts'

identified.through(plain).to(publicReadings)
