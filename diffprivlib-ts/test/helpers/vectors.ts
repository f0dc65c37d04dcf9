import { readFileSync } from 'node:fs'
import { decimal, type Rational } from '../../src/rational.ts'

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
export const agrees = (vector: Vector, actual: number, expected: number): boolean => {
  const absolute = Number(vector.tolerance.abs ?? 0)
  const relative = Number(vector.tolerance.rel ?? 0) * Math.abs(expected)
  return Math.abs(actual - expected) <= Math.max(absolute, relative)
}
