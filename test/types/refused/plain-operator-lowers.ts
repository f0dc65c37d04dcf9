// refused: is missing the following properties from type 'Lowering<Reading, Reading, "identified",
import { identified, plain } from '../given.ts'

identified.lower(plain)
