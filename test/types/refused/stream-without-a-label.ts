// refused: a stream without a label has no sink
import { publicLoad, unlabelled } from '../given.ts'

unlabelled.to(publicLoad)
