import { readFileSync } from 'node:fs'
import { decimal, div, fromDouble, type Rational } from '../../src/rational.ts'

/** One known answer; `expected` is a number or several. */
export interface Vector {
  readonly id: string
  readonly inputs: Readonly<Record<string, number | string>>
  readonly expected: number | readonly number[]
  readonly tolerance: { readonly abs?: string; readonly rel?: string }
  readonly source: string
}

interface VectorFile {
  readonly families: readonly { readonly id: string; readonly vectors: readonly Vector[] }[]
}

const file = JSON.parse(readFileSync(new URL('../fixtures/known-answers.json', import.meta.url), 'utf8')) as VectorFile

/** The vectors of one family of test/fixtures/known-answers.json. */
export const vectorsOf = (family: string): readonly Vector[] => {
  const found = file.families.find(({ id }) => id === family)
  if (!found) throw new RangeError(`no family ${family}`)
  return found.vectors
}

/** An input as an exact fraction. */
export const input = (vector: Vector, name: string): Rational => {
  const value = vector.inputs[name]
  if (value === undefined) throw new RangeError(`${vector.id} has no input ${name}`)
  return decimal(String(value))
}

/** Whether a figure agrees with the expected one within the vector's tolerance. */
export const agrees = (vector: Pick<Vector, 'tolerance'>, actual: number, expected: number): boolean => {
  const absolute = Number(vector.tolerance.abs ?? 0)
  const relative = Number(vector.tolerance.rel ?? 0) * Math.abs(expected)
  return Math.abs(actual - expected) <= Math.max(absolute, relative)
}

/** A known answer whose inputs and result are of its own form. */
export interface FreeVector {
  readonly id: string
  readonly inputs: Readonly<Record<string, unknown>>
  readonly expected: unknown
  readonly tolerance: { readonly abs?: string; readonly rel?: string }
  readonly source: string
}

/** The vectors of a family that is not all numbers. */
export const freeVectorsOf = (family: string): readonly FreeVector[] =>
  vectorsOf(family) as unknown as readonly FreeVector[]

/** The double that a vector's text means: `"ln3"`, `"1/3"`, `"1e-6"` or a number. */
export const real = (text: unknown): Rational => {
  const known = /^ln(\d+)$/.exec(String(text))
  if (known) return fromDouble(Math.log(Number(known[1])))
  const [num = '', den] = String(text).split('/')
  return den === undefined ? decimal(num) : div(decimal(num), decimal(den))
}
