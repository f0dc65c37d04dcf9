// refused: 'pseudonymous' stream cannot reach a topic labelled 'released'
import type { Stream } from '../../../pipelines/runtime/stream.ts'
import type { Reading } from '../given.ts'
import { pseudonymous, publicReadings } from '../given.ts'

const mixed: Stream<Reading, 'pseudonymous' | 'released'> = pseudonymous
mixed.to(publicReadings)
