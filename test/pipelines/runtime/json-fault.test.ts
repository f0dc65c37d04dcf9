import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { jsonFault, notJson } from '../../../pipelines/runtime/json-fault.ts'

describe('where a text stops being JSON', () => {
  for (const [text, line, column] of [
    ['', 1, 1],
    ['{', 1, 2],
    ['{"a": 1,}', 1, 9],
    ['{"a": 1,\n "b" 2}', 2, 6],
    ['{"a": 1\n "b": 2}', 2, 2],
    ['[1, 2,, 3]', 1, 7],
    ['{a: 1}', 1, 2],
    ["{'a': 1}", 1, 2],
    ['{"a": 01}', 1, 8],
    ['{"a": "x\ny"}', 1, 7],
    ['[1]\n\n]', 3, 1],
    ['[1}', 1, 3],
    ['tru', 1, 1],
    ['// a comment\n{}', 1, 1],
  ] as const) {
    it(`is line ${line}, column ${column} of ${JSON.stringify(text)}`, () => {
      assert.deepEqual(jsonFault(text), { line, column })
      assert.equal(notJson(text), `is not valid JSON: see line ${line}, column ${column}`)
    })
  }

  it('is nowhere in JSON, and somewhere in a text that the parser refuses', () => {
    const parses = (text: string): boolean => {
      try {
        JSON.parse(text)
        return true
      } catch {
        return false
      }
    }
    const numRuns = Number(process.env['MV_CASES'] ?? 2_000)
    const texts = fc.tuple(fc.json(), fc.nat(), fc.nat(), fc.constantFrom('', ',', '"', '}', ']', ':', '0', ' ', '\n'))
    fc.assert(
      fc.property(texts, ([json, at, cut, more]) => {
        const from = at % (json.length + 1)
        const text = json.slice(0, from) + more + json.slice(from + (cut % 3))
        assert.equal(jsonFault(text) === undefined, parses(text), text)
      }),
      { numRuns },
    )
  })
})
