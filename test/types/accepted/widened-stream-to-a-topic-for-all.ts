import type { Stream } from '../../../pipelines/runtime/stream.ts'
import type { Label } from '../../../schemas/label.ts'
import type { Reading } from '../given.ts'
import { identified, identifiedReadings } from '../given.ts'

const widened: Stream<Reading, Label> = identified
widened.to(identifiedReadings)
