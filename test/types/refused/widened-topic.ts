// refused: 'identified' stream cannot reach a topic labelled 'released'
import type { Topic } from '../../../schemas/codec.ts'
import type { Label } from '../../../schemas/label.ts'
import type { Reading } from '../given.ts'
import { identified, publicReadings } from '../given.ts'

const widened: Topic<Reading, Label> = publicReadings
identified.to(widened)
