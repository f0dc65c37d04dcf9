// refused: Property '[carries]' is missing in type
import type { Stream } from '../../../pipelines/runtime/stream.ts'
import type { Load } from '../given.ts'
import { released } from '../given.ts'

const { through, keyed, accumulate, lower, lowerAccumulating, to } = released
export const forged: Stream<Load, 'released'> = { through, keyed, accumulate, lower, lowerAccumulating, to }
