// refused: 'aggregate' stream cannot reach a topic labelled 'released'
import { aggregate, publicLoad, released } from '../given.ts'

const either = Number('1') > 0 ? released : aggregate
either.to(publicLoad)
