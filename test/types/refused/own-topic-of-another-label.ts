// refused: is not assignable to
import type { Topic } from '../../../schemas/codec.ts'
import { ownTopic } from '../../../schemas/topics.ts'
import type { Load } from '../given.ts'
import { restrictedLoad } from '../given.ts'

export const own: Topic<Load, 'released'> = ownTopic(restrictedLoad, 'load.own')
