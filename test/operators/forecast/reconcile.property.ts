import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Part, type Reconciled, reconcile } from '../../../operators/forecast/reconcile.ts'
import type { Family } from '../../../operators/forecast/tree.ts'

const numRuns = Number(process.env['MV_CASES'] ?? 2_000)

interface Case {
  readonly parts: readonly Part[]
  readonly families: readonly Family[]
}

/** A tree of any shape up to three levels below the top, with forecasts of any size; some groups may have none. */
function caseOf(gaps: boolean): fc.Arbitrary<Case> {
  const figure = fc.record({
    mean: fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    variance: fc.oneof(fc.constant(0), fc.double({ min: 1e-3, max: 1e9, noNaN: true })),
    missing: gaps ? fc.integer({ min: 0, max: 19 }).map((n) => n === 0) : fc.constant(false),
    weight: fc.integer({ min: 1, max: 1_000 }),
    children: fc.integer({ min: 0, max: 4 }),
  })
  return fc.array(figure, { minLength: 1, maxLength: 40 }).map((figures) => {
    const parts: Part[] = []
    const families: Family[] = []
    const [top, ...rest] = figures
    parts.push({ whole: undefined, share: 0, mean: top!.missing ? Number.NaN : top!.mean, variance: top!.variance })
    for (let at = 0; at < parts.length && rest.length > 0; at++) {
      const children = rest.splice(0, figures[at]!.children)
      if (children.length === 0) continue
      const weight = children.reduce((sum, child) => sum + child.weight, 0)
      families.push({ whole: at, parts: children.map((_, i) => parts.length + i) })
      for (const { mean, variance, missing, weight: own } of children) {
        parts.push({ whole: at, share: own / weight, mean: missing ? Number.NaN : mean / 10, variance })
      }
    }
    return { parts, families }
  })
}

type Method = typeof reconcile

/** Families whose parts do not add up although all of them have a forecast. */
function notAdding({ parts, families }: Case, method: Method): readonly Family[] {
  const made = method(parts, families)
  return families.filter(({ whole, parts: members }) => {
    const values = members.map((at) => made[at])
    if (made[whole] === undefined || values.includes(undefined)) return false
    return (values as Reconciled[]).reduce((sum, { wh }) => sum + wh, 0) !== made[whole].wh
  })
}

/** Minimum trace reconciliation as it is defined: S (S' W^-1 S)^-1 S' W^-1 y over dense matrices. */
function byDefinition({ parts, families }: Case): readonly number[] {
  const n = parts.length
  // What each forecast is off by, from independent errors: a share of what the whole is off by, and its own.
  const mixing = parts.map(() => new Array<number>(n).fill(0))
  const base = new Array<number>(n).fill(0)
  parts.forEach(({ whole, share, mean }, i) => {
    mixing[i]![i] = 1
    base[i] = mean
    if (whole === undefined) return
    for (let j = 0; j < n; j++) mixing[i]![j]! += share * mixing[whole]![j]!
    base[i]! += share * base[whole]!
  })
  // W = mixing V mixing'; C y = 0 for each family. y - W C' (C W C')^-1 C y is the same projection.
  const covariance = parts.map((_, i) =>
    parts.map((_, j) => parts.reduce((sum, { variance }, k) => sum + mixing[i]![k]! * variance * mixing[j]![k]!, 0)),
  )
  const constraints = families.map(({ whole, parts: members }) => {
    const row = new Array<number>(n).fill(0)
    row[whole] = 1
    for (const at of members) row[at] = -1
    return row
  })
  const times = (rows: readonly (readonly number[])[], column: readonly number[]): number[] =>
    rows.map((row) => row.reduce((sum, value, i) => sum + value * column[i]!, 0))
  const spread = constraints.map((row) => times(covariance, row))
  const middle = constraints.map((row) => spread.map((column) => row.reduce((sum, v, i) => sum + v * column[i]!, 0)))
  const weights = solve(middle, times(constraints, base))
  return base.map((value, i) => value - spread.reduce((sum, column, k) => sum + column[i]! * weights[k]!, 0))
}

function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]!])
  for (let at = 0; at < rows.length; at++) {
    const pivot = rows
      .slice(at)
      .reduce((best, row, k) => (Math.abs(row[at]!) > Math.abs(rows[best]![at]!) ? at + k : best), at)
    ;[rows[at], rows[pivot]] = [rows[pivot]!, rows[at]!]
    for (let below = 0; below < rows.length; below++) {
      if (below === at) continue
      const factor = rows[below]![at]! / rows[at]![at]!
      rows[below] = rows[below]!.map((value, i) => value - factor * rows[at]![i]!)
    }
  }
  return rows.map((row, i) => row.at(-1)! / row[i]!)
}

/** Furthest that a method lies from the definition, beyond what rounding explains. */
function offBy(each: Case, method: Method): number {
  const sure = { ...each, parts: each.parts.map((part) => ({ ...part, variance: 1 + (part.variance % 1e4) })) }
  const exact = byDefinition(sure)
  const made = method(sure.parts, sure.families)
  return Math.max(...made.map((one, i) => Math.abs(one!.wh - exact[i]!)))
}
// A whole is rounded by at most 1/2; each level below adds at most 1.
const rounding = 5

describe('reconciled forecasts', () => {
  it('add up at every whole, in whole Wh', () => {
    fc.assert(
      fc.property(caseOf(true), (each) => {
        assert.deepEqual(notAdding(each, reconcile), [])
        const made = reconcile(each.parts, each.families)
        for (const one of made) assert.ok(one === undefined || (Number.isSafeInteger(one.wh) && one.variance >= 0))
      }),
      { numRuns },
    )
  })

  it('are those of minimum trace reconciliation by its definition', () => {
    fc.assert(
      fc.property(caseOf(false), (each) => void assert.ok(offBy(each, reconcile) < rounding)),
      { numRuns: Math.min(numRuns, 2_000) },
    )
  })

  it('leave a group without forecast, and those below it, without', () => {
    fc.assert(
      fc.property(caseOf(true), ({ parts, families }) => {
        const made = reconcile(parts, families)
        parts.forEach(({ whole, mean }, i) => {
          const expected = Number.isNaN(mean) || (whole !== undefined && made[whole] === undefined)
          assert.equal(made[i] === undefined, expected)
        })
      }),
      { numRuns },
    )
  })

  it('are no less sure than before', () => {
    fc.assert(
      fc.property(caseOf(false), ({ parts, families }) => {
        const apart = reconcile(parts, [])
        reconcile(parts, families).forEach((one, i) => {
          assert.ok(one!.variance <= apart[i]!.variance * (1 + 1e-9) + 1e-6)
        })
      }),
      { numRuns },
    )
  })
})

describe('the checks of reconciliation find', () => {
  const found = (method: Method, check: (each: Case) => boolean): boolean =>
    fc.check(fc.property(caseOf(false), check), { numRuns: 500 }).failed && method !== reconcile

  it('values that are rounded each for itself', () => {
    const planted: Method = (parts, families) =>
      reconcile(
        parts.map((part) => ({ ...part, variance: part.variance + 1 })),
        families,
      ).map((one, i) => one && { ...one, wh: Math.round(one.wh + (i % 2 === 0 ? 0.4 : 0.6)) })
    assert.ok(found(planted, (each) => notAdding(each, planted).length === 0))
  })

  it('a family that is left out', () => {
    const planted: Method = (parts, families) => reconcile(parts, families.slice(1))
    assert.ok(found(planted, (each) => notAdding(each, planted).length === 0))
  })

  it('weights that do not follow the variances', () => {
    const planted: Method = (parts, families) =>
      reconcile(
        parts.map((part) => ({ ...part, variance: 1 })),
        families,
      )
    assert.ok(found(planted, (each) => offBy(each, planted) < rounding))
  })

  it('a part that is taken for its share alone', () => {
    const planted: Method = (parts, families) =>
      reconcile(
        parts.map((part) => ({ ...part, mean: part.whole === undefined ? part.mean : 0 })),
        families,
      )
    assert.ok(found(planted, (each) => offBy(each, planted) < rounding))
  })
})
