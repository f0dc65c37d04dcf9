import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { keptRuns } from './kept-runs.ts'

const root = mkdtempSync(join(tmpdir(), 'meterveil-kept-'))
after(() => rmSync(root, { recursive: true }))

const terms = { commit: 'abc', phases: 'both' }
const share = (value: number) => ({ names: ['sum'], with: [[value]], without: [[0]], cpuMs: 1 })
const valuesIn = (folder: string): number[] =>
  [...keptRuns(folder, terms).shares()].map((seen) => seen.with[0]![0]!).sort((a, b) => a - b)

describe('runs kept over a night that was cut short', () => {
  it('are all there when it is gone on with, and those of the next part beside them', () => {
    const folder = join(root, 'whole')
    for (const value of [1, 2, 3]) keptRuns(folder, terms).add(share(value))
    const again = keptRuns(folder, terms)
    again.add(share(4))
    again.add(share(5))
    assert.deepEqual(valuesIn(folder), [1, 2, 3, 4, 5])
  })

  it('leave out a share that was cut off while it was written', () => {
    const folder = join(root, 'cut')
    keptRuns(folder, terms).add(share(1))
    writeFileSync(join(folder, 'share-2.json.part'), '{"names":["su')
    keptRuns(folder, terms).add(share(2))
    assert.deepEqual(valuesIn(folder), [1, 2])
  })

  it('do not mix with those of other code or terms', () => {
    const folder = join(root, 'other')
    keptRuns(folder, terms).add(share(1))
    for (const others of [
      { ...terms, commit: 'def' },
      { ...terms, phases: 'preliminary' },
    ]) {
      assert.throws(() => keptRuns(folder, others), /^RangeError: .+ keeps runs of .+ give another folder$/)
    }
  })
})
