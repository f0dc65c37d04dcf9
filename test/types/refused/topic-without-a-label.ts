// refused: a topic without a label takes no stream
import type { Topic } from '../../../schemas/codec.ts'
import type { Reading } from '../given.ts'
import { identified } from '../given.ts'

declare const t: Topic<Reading, never>
identified.to(t)
