// refused: the topic holds another record type
import { publicReadings, sealed } from '../given.ts'

sealed.to(publicReadings)
