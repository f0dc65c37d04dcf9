// refused: Type '"identified"' is not assignable to type '"released"'
import type { Stream } from '../../../pipelines/runtime/stream.ts'
import type { Reading } from '../given.ts'
import { identified } from '../given.ts'

export const claimed: Stream<Reading, 'released'> = identified
