import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { HaltError, HistoryBehindError } from '../../../../operators/contract/halt.ts'
import { behindHalt, releaseHalt } from '../../../../operators/privacy/ledger/halts.ts'
import { type HaltReason, releaseReasons } from '../../../../operators/privacy/ledger/reasons.ts'
import { suppressions } from '../../../../operators/privacy/release/restricted/rules.ts'

const root = resolve(import.meta.dirname, '../../../..')
const privacy = 'operators/privacy'
const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const sources = readdirSync(join(root, privacy), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join(privacy, name))

/** Where a source makes a halt by itself, without a name of the list. */
const unnamed = (text: string): readonly string[] => text.match(/new (?:HaltError|HistoryBehindError)\b/g) ?? []

const listed = Object.entries(releaseReasons)
const refusals = listed.flatMap(([name, { about }]) => (about === 'refusal' ? [name as HaltReason] : []))

describe('halts that keep something from being released', () => {
  it('are all made under a name of the list', () => {
    const found = sources
      .filter((file) => !file.endsWith('ledger/halts.ts'))
      .filter((file) => unnamed(read(file)).length)
    assert.deepEqual(found, [])
    assert.deepEqual(unnamed(read('pipelines/cli/ledger-pin.ts')), [])
    assert.equal(unnamed("throw new HaltError('it broke', 'Mend it.')").length, 1, 'a planted one is found')
  })

  it('use every name of the list', () => {
    const text = [...sources.filter((file) => !file.endsWith('ledger/reasons.ts')), 'pipelines/cli/ledger-pin.ts']
      .map(read)
      .join('\n')
    const unused = refusals.filter((reason) => !text.includes(`'${reason}'`))
    assert.deepEqual(unused, [])
  })

  for (const reason of refusals) {
    it(`carry ${reason}, and say what the list says to do`, () => {
      const halt = releaseHalt(reason, 'it broke')
      assert.ok(halt instanceof HaltError)
      assert.deepEqual([halt.reason, halt.action], [reason, releaseReasons[reason].action])
      assert.equal(releaseHalt(reason, 'it broke', 'Mend it.').action, 'Mend it.')
    })
  }

  it('stay apart from a history that only ends too early', () => {
    assert.ok(!(releaseHalt('state_behind', 'it broke') instanceof HistoryBehindError))
    assert.ok(behindHalt('state_behind', 'it broke') instanceof HistoryBehindError)
  })
})

describe('suppressed cells', () => {
  it('have each of their reasons in the list', () => {
    const names = listed.flatMap(([name, { about }]) => (about === 'suppression' ? [name] : []))
    assert.deepEqual(names.sort(), [...suppressions].sort())
  })
})
