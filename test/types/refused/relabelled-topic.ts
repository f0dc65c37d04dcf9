// refused: Types of property '[born]' are incompatible
import type { Topic } from '../../../schemas/codec.ts'
import type { Load } from '../given.ts'
import { aggregate, publicLoad } from '../given.ts'

const relabelled: Topic<Load, 'aggregate'> = { ...publicLoad, label: 'aggregate' }
aggregate.to(relabelled)
