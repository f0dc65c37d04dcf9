export { type ByMonthOptions, kAnonymizeByMonth, kAnonymizedMonths } from './by-month.ts'
export { customerClassHierarchy, defaultHierarchies, defaultSteps } from './default-hierarchies.ts'
export {
  type Attribute,
  attributes,
  compileHierarchy,
  type Generalisation,
  type Hierarchy,
  HierarchyError,
  suppressed,
} from './hierarchy.ts'
export { type KAnonymized, type KAnonymizeOptions, kAnonymize, type Told, type ZoneLoss } from './k-anonymize.ts'
