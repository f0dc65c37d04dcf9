// refused: 'aggregate' stream cannot reach a topic labelled 'released'
import { aggregate, publicLoad } from '../given.ts'

aggregate.to(publicLoad)
