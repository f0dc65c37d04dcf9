// refused: 'identified' stream cannot reach a topic labelled 'released'
import { identified, identifiedReadings, publicReadings } from '../given.ts'

const either = Number('1') > 0 ? publicReadings : identifiedReadings
identified.to(either)
