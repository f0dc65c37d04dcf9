import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  compileHierarchy,
  customerClassHierarchy,
  defaultHierarchies,
  HierarchyError,
} from '../../../../operators/privacy/k-anonymize/index.ts'

const table = {
  attribute: 'heating',
  version: 1,
  describes: 'electric or not',
  kind: 'table',
  steps: ['kind', 'electric or not'],
  values: { gas: ['fuel', 'not'], oil: ['fuel', 'not'], pump: ['pump', 'electric'] },
  otherwise: ['unknown', 'not'],
}
const parts = { attribute: 'area', version: 1, describes: 'names', kind: 'parts', separator: '-', drop: [1, 2] }

describe('hierarchies', () => {
  it('tells a value at every step of a table', () => {
    const { told, steps } = compileHierarchy(table)
    const all = (value: string) => Array.from({ length: steps }, (_, step) => told(value, step))
    assert.deepEqual(all('gas'), ['gas', 'fuel', 'not', '*'])
    assert.deepEqual(all('pump'), ['pump', 'pump', 'electric', '*'])
    assert.deepEqual(all('peat'), ['peat', 'unknown', 'not', '*'])
    assert.deepEqual(all('constructor'), ['constructor', 'unknown', 'not', '*'])
  })

  it('leaves away the last parts of a name', () => {
    const { told, steps } = compileHierarchy(parts)
    const all = (value: string) => Array.from({ length: steps }, (_, step) => told(value, step))
    assert.deepEqual(all('north-town-4'), ['north-town-4', 'north-town-*', 'north-*', '*'])
    assert.deepEqual(all('north'), ['north', '*', '*', '*'])
    assert.deepEqual(all(''), ['', '*', '*', '*'])
  })

  it('ships one of each attribute that travels with a household, and one of the customer class', () => {
    assert.deepEqual(
      defaultHierarchies.map(({ attribute, steps }) => [attribute, steps]),
      [
        ['area', 4],
        ['tariff', 3],
        ['heating', 3],
        ['dwelling', 4],
      ],
    )
    assert.equal(customerClassHierarchy.told('industrial', 1), 'other')
  })

  const refused: readonly (readonly [string, unknown, RegExp])[] = [
    ['no object', [], /^a hierarchy is an object/],
    ['an unknown attribute', { ...table, attribute: 'shoe' }, /^attribute must be one of area, .* not "shoe"$/],
    ['no version', { ...table, version: 0 }, /^the hierarchy of heating: version must be a whole number from 1$/],
    ['no description', { ...table, describes: '' }, /describes must be a sentence$/],
    ['an unknown kind', { ...table, kind: 'tree' }, /kind must be "table" or "parts"$/],
    ['an unknown field', { ...table, drop: [1] }, /drop is not a field of kind "table"; it has attribute, /],
    ['steps that are no names', { ...table, steps: [1] }, /steps must be a list of names$/],
    ['no values', { ...table, values: [] }, /values must be an object/],
    ['a short path', { ...table, values: { gas: ['fuel'] } }, /the value "gas" must have 2 names, one per step$/],
    ['a short default path', { ...table, otherwise: [] }, /otherwise must have 2 names, one per step$/],
    [
      'two values that meet and part again',
      { ...table, values: { gas: ['fuel', 'not'], coal: ['fuel', 'electric'] } },
      /"fuel" becomes both "not" and "electric" at step "electric or not"$/,
    ],
    ['no separator', { ...parts, separator: '' }, /separator must be a text/],
    ['parts that do not rise', { ...parts, drop: [1, 1] }, /drop must be rising whole numbers from 1$/],
    ['a part that is no number', { ...parts, drop: ['1'] }, /drop must be rising whole numbers from 1$/],
  ]
  for (const [what, data, says] of refused) {
    it(`refuses ${what}`, () => {
      assert.throws(() => compileHierarchy(data), { name: HierarchyError.name, message: says })
    })
  }
})
