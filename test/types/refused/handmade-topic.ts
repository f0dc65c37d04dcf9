// refused: Property 'codec' is missing in type
import { pseudonymous } from '../given.ts'

pseudonymous.to({ name: 'load.public', label: 'pseudonymous', key: () => null })
