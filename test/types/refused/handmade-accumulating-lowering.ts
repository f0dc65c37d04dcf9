// refused: Property '[accumulates]' is missing in type
import type { AccumulatingLowering } from '../../../operators/contract/operator.ts'
import type { Load, Reading } from '../given.ts'

export const forged: AccumulatingLowering<Reading, Load, object, 'identified', 'released'> = {
  spec: { name: 'forged', drops: [], rejects: [] },
  restore: () => ({}),
  process: () => 'done',
  changed: () => [],
  label: { from: 'identified', to: 'released' },
}
