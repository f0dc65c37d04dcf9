import { addBounded, type BoundedWh } from '../../../schemas/bounded.ts'
import { wh } from '../given.ts'

export const sum: BoundedWh = addBounded(wh, wh)
export const asNumber: number = wh
