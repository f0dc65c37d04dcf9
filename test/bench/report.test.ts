import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { meets, report } from '../../bench/report.ts'

describe('a report', () => {
  it('of a run that is not in full leaves the saved one as it is', () => {
    const made = report('a-small-run', [{ name: 'frames', value: 1, unit: 'frames' }], false)
    assert.equal(made.figures.length, 1)
    assert.equal(existsSync(join(import.meta.dirname, '../../bench/reports/a-small-run.json')), false)
  })

  for (const [value, goal, met] of [
    [2.5, '<= 2.5', true],
    [2.51, '<= 2.5', false],
    [35_000, '>= 35000', true],
    [34_999, '>= 35000', false],
  ] as const) {
    it(`holds ${value} against ${goal}`, () => assert.equal(meets(value, goal), met))
  }
})
