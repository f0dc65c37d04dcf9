import { publicLoad, sealed } from '../given.ts'

sealed.to(publicLoad)
