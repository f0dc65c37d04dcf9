import { DuplicateChargeError } from '../errors.ts'

/** Charges by unit and label with a running total each; what a charge and a total are is the account's. */
export interface UnitBook<Charge, Total> {
  /**
   * Records a charge: `admit` sees the unit's total before and after and throws to refuse; `durable` then makes the charge last, and only when
   * it returns does the charge count. Throws DuplicateChargeError when the label was already charged to the unit, and what the two throw.
   */
  readonly charge: (
    unit: string,
    label: string,
    charge: Charge,
    admit: (before: Total, after: Total) => void,
    durable?: () => void,
  ) => void
  readonly charged: (unit: string, label: string) => Charge | undefined
  readonly total: (unit: string) => Total
  readonly charges: (unit: string) => ReadonlyMap<string, Charge>
  /** Units in order of their first charge, each with its charges in order. */
  readonly units: () => Iterable<readonly [string, ReadonlyMap<string, Charge>]>
}

/** Opens an empty book whose totals start at `empty` and grow by `add`. */
export const openUnitBook = <Charge, Total>(
  empty: Total,
  add: (total: Total, charge: Charge) => Total,
): UnitBook<Charge, Total> => {
  const units = new Map<string, { total: Total; readonly charges: Map<string, Charge> }>()
  return {
    charge: (unit, label, charge, admit, durable) => {
      const known = units.get(unit)
      if (known?.charges.has(label)) throw new DuplicateChargeError(`"${label}" was already charged to unit "${unit}"`)
      const before = known ? known.total : empty
      const total = add(before, charge)
      admit(before, total)
      durable?.()
      if (known) {
        known.total = total
        known.charges.set(label, charge)
      } else units.set(unit, { total, charges: new Map([[label, charge]]) })
    },
    charged: (unit, label) => units.get(unit)?.charges.get(label),
    total: (unit) => units.get(unit)?.total ?? empty,
    charges: (unit) => units.get(unit)?.charges ?? new Map(),
    units: () => [...units].map(([unit, { charges }]) => [unit, charges] as const),
  }
}
