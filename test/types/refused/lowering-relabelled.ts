// refused: Type '"pseudonymous"' is not assignable to type '"released"'
import type { Lowering } from '../../../operators/contract/operator.ts'
import type { Reading } from '../given.ts'
import { pseudonymize } from '../given.ts'

export const further: Lowering<Reading, Reading, 'identified', 'released'> = pseudonymize
