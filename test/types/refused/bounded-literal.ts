// refused: is not assignable to type 'BoundedWh'
import type { BoundedWh } from '../../../schemas/bounded.ts'

export const forged: BoundedWh = 12_000
