// refused: Type '"identified"' is not assignable to type '"pseudonymous"'
import { identified, release } from '../given.ts'

identified.lower(release)
