// refused: Conversion of type 'Stream<Load, "aggregate">' to type 'Stream<Load, "released">' may be a mistake
import type { Stream } from '../../../pipelines/runtime/stream.ts'
import type { Load } from '../given.ts'
import { aggregate, publicLoad } from '../given.ts'

const claimed = aggregate as Stream<Load, 'released'>
claimed.to(publicLoad)
