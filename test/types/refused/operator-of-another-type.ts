// refused: Type 'Load' is missing the following properties from type 'Reading': meter, energyWh
import { plain, released } from '../given.ts'

released.through(plain)
