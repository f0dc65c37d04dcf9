// refused: Property '[lowers]' is missing in type
import type { Lowering } from '../../../operators/contract/operator.ts'
import type { Reading } from '../given.ts'
import { plain } from '../given.ts'

export const forged: Lowering<Reading, Reading, 'identified', 'released'> = {
  ...plain,
  label: { from: 'identified', to: 'released' },
}
