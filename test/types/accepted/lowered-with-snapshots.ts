import { pseudonymous, releaseTotals, restrictedLoad } from '../given.ts'

pseudonymous.lowerAccumulating(releaseTotals).to(restrictedLoad)
