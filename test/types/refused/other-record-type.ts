// refused: the topic holds another record type
import { publicLoad, publicReadings, released } from '../given.ts'

released.to(publicLoad)
released.to(publicReadings)
