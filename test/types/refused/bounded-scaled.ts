// refused: Type 'number' is not assignable to type 'BoundedWh'
import type { BoundedWh } from '../../../schemas/bounded.ts'
import { wh } from '../given.ts'

export const scaled: BoundedWh = Math.max(wh, 2 * wh)
