// refused: 'identified' stream cannot reach a topic labelled 'released'
import type { Stream } from '../../../pipelines/runtime/stream.ts'
import type { Label } from '../../../schemas/label.ts'
import type { Reading } from '../given.ts'
import { identified, publicReadings } from '../given.ts'

const widened: Stream<Reading, Label> = identified
widened.to(publicReadings)
