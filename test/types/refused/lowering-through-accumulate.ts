// refused: 'pseudonymous' stream cannot reach a topic labelled 'aggregate'
import { pseudonymous, releaseTotals, restrictedLoad } from '../given.ts'

pseudonymous.accumulate(releaseTotals).to(restrictedLoad)
