// refused: Type '"identified"' is not assignable to type '"pseudonymous"'
import { identified, releaseTotals } from '../given.ts'

identified.lowerAccumulating(releaseTotals)
