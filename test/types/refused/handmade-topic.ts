// refused: Property '[born]' is missing in type
import type { Topic } from '../../../schemas/codec.ts'
import type { Reading } from '../given.ts'
import { publicReadings } from '../given.ts'

export const forged: Topic<Reading, 'pseudonymous'> = {
  name: 'load.public',
  label: 'pseudonymous',
  codec: publicReadings.codec,
  key: () => null,
}
