// refused: Argument of type 'number' is not assignable to parameter of type 'BoundedWh'
import { addBounded } from '../../../schemas/bounded.ts'
import { wh } from '../given.ts'

addBounded(wh, 20_000)
